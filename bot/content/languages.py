"""Every sentence stands in every language, in that language, with the same places to fill in."""

import re
from collections.abc import Iterator

from bot.content.issue import Code, Issue
from bot.content.model import Content
from bot.content.texts import Sentence, sentences

_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9d]")
_LETTER = re.compile(r"[^\W\d_]")
_PLACE = re.compile(r"\{(\w*)\}")

FILLED: dict[str, frozenset[str]] = {
    "item_question": frozenset(("item",)),
    "hours": frozenset(("hours",)),
    "summary_head": frozenset(("date",)),
    "progress": frozenset(("week", "pain")),
    "routine_seconds": frozenset(("seconds",)),
    "routine_each_side": frozenset(("seconds",)),
}
"""The places that the engine fills in, by phrase."""

REMINDED: dict[str, frozenset[str]] = {
    "set": frozenset(("days", "time")),
    "held": frozenset(("days", "time")),
    "next": frozenset(("date", "day", "time")),
    "snoozed": frozenset(("minutes",)),
    "fewer": frozenset(("days",)),
    "moved": frozenset(("place", "time")),
    "labels.minutes": frozenset(("minutes",)),
    "labels.morning": frozenset(("time",)),
    "labels.evening": frozenset(("time",)),
    "labels.noon": frozenset(("time",)),
    "labels.midnight": frozenset(("time",)),
}
"""The places that the engine fills in, by sentence of reminders.toml."""

WEEKLY: dict[str, frozenset[str]] = {
    "weekly.counts": frozenset(("week", "streak")),
    "weekly.pain": frozenset(("pain",)),
    "weekly.set": frozenset(("day", "time")),
}
"""The places that the engine fills in, by sentence of programme.toml."""

PAGES: dict[str, frozenset[str]] = {
    "new_player": frozenset(("button",)),
    "new_progress": frozenset(("button",)),
    "new_data": frozenset(("button",)),
    "not_now": frozenset(("button",)),
    "step_of": frozenset(("number", "total")),
    "now_left": frozenset(("seconds",)),
    "now_right": frozenset(("seconds",)),
    "stop_chat": frozenset(("button",)),
    "done": frozenset(("button",)),
    "consent_since": frozenset(("date",)),
    "messages_all": frozenset(("number",)),
    "erase_note": frozenset(("word",)),
    "erase_label": frozenset(("word",)),
    "erase_again": frozenset(("word",)),
}
"""The places that the patient's own pages fill in."""

_WHEN = frozenset(("day", "time", "until"))

BOOKED: dict[str, frozenset[str]] = {
    "free_day": frozenset(("count",)),
    "ask_time": frozenset(("day",)),
    "day_full": frozenset(("day",)),
    "ask_confirm": _WHEN,
    "ask_confirm_request": _WHEN,
    "ask_move": _WHEN,
    "when": _WHEN,
    "too_late": frozenset(("hours",)),
    "ask_cancel": frozenset(("day", "time")),
    "stands_while_locked": frozenset(("day", "time")),
    "stands": frozenset(("day", "time")),
    "ends_with_erasure": frozenset(("day", "time")),
    "phone_kept": frozenset(("phone",)),
    "wish_kept": frozenset(("wish",)),
    "listed": frozenset(("minutes",)),
    "offer": _WHEN | {"minutes"},
    "labels.pick_day": frozenset(("day",)),
}
"""The places that the engine fills in, by sentence of booking.toml."""

OWN_NAME = frozenset(("commands.english", "commands.japanese"))
"""The name of a language stands in that language, for those who read no other."""


def problems(content: Content) -> Iterator[Issue]:
    """Sentences that are missing, left over or not in their language."""
    for sentence in sentences(content):
        yield from _in_each(sentence)
        yield from _places(sentence)


def _in_each(sentence: Sentence) -> Iterator[Issue]:
    ja, en = sentence.wording.ja, sentence.wording.en
    if not ja.strip() or not en.strip():
        yield _issue(sentence, "empty_text", f"is empty in {'ja' if not ja.strip() else 'en'}")
    elif sentence.path in OWN_NAME:
        return
    elif _LETTER.search(ja) and not _JAPANESE.search(ja):
        yield _issue(sentence, "not_japanese", f"has no Japanese in ja: {ja[:40]}")
    elif _JAPANESE.search(en):
        yield _issue(sentence, "not_english", f"has Japanese in en: {en[:40]}")


def _places(sentence: Sentence) -> Iterator[Issue]:
    if sentence.file == "phrases.toml":
        allowed = FILLED.get(sentence.name, frozenset())
    elif sentence.file == "reminders.toml":
        allowed = REMINDED.get(sentence.path, REMINDED.get(sentence.name, frozenset()))
    elif sentence.file == "programme.toml":
        allowed = WEEKLY.get(sentence.path, frozenset())
    elif sentence.file == "booking.toml":
        allowed = BOOKED.get(sentence.path, frozenset())
    elif sentence.file == "pages.toml":
        allowed = PAGES.get(sentence.name, frozenset())
    elif sentence.name == "text" and sentence.file == "red_flags.toml" and sentence.voice == "say":
        allowed = frozenset(("reason",))
    else:
        allowed = frozenset()
    ja, en = (set(_PLACE.findall(text)) for text in (sentence.wording.ja, sentence.wording.en))
    for name in sorted((ja | en) - allowed):
        yield _issue(sentence, "unknown_place", f"nothing fills in {{{name}}}")
    for name in sorted((ja ^ en) & allowed):
        yield _issue(sentence, "unknown_place", f"{{{name}}} stands in one language only")


def _issue(sentence: Sentence, code: Code, problem: str) -> Issue:
    return Issue(sentence.file, sentence.path, code, problem)
