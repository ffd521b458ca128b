"""What requests.toml may say beside its network: how sure it must be of what somebody asks for."""

from typing import ClassVar

from bot.content.network import Network

ASKED = (
    "delete_data", "stop_everything", "stop_reminders", "cancel_booking", "change_booking", "language_ja", "language_en", "back",
    "human", "phone", "opening_hours", "my_records", "snooze", "set_reminder", "half_done", "done", "skip", "book", "ask_exercise",
    "ask_prevention", "start_screening", "show_routine", "pain_number", "help", "thanks", "greeting", "unknown",
)  # fmt: skip
"""The everyday requests, as the intents of words.toml are called, and none of them."""


class Requests(Network):
    """The second opinion on what a message asks for."""

    kinds: ClassVar[tuple[str, ...]] = ASKED

    sure: int
    """The chance in hundredths of a request from which it is believed where the patterns find another, or none."""
    nothing: int
    """The chance in hundredths that nothing is asked for, from which the patterns are not believed."""
