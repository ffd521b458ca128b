"""staff_room.toml: what staff read in the messenger they live in, and when they are called again."""

from collections.abc import Mapping

from pydantic import Field

from bot.content.basis import Strict, Wording
from bot.messages import Locale


class Call(Strict):
    """Alerts of these urgencies: called every `again_minutes`, `most` times in all, from call `loud_from` on with a
    notification for everybody."""

    urgency: tuple[str, ...]
    again_minutes: int = Field(ge=1)
    loud_from: int = Field(ge=1)
    most: int = Field(ge=1, le=50)
    why: str = Field(min_length=1)


class StaffRoom(Strict):
    """`title` by urgency, `booking` by what became of an appointment, `tip` what /tip says."""

    locale: Locale
    number: Wording
    first: Wording
    again: Wording
    seen: Wording
    seen_before: Wording
    acknowledge_label: Wording
    open_label: Wording
    booking_text: Wording
    title: Mapping[str, Wording]
    booking: Mapping[str, Wording]
    tip: Mapping[str, Wording]
    call: tuple[Call, ...]

    def call_for(self, urgency: str) -> Call | None:
        """None: called once."""
        return next((call for call in self.call if urgency in call.urgency), None)
