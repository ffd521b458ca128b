"""Numbers in digits, kanji, kana and English, over folded text (see `normal`): small kana are large there (じゆう, きゆう)."""

import re

_KANJI = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_KANA_ONES = {
    "いち": 1, "いつ": 1, "に": 2, "さん": 3, "よん": 4, "よ": 4, "し": 4, "ご": 5, "ろく": 6, "ろつ": 6, "なな": 7,
    "しち": 7, "はち": 8, "はつ": 8, "きゆう": 9, "きゆ": 9, "く": 9,
}  # fmt: skip
_ENGLISH_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_ENGLISH_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_ENGLISH = {word: value for value, word in enumerate(_ENGLISH_ONES)} | _ENGLISH_TENS
_ONES = "|".join(sorted(_KANA_ONES, key=len, reverse=True))
KANA_NUMBER = rf"(?:(?:{_ONES})?じ(?:ゆう|ゆ|ゆつ|つ)(?:{_ONES})?|{_ONES}|ぜろ|れい)"
ENGLISH_NUMBER = rf"(?:(?:{'|'.join(_ENGLISH_TENS)})[ -]?(?:{'|'.join(_ENGLISH_ONES[1:10])})?|{'|'.join(sorted(_ENGLISH, key=len, reverse=True))})"
NUMBER = r"(?:[0-9]+|[〇零一二三四五六七八九十]+)"


def number(text: str) -> int | None:
    """The value of digits, kanji, kana or English number words; None if it is no number."""
    if text.isascii() and text.isdigit():
        return int(text)
    if text in ("ぜろ", "れい", "zero"):
        return 0
    if re.fullmatch(r"[〇零一二三四五六七八九十]+", text):
        return _kanji(text)
    if text in _ENGLISH:
        return _ENGLISH[text]
    tens, _, ones = text.replace("-", " ").partition(" ")
    if tens in _ENGLISH_TENS and ones in _ENGLISH:
        return _ENGLISH[tens] + _ENGLISH[ones]
    return _kana(text)


def _kanji(text: str) -> int | None:
    tens, ten, ones = text.partition("十")
    if not ten:
        return int("".join(str(_KANJI[char]) for char in text))
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return None
    return _KANJI.get(tens, 1) * 10 + _KANJI.get(ones, 0)


def _kana(text: str) -> int | None:
    match = re.fullmatch(rf"({_ONES})?(じ(?:ゆう|ゆ|ゆつ|つ))({_ONES})?", text)
    if match:
        return _KANA_ONES.get(match[1] or "", 1) * 10 + _KANA_ONES.get(match[3] or "", 0)
    return _KANA_ONES.get(text)
