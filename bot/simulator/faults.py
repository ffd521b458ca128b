"""Ways in which the platform can be made to fail, for tests."""

import threading
from dataclasses import dataclass, replace
from typing import Literal

Failure = Literal["slow", "rate", "monthly", "server_error", "drop_before", "drop_after"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. slow: answers after `seconds`. rate, monthly: the two kinds of 429. server_error: 500.
    drop_before: the connection breaks and nothing was done. drop_after: it breaks, but the request was carried out.
    `times` is how often it strikes, None until `mend`. `path` is a part of the request's path; empty strikes all."""

    failure: Failure
    times: int | None = 1
    path: str = ""
    seconds: float = 0.0


class Faults:
    """The faults that wait to strike, in the order they were laid."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def lay(self, fault: Fault) -> None:
        """The fault strikes from the next matching request on."""
        with self._lock:
            self._waiting.append(fault)

    def mend(self) -> None:
        """The platform is well again."""
        with self._lock:
            self._waiting.clear()

    def strike(self, path: str) -> Fault | None:
        """The first fault that matches, used up by one."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.path in path:
                    if fault.times is not None and fault.times <= 1:
                        del self._waiting[index]
                    elif fault.times is not None:
                        self._waiting[index] = replace(fault, times=fault.times - 1)
                    return fault
        return None
