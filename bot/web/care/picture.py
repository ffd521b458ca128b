"""The pain trend as a picture for the chat, drawn like the chart of the progress page and readable on a phone."""

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from bot.content.pages import Progress as Words
from bot.progress import Point
from bot.web.care.chart import HEIGHT, LEFT, RIGHT, WIDTH, Mark, chart

SIDE = 1040
"""Pixels, a square: what LINE shows of a picture in the chat without cutting it."""

SCALE = SIDE / WIDTH
TOP = 250
"""Pixels above the chart, for title and legend."""

SMOOTH = 2
"""Drawn so much larger, because Pillow's lines have steps."""

PAPER, INK, FAINT, RULE = "#fffdf8", "#2f3e46", "#5d6b73", "#d9d2c3"
BEFORE, AFTER = "#2b7466", "#c2571f"
"""The colours of care.css."""

COLORS = 64


def draw(points: Sequence[Point], words: Words, say: Callable[..., str]) -> bytes:
    """A PNG. Numbers and days only, no word of the patient's."""
    picture = Image.new("RGB", (SIDE * SMOOTH, SIDE * SMOOTH), PAPER)
    pen = _Pen(ImageDraw.Draw(picture))
    pen.text(60, 50, say(words.pain_title), 62, INK)
    pen.mark(60 + 20, 186, BEFORE, round_=True)
    pen.text(116, 156, say(words.before), 46, INK)
    pen.mark(SIDE / 2 + 20, 186, AFTER, round_=False)
    pen.text(SIDE / 2 + 56, 156, say(words.after), 46, INK)
    drawn = chart(points)
    for tick in drawn.levels:
        y = _y(tick.y)
        pen.line([(LEFT * SCALE, y), ((WIDTH - RIGHT) * SCALE, y)], RULE, 3)
        pen.text((LEFT - 8) * SCALE, y, tick.text, 44, FAINT, anchor="rm")
    for tick in drawn.days:
        pen.text(tick.x * SCALE, _y(tick.y), tick.text, 40, FAINT, anchor="mm")
    for marks, colour, round_ in ((drawn.before, BEFORE, True), (drawn.after, AFTER, False)):
        pen.line([_place(mark) for mark in marks], colour, 8)
        for mark in marks:
            pen.mark(*_place(mark), colour, round_=round_)
    pen.text(SIDE / 2, SIDE - 46, say(words.scale), 36, FAINT, anchor="mm")
    out = BytesIO()
    small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    small.quantize(COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _place(mark: Mark) -> tuple[float, float]:
    return mark.x * SCALE, _y(mark.y)


def _y(y: float) -> float:
    """The chart's own height, in what is left of the square."""
    return TOP + y * (SIDE - TOP - 90) / HEIGHT


class _Pen:
    """Draws in pixels of the finished picture."""

    def __init__(self, drawing: ImageDraw.ImageDraw) -> None:
        self._drawing = drawing

    def text(self, x: float, y: float, text: str, size: int, colour: str, anchor: str = "la") -> None:
        self._drawing.text((x * SMOOTH, y * SMOOTH), text, fill=colour, font=_font(size * SMOOTH), anchor=anchor)

    def line(self, places: Sequence[tuple[float, float]], colour: str, width: int) -> None:
        if len(places) > 1:
            wide = [(x * SMOOTH, y * SMOOTH) for x, y in places]
            self._drawing.line(wide, fill=colour, width=width * SMOOTH, joint="curve")

    def mark(self, x: float, y: float, colour: str, *, round_: bool) -> None:
        half = (21 if round_ else 13) * SMOOTH  # where both lie on one place, both are seen
        x, y = x * SMOOTH, y * SMOOTH
        box = (x - half, y - half, x + half, y + half)
        (self._drawing.ellipse if round_ else self._drawing.rectangle)(box, fill=colour)


def _font(size: int) -> ImageFont.FreeTypeFont:
    with as_file(files("noto_cjk_sans_jp_bold") / "NotoSansCJKjp-Bold.otf") as path:
        return ImageFont.truetype(path, size)
