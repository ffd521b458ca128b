"""Log lines: constant event names with ids, never a patient's words, address or token."""

import logging
import sys
from typing import TextIO

import structlog


def configure(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """One JSON object a line on `stream` (None: standard error). Libraries' own logs come through at warning."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _error_without_words,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=stream or sys.stderr, format="%(levelname)s %(name)s %(message)s")


def _error_without_words(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """`error=exception` becomes its class and where it was raised: an exception's text may quote a patient."""
    error = event.get("error")
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = _where(error)
    return event


def _where(error: BaseException) -> list[str]:
    """`file:line:function` of the innermost frames, outermost first."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return frames[-8:]
