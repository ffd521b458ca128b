"""What a broadcast says, as a request and an answer write it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from bot.broadcasts.letter import Bilingual
from bot.messages import LOCALES, MAX_PARTS, Card, Choice, Command, CommandToken, Message, Part, Picture, Words
from bot.web.api.problem import Shape
from bot.web.console.broadcast_form import BUTTONS, COMMANDS

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Any text but NUL, which no database keeps. What is too long for a phone is a flaw of the draft, not of the request."""


def _offered(command: Command) -> Command:
    if command not in COMMANDS:
        raise ValueError("not offered")
    return command


Asked = Annotated[
    Command, AfterValidator(_offered), WithJsonSchema({"type": "string", "enum": [one.value for one in COMMANDS]})
]


class LinkButton(Shape):
    """Opens a page. Taps are counted."""

    kind: Literal["link"]
    label: Text
    uri: Text


class AskButton(Shape):
    """Asks the guide for something, as the menu does. Taps are counted."""

    kind: Literal["ask"]
    label: Text
    command: Asked


class WordsPart(Shape):
    """A bubble of text."""

    kind: Literal["words"]
    text: Text


class PicturePart(Shape):
    """A picture of content/media by name, with what it shows for those who cannot see it."""

    kind: Literal["picture"]
    file: Text
    alt: Text


class CardPart(Shape):
    """A framed text with a title and buttons. The picture's description is the title, or else the text."""

    kind: Literal["card"]
    title: Text
    text: Text
    picture: Text | None
    buttons: Annotated[
        tuple[Annotated[LinkButton | AskButton, Field(discriminator="kind")], ...], Field(max_length=len(BUTTONS))
    ]


Parts = Annotated[
    tuple[Annotated[WordsPart | PicturePart | CardPart, Field(discriminator="kind")], ...],
    Field(max_length=MAX_PARTS),
]


class Letter(Shape):
    """The same parts and buttons in both languages: everybody gets it in theirs."""

    ja: Parts
    en: Parts


def said(letter: Letter) -> Bilingual:
    """As the program has it."""
    return {locale: Message(tuple(_part(part) for part in getattr(letter, locale))) for locale in LOCALES}


def _part(part: WordsPart | PicturePart | CardPart) -> Part:
    match part:
        case WordsPart():
            return Words(part.text)
        case PicturePart():
            return Picture(part.file, part.alt)
        case CardPart():
            picture = Picture(part.picture, part.title or part.text) if part.picture else None
            return Card(part.title, part.text, picture=picture, choices=tuple(map(_choice, part.buttons)))


def _choice(button: LinkButton | AskButton) -> Choice:
    match button:
        case LinkButton():
            return Choice(button.label, uri=button.uri)
        case AskButton():
            return Choice(button.label, token=CommandToken(button.command))


def written(letter: Bilingual) -> Letter:
    """As it is answered. Raises ValueError for what neither the console nor a request can have made."""
    return Letter(**{locale: tuple(_shape(part) for part in letter[locale].parts) for locale in LOCALES})


def _shape(part: Part) -> WordsPart | PicturePart | CardPart:
    match part:
        case Words(text):
            return WordsPart(kind="words", text=text)
        case Picture(file, alt):
            return PicturePart(kind="picture", file=file, alt=alt)
        case Card():
            return CardPart(
                kind="card",
                title=part.title,
                text=part.text,
                picture=part.picture.file if part.picture else None,
                buttons=tuple(map(_button, part.choices)),
            )
        case _:
            raise ValueError(f"no request makes a {part.kind}")


def _button(choice: Choice) -> LinkButton | AskButton:
    match choice.token:
        case CommandToken(command):
            return AskButton(kind="ask", label=choice.label, command=command)
        case None:
            return LinkButton(kind="link", label=choice.label, uri=choice.uri or "")
        case _:
            raise ValueError(f"no request makes a button with {choice.token}")
