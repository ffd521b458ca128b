"""Draws the picture of the rich menu: six tiles with an icon and a label each, readable on a small phone."""

import itertools
import unicodedata
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont

from bot.content.model import Menu

SIZE = (2500, 1686)
"""Messaging API reference, "Rich menu object", size: the large menu."""

COLUMNS, ROWS = 3, 2
MARGIN = 26
RADIUS = 56
BORDER = 6
ICON = 400
PADDING = 34
ONE_LINE_SIZES = range(112, 84, -4)
TWO_LINE_SIZES = range(112, 60, -4)
COLORS = 128

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


def boxes() -> tuple[Box, ...]:
    """The tappable fields, left to right, top row first. They touch, so that no tap falls between two."""
    xs = [round(SIZE[0] * column / COLUMNS) for column in range(COLUMNS + 1)]
    ys = [round(SIZE[1] * row / ROWS) for row in range(ROWS + 1)]
    return tuple(
        (left, top, right, bottom) for top, bottom in itertools.pairwise(ys) for left, right in itertools.pairwise(xs)
    )


def draw(menu: Menu, media: Path) -> bytes:
    """A PNG. Icons are files of `media`. Raises OSError for an icon that is missing or no picture."""
    picture = Image.new("RGB", SIZE, menu.background)
    drawing = ImageDraw.Draw(picture)
    tile = _tile(menu)
    labels = [area.label.ja for area in menu.areas]
    lines, font = _fit(labels, SIZE[0] // COLUMNS - 2 * (MARGIN + PADDING))
    for box, area, label in zip(boxes(), menu.areas, lines, strict=True):
        picture.paste(tile, box[:2])
        _icon(picture, box, media / area.icon)
        _label(drawing, box, label, font, menu.ink)
    out = BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _tile(menu: Menu) -> Image.Image:
    """One field, without a picture yet. Drawn at twice the size, because Pillow's corners have steps."""
    width, height = SIZE[0] // COLUMNS, SIZE[1] // ROWS
    tile = Image.new("RGB", (2 * width, 2 * height), menu.background)
    ImageDraw.Draw(tile).rounded_rectangle(
        (2 * MARGIN, 2 * MARGIN, 2 * (width - MARGIN), 2 * (height - MARGIN)),
        2 * RADIUS,
        fill="white",
        outline=_between(menu.background, menu.ink, 0.16),
        width=2 * BORDER,
    )
    return tile.resize((width, height), Image.Resampling.LANCZOS)


def _icon(picture: Image.Image, box: Box, file: Path) -> None:
    left, top, right, _ = box
    with Image.open(file) as source:
        icon = source.convert("RGBA").resize((ICON, ICON), Image.Resampling.LANCZOS)
    picture.paste(icon, ((left + right - ICON) // 2, top + 110), icon)


def _label(drawing: ImageDraw.ImageDraw, box: Box, lines: list[str], font: ImageFont.FreeTypeFont, ink: str) -> None:
    left, _, right, bottom = box
    step = round(font.size * 1.16)
    first = bottom - 196 - step * (len(lines) - 1) / 2
    for index, line in enumerate(lines):
        drawing.text(((left + right) / 2, first + index * step), line, fill=ink, font=font, anchor="mm")


def _fit(labels: list[str], width: int) -> tuple[list[list[str]], ImageFont.FreeTypeFont]:
    """The largest type in which every label fits: on one line each, else (rather than in small type) with the long ones
    cut in two. Labels that fit in no type are drawn in the smallest."""
    for sizes, in_two in ((ONE_LINE_SIZES, False), (TWO_LINE_SIZES, True)):
        for font in map(_font, sizes):
            lines = [_halves(label, font) if in_two and font.getlength(label) > width else [label] for label in labels]
            if all(font.getlength(line) <= width for label in lines for line in label):
                return lines, font
    smallest = _font(TWO_LINE_SIZES[-1])
    return [_halves(label, smallest) for label in labels], smallest


def _halves(label: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """Cut where the two are most even, between words where that can be seen: the script changes there."""

    def cost(at: int) -> float:
        widest = max(font.getlength(label[:at].strip()), font.getlength(label[at:].strip()))
        inside_a_word = _script(label[at - 1]) == _script(label[at]) or label[at] in "ーっゃゅょ、。」"
        return widest + (3 * font.size if inside_a_word else 0)

    at = min(range(1, len(label)), key=cost, default=len(label))
    return [label[:at].strip(), label[at:].strip()]


def _script(char: str) -> str:
    """HIRAGANA, KATAKANA, CJK, LATIN ... (the first word of the character's Unicode name)."""
    return unicodedata.name(char, char).partition(" ")[0]


def _font(size: int) -> ImageFont.FreeTypeFont:
    with as_file(files("noto_cjk_sans_jp_bold") / "NotoSansCJKjp-Bold.otf") as path:
        return ImageFont.truetype(path, size)


def _between(start: str, end: str, share: float) -> tuple[int, int, int]:
    pairs = zip(ImageColor.getrgb(start)[:3], ImageColor.getrgb(end)[:3], strict=True)
    red, green, blue = (round(one + (other - one) * share) for one, other in pairs)
    return red, green, blue
