"""A broadcast as a form: every field by its name, read into values and back, so that what was typed is never lost."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from werkzeug.datastructures import MultiDict

from bot.audience import (
    CHOSEN_MOST,
    LISTED_MOST,
    Active,
    Audience,
    Chosen,
    Criterion,
    Follows,
    OnChannel,
    Practised,
    Reads,
    Screened,
    Silent,
    Tagged,
)
from bot.broadcasts.letter import Bilingual
from bot.messages import (
    LOCALES,
    MAX_PARTS,
    Card,
    Choice,
    Command,
    CommandToken,
    Disposition,
    Locale,
    Message,
    Part,
    Picture,
    Words,
)
from bot.store import codec

Kind = Literal["words", "picture", "card", "link"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS = range(MAX_PARTS)
BUTTONS = range(3)

COMMANDS = (
    Command.TODAY,
    Command.START,
    Command.REMINDER,
    Command.PROGRESS,
    Command.ASSESSMENT,
    Command.HOURS,
    Command.HUMAN,
    Command.MENU,
)
"""What a button of a broadcast can ask for: nothing that ends or deletes anything."""

CHANNELS = ("line", "slack")
"""Where patients are."""

OUTCOMES: tuple[str, ...] = (Disposition.SELF_MASSAGE.value, Disposition.NO_MASSAGE.value, "none")
"""Of the others nobody gets a broadcast."""

ACTIVITY: Mapping[str, Criterion] = {
    "active_7": Active(7),
    "active_30": Active(30),
    "silent_14": Silent(14),
    "silent_30": Silent(30),
    "silent_60": Silent(60),
}
PRACTICE: Mapping[str, Criterion] = {
    "none": Practised(0, 0),
    "some": Practised(1, 7),
    "often": Practised(8),
}
"""Routines in four weeks: none, up to two a week, more."""

Form = MultiDict[str, str]


# --- what it says -----------------------------------------------------------------------------------------------------


def letter(form: Form) -> Bilingual:
    """As it was typed, flaws and all. A part without a kind is left out."""
    kinds = [(n, form.get(f"{n}-kind", "")) for n in PARTS]
    return {
        locale: Message(tuple(_part(form, n, kind, locale) for n, kind in kinds if kind in KINDS)) for locale in LOCALES
    }


def _part(form: Form, n: int, kind: str, locale: Locale) -> Part:
    text = _said(form, f"{n}-text-{locale}")
    picture = _said(form, f"{n}-picture")
    match kind:
        case "words":
            return Words(text)
        case "picture":
            return Picture(picture, text)
        case "link":
            return Card("", text, choices=tuple(_button(form, n, 0, locale)))
        case _:
            title = _said(form, f"{n}-title-{locale}")
            shown = Picture(picture, title or text) if picture else None
            buttons = tuple(button for b in BUTTONS for button in _button(form, n, b, locale))
            return Card(title, text, picture=shown, choices=buttons)


def _button(form: Form, n: int, b: int, locale: Locale) -> Sequence[Choice]:
    """None when it does nothing. An address without its own in English is the same in both languages."""
    does, label = form.get(f"{n}-{b}-does", ""), _said(form, f"{n}-{b}-label-{locale}")
    if form.get(f"{n}-kind") == "link":
        does = "link"
    if does == "link":
        uri = _said(form, f"{n}-{b}-uri-{locale}") or _said(form, f"{n}-{b}-uri-ja")
        return [Choice(label, uri=uri)]
    return [Choice(label, token=CommandToken(Command(does)))] if does in COMMANDS else []


def _said(form: Form, name: str) -> str:
    return codec.storable(form.get(name, "")).replace("\r\n", "\n").strip()


def letter_fields(said: Bilingual) -> Form:
    """The fields that `letter` reads the same from."""
    form: Form = MultiDict()
    for locale in LOCALES:
        for n, part in enumerate(said[locale].parts):
            _part_fields(form, n, part, locale)
    return form


def _part_fields(form: Form, n: int, part: Part, locale: Locale) -> None:
    match part:
        case Words(text):
            form[f"{n}-kind"], form[f"{n}-text-{locale}"] = "words", text
        case Picture(file, alt):
            form[f"{n}-kind"], form[f"{n}-text-{locale}"], form[f"{n}-picture"] = "picture", alt, file
        case Card():
            form[f"{n}-kind"] = "link" if _is_link(part) else "card"
            form[f"{n}-title-{locale}"], form[f"{n}-text-{locale}"] = part.title, part.text
            form[f"{n}-picture"] = part.picture.file if part.picture else ""
            for b, choice in enumerate(part.choices):
                form[f"{n}-{b}-label-{locale}"] = choice.label
                form[f"{n}-{b}-uri-{locale}"] = choice.uri or ""
                form[f"{n}-{b}-does"] = choice.token.command if isinstance(choice.token, CommandToken) else "link"
        case _:
            raise ValueError(f"no form makes a {part.kind}")


def _is_link(card: Card) -> bool:
    return not card.title and card.picture is None and len(card.choices) == 1 and card.choices[0].uri is not None


# --- whom it is for ---------------------------------------------------------------------------------------------------


def audience(form: Form) -> Audience:
    """Everybody, as far as nothing is chosen. What is no choice of ours is passed over."""
    found: list[Criterion] = []
    if channels := tuple(name for name in CHANNELS if name in form.getlist("channel")):
        found.append(OnChannel(channels))
    if languages := tuple(locale for locale in LOCALES if locale in form.getlist("reads")):
        found.append(Reads(languages))
    if outcomes := [value for value in OUTCOMES if value in form.getlist("screened")]:
        found.append(Screened(tuple("none" if value == "none" else Disposition(value) for value in outcomes)))
    if routines := _values(form, "follows"):
        found.append(Follows(routines))
    found += filter(None, (ACTIVITY.get(form.get("activity", "")), PRACTICE.get(form.get("practice", ""))))
    if tags := _values(form, "tagged"):
        found.append(Tagged(tags))
    people = [int(one) for one in form.getlist("person") if one.isascii() and one.isdigit() and len(one) < 19]
    if chosen := tuple(one for one in people if one)[:CHOSEN_MOST]:
        found.append(Chosen(chosen))
    return Audience(tuple(found))


def _values(form: Form, name: str) -> tuple[str, ...]:
    """No more and no longer ones than an audience can hold."""
    return tuple(codec.storable(one)[:200] for one in form.getlist(name) if one)[:LISTED_MOST]


def audience_fields(wanted: Audience) -> Form:
    """The fields that `audience` reads the same from."""
    form: Form = MultiDict()
    for criterion in wanted.all_of:
        match criterion:
            case OnChannel(any_of):
                form.setlist("channel", list(any_of))
            case Reads(any_of):
                form.setlist("reads", list(any_of))
            case Screened(any_of):
                form.setlist("screened", [str(one) for one in any_of])
            case Follows(any_of):
                form.setlist("follows", list(any_of))
            case Tagged(any_of):
                form.setlist("tagged", list(any_of))
            case Chosen(contacts):
                form.setlist("person", [str(one) for one in contacts])
            case Active() | Silent():
                form["activity"] = next((name for name, one in ACTIVITY.items() if one == criterion), "")
            case Practised():
                form["practice"] = next((name for name, one in PRACTICE.items() if one == criterion), "")
    return form
