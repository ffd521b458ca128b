"""The grammar of lengths of time and of the pain number, over folded text (see `normal`)."""

import re
from collections.abc import Iterator

from bot.engine.number_words import ENGLISH_NUMBER, KANA_NUMBER, NUMBER, number

_HOURS = re.compile(
    rf"({NUMBER}|{KANA_NUMBER})(?:時間|じかん)(半|はん)?|(?<![0-9一二三四五六七八九十])(半時間|はんじかん|小一時間)"
)
_MINUTES = re.compile(rf"({NUMBER}|{KANA_NUMBER})(?:分|ふん|ぷん|pun|fun)(?!の[0-9一二三]|け|か|だけ(?!待|まつ))")
_HOURS_EN = re.compile(
    rf"(?<![a-z])(half an? hour|half hour|quarter of an hour|an hour and a half|(?:an|[0-9]+|{ENGLISH_NUMBER}) ?(?:hours?|hrs?|h)(?: and a half)?)(?![a-z])"
)
_MINUTES_EN = re.compile(rf"(?<![a-z0-9])([0-9]+|{ENGLISH_NUMBER}) ?(?:more )?(?:minutes?|mins?|m)(?![a-z])")
_IN_EN = re.compile(
    rf"(?<![a-z])(?:ping|ask|remind|try|nudge|prompt|tell|message|poke|text|hit) me (?:up )?(?:again )?(?:in|after) ([0-9]+|{ENGLISH_NUMBER})(?= |$|。|、|!)(?! ?(?:hours?|hrs?|h|days?|weeks?)(?![a-z]))"
)
"""Ping me in 15: minutes, as nobody means hours."""
_HOURS_AND = re.compile(r"(?<![0-9a-z])([0-9]) ?h ?([0-5][0-9])(?![0-9])")
_SNOOZE_EN = re.compile(r"(?<![a-z])snooze(?: for| me)? ([0-9]+)(?![0-9:])")


def minutes(text: str) -> int | None:
    """The length of time that is said, in minutes; None if none is."""
    hours = _hours(text)
    for pattern in (_IN_EN, _MINUTES, _MINUTES_EN, _SNOOZE_EN):
        found = pattern.search(text)
        value = number(found[1].strip()) if found else None
        if value is not None:
            return (hours or 0) + value
    return hours


def _hours(text: str) -> int | None:
    """Whole and half hours, in minutes."""
    found = _HOURS.search(text)
    if found and found[3]:
        return 30 if "半" in found[3] or "はん" in found[3] else 60
    if found:
        return 60 * (number(found[1]) or 0) + (30 if found[2] else 0)
    both = _HOURS_AND.search(text)
    if both:
        return 60 * int(both[1]) + int(both[2])
    english = _HOURS_EN.search(text)
    if english is None:
        return None
    words = english[1]
    if words.startswith("half"):
        return 30
    if words.startswith("quarter"):
        return 15
    digits = re.match(r"[0-9]+", words)
    whole = int(digits[0]) if digits else number(words.split()[0]) or 1
    return 60 * whole + (30 if "and a half" in words else 0)


_SCALE = re.compile(
    rf"(?:{NUMBER}|じゆつ|じゆう)段階(?:中|で(?:言う|いう)?(?:と)?|の(?:うち|中))?|(?:一番|いちばん|最悪|最大|max)[^。0-9]{{0,10}}?(?:10|十)(?:として|としたら|とする|とすると|だと|なら|と)?|10点満点(?:中|で|の)?|10(?:中|のうち)|0(?:から|-|~)10(?:で|の)?|out(?:ta| of) (?:10|ten)|/ ?10|on a scale of (?:0|1) to 10|scale"
)
_VALUE = re.compile(
    r"(?<![0-9.:])(?:10|[0-9]|十|[〇零一二三四五六七八九](?![〇一二三四五六七八九十つ人日月時番緒回度]))(?![0-9.:]|時|分|回|日|月|年|週|か月|ヶ月|人|歩|cm|kg|キロ|歳|度|%|本|枚|階|件|個|セット|着|つ|番|つ目|m)"
)
_NOT_NOW = re.compile(
    r"(?:昨日|きのう|昨晩|前回|先週|さつき|今朝|以前|前|一昨日|おととい|朝|yesterday|was|from)(?:は|の|が|まで|から)?[^。0-9]{0,4}$"
)
_WORDS = {"ぜろ": 0, "ゼロ": 0, "zero": 0, "none": 0}
_BARE = re.compile(
    rf"^(?:たぶん|多分|今日?は?|いま|痛み?は?|まあ|だいたい|約|うん、)*({KANA_NUMBER}|{ENGLISH_NUMBER})(?:くらい|ぐらい|ほど|です|かな|だ|で|や|点|、|。|かも|けど|ね|よ|ですね|程度|に|します|out of ten|out of 10| |!)*$"
)


def pain(text: str) -> int | None:
    """The number from 0 to 10 that the text gives for the pain of now; of several, the last that is not of the past."""
    rest = _SCALE.sub(lambda found: "＿" * len(found.group()), text)
    values = [match for match in _VALUE.finditer(rest) if not _NOT_NOW.search(rest[: match.start()])]
    if values:
        return number(values[-1].group())
    named = re.search(r"ぜろ|(?<![a-z])zero(?![a-z])", text)
    if named:
        return 0
    bare = _BARE.match(text.strip())
    value = number(bare[1].strip()) if bare else None
    if value is None:
        spoken = re.search(
            rf"(?<![a-z])({ENGLISH_NUMBER}) ?(?:out of|＿)|(?:level|pain(?: is|s| at)?|its|its at|about|around) ({ENGLISH_NUMBER})(?![a-z])",
            rest,
        )
        value = number(spoken[1] or spoken[2]) if spoken else None
    return value if value is not None and value <= 10 else None


_ANY = re.compile(
    rf"(?<![a-z0-9.])(?<![0-9]:)(?P<en>{ENGLISH_NUMBER}|[0-9]+)(?:ish)?(?![a-z0-9:%]|時|分|日|月|年|回|歳|人)"
    r"|(?P<kanji>[〇零一二三四五六七八九十])(?![日月時人本個階回年番緒度一二三四五六七八九十])"
    rf"|(?:^|[はがの、。! ])(?P<kana>{KANA_NUMBER})(?=くらい|ぐらい|い?です|てん|かな|や|、|。|!| |$)"
)
_TOP = re.compile(r"(?<![a-z])(?:if )?(?:ten|10) (?:is|being|would be) |(?:of|in) (?:ten|10)(?![a-z0-9])")
"""The end of the scale."""
_NONE = re.compile(
    r"(?<![a-z])(?:nil|nought|zilch|no pain|pain ?free|not a (?:scrap|bit) of pain)(?![a-z])|痛み(?:は|も)?(?:ぜろ|全くな|まつたくな)"
)


def any_pain(text: str) -> int | None:
    """As `pain`, of a text that is known to tell it: any number from 0 to 10, the last that is neither of the past nor the
    end of the scale."""
    value = pain(text)
    if value is not None:
        return value
    rest = _SCALE.sub(lambda found: "＿" * len(found.group()), text)
    rest = _TOP.sub("＿ ", rest)
    for said, past in ((rest, False), (rest, True), (text, True)):
        known = [value for value in _numbers(said, past) if value <= 10]
        if known:
            return known[-1]
    return 0 if _NONE.search(text) else None


def _numbers(text: str, past: bool) -> Iterator[int]:
    """Every number; those of the past only if asked for."""
    for match in _ANY.finditer(text):
        value = number((match["en"] or match["kanji"] or match["kana"]).strip())
        if value is not None and (past or not _NOT_NOW.search(text[: match.start()])):
            yield value
