"""What fits: the tightest channel's limits, and how much a person can read at once."""

from collections.abc import Iterator

from bot.content.issue import Code, Issue
from bot.content.model import Advice, Answered, Ask, AskNumber, CardAsk, Content, Flag
from bot.content.proofs import SAFETY, emergency_items, flow_file
from bot.content.texts import Sentence, sentences
from bot.messages import LOCALES, Disposition

LABEL = 20
"""UTF-16 units. LINE Messaging API reference, "Action objects": label of a quick reply, template or rich menu."""

CHOICES = 12
"""LINE Messaging API reference, "Quick reply": 13 items, one of which is the way back."""

CHAT_BAR = 14
"""LINE Messaging API reference, "Rich menu object": chatBarText."""

MENU_NAME = 300
"""LINE Messaging API reference, "Rich menu object": name."""

ALT = 1500
"""LINE Messaging API reference, "Flex message": altText, which carries the whole card for a screen reader."""

TITLE = 150
"""Slack Block Kit reference, "Header block": text."""

CARD_LINES = 6
HISTORY_LINES = 8
"""Clinical rules, section 4: symptom cards of at most six short lines, nouns of history of at most eight."""

EMERGENCY_JA = 120
"""Clinical rules, section 5: an emergency's title, text and one reason, in Japanese characters."""

STEP = {"ja": 120, "en": 240}
"""Characters of a step of a routine: what stays on a phone's screen with its picture. Our own rule."""

LABELS = frozenset(
    (
        "label",
        "labels",
        "label_open",
        "label_dismiss",
        "any_label",
        "old_label",
        "none_label",
        "start_label",
        "change_label",
        "stop_label",
        "place_label",
        "booking_label",
        "phone_label",
        "map_label",
        "form_submit",
        "erase_yes",
        "erase_no",
        "routine_start",
        "routine_next",
        "routine_skip",
        "routine_stop",
        "routine_hurts",
        "routine_done",
        "commands",
    )
)
"""Fields whose wording is shown on a button."""


def problems(content: Content) -> Iterator[Issue]:
    """Everything that is too long or too much."""
    for sentence in sentences(content):
        yield from _in_sentence(sentence)
    if units(content.menu.name) > MENU_NAME:
        yield Issue("menu.toml", "name", "too_long", f"longer than {MENU_NAME}")
    for advice in content.safety.advice:
        yield from _emergency(content, advice)
    for flow in content.flows.values():
        for node in flow.node:
            count = _choices(content, node) if isinstance(node, Ask | CardAsk | AskNumber) else 0
            if count > CHOICES:
                yield Issue(flow_file(flow.id), node.id, "too_many_choices", f"{count} answers, {CHOICES} fit")
            if isinstance(node, CardAsk):
                yield from _card(content, flow.id, node)


def units(text: str) -> int:
    """UTF-16 code units, in which LINE counts."""
    return len(text.encode("utf-16-le")) // 2


def _in_sentence(sentence: Sentence) -> Iterator[Issue]:
    for locale in LOCALES:
        length = units(sentence.wording.to(locale))
        limit = _limit(sentence, locale)
        if length > limit:
            code: Code = "long_label" if sentence.name in LABELS else "too_long"
            yield Issue(sentence.file, sentence.path, code, f"{length} characters in {locale}, {limit} fit")


def _limit(sentence: Sentence, locale: str) -> int:
    if sentence.name in LABELS:
        return LABEL
    if sentence.name == "chat_bar":
        return CHAT_BAR
    if sentence.name == "title":
        return TITLE
    if sentence.file.startswith("routines/") and sentence.name == "text":
        return STEP[locale]
    return ALT


def _emergency(content: Content, advice: Advice) -> Iterator[Issue]:
    if advice.disposition is not Disposition.EMERGENCY:
        return
    flags = (f for f in content.safety.flag if (f.advice or f.disposition.value) == advice.id)
    reasons = [f"・{flag.reason.ja}" for flag in flags] if "{reason}" in advice.text.ja else []
    longest = max(reasons, key=len, default="")
    length = len(advice.title.ja + advice.text.ja.replace("{reason}", longest))
    if length > EMERGENCY_JA:
        problem = f"{length} characters in ja with the reason {longest!r}, {EMERGENCY_JA} fit"
        yield Issue(SAFETY, advice.id, "long_emergency", problem)


def _choices(content: Content, node: Ask | CardAsk | AskNumber) -> int:
    match node:
        case Ask(options=options):
            return len(options)
        case AskNumber(low=low, high=high):
            return high - low + 1
        case CardAsk(items=items, options=options):
            own = [len(i.options) for i in content.safety.item if i.id in items]
            return max((len(options), *own))


def _card(content: Content, flow_id: str, card: CardAsk) -> Iterator[Issue]:
    most = HISTORY_LINES if all(_is_history(content, item) for item in card.items) else CARD_LINES
    if len(card.items) > most:
        yield Issue(flow_file(flow_id), card.id, "too_many_lines", f"{len(card.items)} lines, {most} can be taken in")
    urgent = emergency_items(content)
    others = [item for item in card.items if item not in urgent]
    if others and len(others) < len(card.items):
        problem = f"asks {others[0]} together with emergencies"
        yield Issue(flow_file(flow_id), card.id, "mixed_card", problem)


def _is_history(content: Content, item: str) -> bool:
    """Whether an item can by itself lead to no more than a doctor."""
    return any(_alone(flag, item) for flag in content.safety.flag)


def _alone(flag: Flag, item: str) -> bool:
    match flag.when:
        case (Answered(answer=name),):
            return name == item and flag.disposition.rank >= Disposition.DOCTOR.rank
        case _:
            return False
