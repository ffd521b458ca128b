"""Between the program's values and the JSON text of the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic_core import PydanticSerializationError

from bot.content.booking import Calendar
from bot.content.rules import ReminderRule
from bot.engine.diary import Standing
from bot.engine.state import State
from bot.messages import Event, Locale, Message

_STATE: TypeAdapter[State] = TypeAdapter(State)
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)
_RULE: TypeAdapter[ReminderRule] = TypeAdapter(ReminderRule)
_BILINGUAL: TypeAdapter[Mapping[Locale, Message]] = TypeAdapter(Mapping[Locale, Message])
_COUNTS: TypeAdapter[Mapping[str, int]] = TypeAdapter(Mapping[str, int])
_CALENDAR: TypeAdapter[Calendar] = TypeAdapter(Calendar)
_PAIRS: TypeAdapter[tuple[tuple[str, str], ...]] = TypeAdapter(tuple[tuple[str, str], ...])
_SPANS: TypeAdapter[tuple[tuple[datetime, datetime], ...]] = TypeAdapter(tuple[tuple[datetime, datetime], ...])
_STANDING: TypeAdapter[Standing] = TypeAdapter(Standing)
_STRINGS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])
_WORDS: TypeAdapter[Mapping[str, str]] = TypeAdapter(Mapping[str, str])
_TIMES: TypeAdapter[Mapping[str, datetime]] = TypeAdapter(Mapping[str, datetime])


def state_json(state: State) -> str:
    """The whole memory of one patient."""
    return _STATE.dump_json(state).decode()


def state_from(text: str | None) -> State:
    """A newcomer's state when nothing is stored. Raises ValueError for what no version of this program wrote."""
    return State() if text is None else _STATE.validate_json(text)


def event_json(event: Event) -> str:
    """What no database text can hold (NUL, half a surrogate pair) is replaced."""
    try:
        text = _EVENT.dump_json(event).decode()
    except PydanticSerializationError:
        return _EVENT.dump_json(_storable_parts(event)).decode()
    return text if "\\u0000" not in text else _EVENT.dump_json(_storable_parts(event)).decode()


def event_from(text: str) -> Event:
    """Raises ValueError for what `event_json` did not write."""
    return _EVENT.validate_json(text)


def message_json(message: Message) -> str:
    """A message as it waits in the outbox."""
    return _MESSAGE.dump_json(message).decode()


def message_from(text: str) -> Message:
    """Raises ValueError for what `message_json` did not write."""
    return _MESSAGE.validate_json(text)


def rule_json(rule: ReminderRule) -> str:
    """When a reminder comes."""
    return _RULE.dump_json(rule).decode()


def rule_from(text: str) -> ReminderRule:
    """Raises ValueError for what `rule_json` did not write."""
    return _RULE.validate_json(text)


def bilingual_json(messages: Mapping[Locale, Message]) -> str:
    """A message in every language."""
    return _BILINGUAL.dump_json(messages).decode()


def bilingual_from(text: str) -> Mapping[Locale, Message]:
    """Raises ValueError for what `bilingual_json` did not write."""
    return _BILINGUAL.validate_json(text)


def counts_json(values: Mapping[str, int]) -> str:
    """Names and numbers."""
    return _COUNTS.dump_json(values).decode()


def counts_from(text: str) -> Mapping[str, int]:
    """Raises ValueError for anything but numbers under names."""
    return _COUNTS.validate_json(text)


def calendar_json(calendar: Calendar) -> str:
    """The clinic's calendar as staff set it."""
    return _CALENDAR.dump_json(calendar).decode()


def calendar_from(text: str) -> Calendar:
    """Raises ValueError for what `calendar_json` did not write."""
    return _CALENDAR.validate_json(text)


def pairs_json(values: Sequence[tuple[str, str]]) -> str:
    """Opening hours of a day."""
    return _PAIRS.dump_json(tuple(values)).decode()


def pairs_from(text: str) -> tuple[tuple[str, str], ...]:
    """Raises ValueError for anything but pairs of texts."""
    return _PAIRS.validate_json(text)


def spans_json(values: Sequence[tuple[datetime, datetime]]) -> str:
    """What is taken elsewhere."""
    return _SPANS.dump_json(tuple(values)).decode()


def spans_from(text: str) -> tuple[tuple[datetime, datetime], ...]:
    """Raises ValueError for anything but pairs of moments."""
    return _SPANS.validate_json(text)


def standing_from(text: str) -> Standing:
    """Raises ValueError for the status of an appointment that does not stand."""
    return _STANDING.validate_python(text)


def strings_json(values: Sequence[str]) -> str:
    """A list of ids."""
    return _STRINGS.dump_json(tuple(values)).decode()


def strings_from(text: str) -> tuple[str, ...]:
    """Raises ValueError for anything but a list of texts."""
    return _STRINGS.validate_json(text)


def words_json(values: Mapping[str, str]) -> str:
    """Names and their values: answers, details."""
    return _WORDS.dump_json(values).decode()


def words_from(text: str) -> Mapping[str, str]:
    """Raises ValueError for anything but texts under names."""
    return _WORDS.validate_json(text)


def times_json(values: Mapping[str, datetime]) -> str:
    """Names and moments: consents."""
    return _TIMES.dump_json(values).decode()


def times_from(text: str) -> Mapping[str, datetime]:
    """Raises ValueError for anything but moments under names."""
    return _TIMES.validate_json(text)


def storable(text: str) -> str:
    """The text without what a database cannot hold."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _storable_parts(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _storable_parts(getattr(value, f.name)) for f in fields(value)})
    return value
