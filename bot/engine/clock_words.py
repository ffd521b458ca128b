"""The grammar of times of day, moments of the day and weekdays, over folded text (see `normal`).

Kana are matched as they come out of folding: small kana are large (じゆう, きゆう).
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from bot.content.vocabulary import fold
from bot.engine.number_words import ENGLISH_NUMBER, KANA_NUMBER, NUMBER, number

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Days = Literal["daily", "weekdays", "weekends"] | tuple[Day, ...]
Anchor = Literal["after_bath", "before_sleep", "after_waking", "noon"]
Half = Literal["am", "pm", "day", "evening", "night", "small"]

DAYS: tuple[Day, ...] = get_args(Day)


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day. Ambiguous: 1 to 12 o'clock with neither morning nor evening said; `hour` is then as it was said."""

    hour: int
    minute: int
    ambiguous: bool = False


# --- times of day -------------------------------------------------------------------------------------------------------

_HALVES: tuple[tuple[Half, str], ...] = (
    ("am", r"午前|ごぜん|(?<![a-z])am(?![a-z])|a[.。]m[.。]?"),
    ("small", r"深夜|しんや|未明|真夜中|夜更け|夜中|よなか"),
    ("am", r"早朝|毎朝|まいあさ|今朝|明朝|朝(?!ご飯|食|起き)|あさ(?!つ)|明け方|in the morning|every morning|mornings?"),
    ("pm", r"午[後后]|ごご|(?<![a-z])pm(?![a-z])|p[.。]m[.。]?|in the afternoon|afternoons?|(?<![a-z])arvo"),
    ("day", r"(?<!after)noon|お昼|昼間|昼(?!寝)|(?<!か)ひる"),
    ("evening", r"夕方|ゆうがた|夕刻|夕"),
    ("night", r"今夜|今晩|毎晩|毎夜|まいばん|こんばん(?!は)|明晩|夜|よる|晩(?!ご飯|御飯)|(?<!こん)ばん(?!に[はわ]|は)|in the evening"
              r"|evenings?|at night|tonight|every night|nights?|(?<![a-z])nite"),
)  # fmt: skip
_HALF = re.compile("|".join(f"(?P<h{index}>{pattern})" for index, (_, pattern) in enumerate(_HALVES)))
_HOUR_JA = rf"(?P<hour>{NUMBER}|{KANA_NUMBER})(?:時(?!間)|(?<=[0-9])字|じ(?!かん|ゆう|ゆ|つ|や))"
_MINUTE_JA = rf"(?:(?P<half>半|はん)|(?P<minute>{NUMBER}|{KANA_NUMBER})(?:分|ふん|ぷん)(?P<before>前|まえ)?(?!後|くらい後|ほど後|ご(?!ろ)))?"
_TIME_JA = re.compile(_HOUR_JA + _MINUTE_JA)
_TIME_COLON = re.compile(r"(?<![0-9:/])(?P<hour>[0-9]{1,2})[:;h](?P<minute>[0-5][0-9])(?![0-9])")
_TIME_BARE = re.compile(
    r"(?:朝|夜|晩|午前|午後|夕方|昼)の?(?P<hour>[0-9]{1,2})(?![0-9:時じ字分%年月日回割つ本個])(?P<minute>(?!))?"
)
"""朝6, 夜の10: the part of the day stands for the word hour."""
_TIME_DIGITS = re.compile(
    r"(?<![0-9:./])(?P<hour>[01][0-9]|2[0-3])(?P<minute>[0-5][05])(?: ?hrs| ?hours)?(?![0-9:./年円歩mk])"
)
"""1900, 2200 hrs. Only on the fives: 1964 is a year."""
_TIME_DOT = re.compile(r"(?<![0-9.])(?P<hour>1?[0-9]|2[0-3])\.(?P<minute>[0-5][05])(?![0-9.])")
_TIME_EN = re.compile(
    rf"(?<![a-z0-9:/])(?:(?P<frac>half past|half|quarter past|quarter to|(?<!from )(?:{ENGLISH_NUMBER}|[0-9]+) (?:minutes )?(?:past|to)) )?"
    rf"(?P<hour>[0-9]{{1,2}}|{ENGLISH_NUMBER}|(?<=past )midnight)(?:[:. ](?P<minute>[0-5][0-9]|{ENGLISH_NUMBER}))?"
    r"(?P<mark> ?(?:oclock|o clock|am|pm|a[.。]m|p[.。]m|sharp|ish|noon|in the (?:morning|evening|afternoon|arvo|night)|at night|tonight|every (?:morning|night|evening))(?![a-z]))?"
)
_NAMED = ((re.compile(r"正午|しようご|お昼(?:ちょうど)?の?12時|昼の?(?:12|十二)時|(?<![a-z])(?:noon|midday)(?![a-z])"), ClockTime(12, 0)),
          (re.compile(r"(?<![a-z])midnight(?![a-z])"), ClockTime(0, 0)))  # fmt: skip
_AT = re.compile(
    r"(?<![a-z])(?:at|for|to|by|around|about|(?:at |in the )?(?:night|morning|evening|arvo|afternoon)|remind(?:er)?(?: time| on| me)?)[、,]? $"
)
_NEAR = 8
_LISTED = re.compile(
    r"(?:ごろ|頃|くらい|ぐらい)?(?:に)?(?:と|か|や|も|、|・|/|&|または|それか|もしくは| ?(?:and|or) ?(?:at )?| )*(?:朝|昼|夜|晩|夕方|午前|午後)?の?(?:in the (?:morning|evening) ?)?"
)
_REASON = re.compile(
    fold(
        r"(?:半)?(?:ごろ|頃|くらい|ぐらい|前|まえ)?(?:に|には|は|が|の|だと|で|から|まで|の?人|も)?(?:はもう|もう|は)?"
        r"(?:寝|ね(?:る|ます|て)|起き|おき(?:る|ます|て)|帰|出(?:る|勤|ます|かけ)|終わ|おわ|始ま|はじま|着|会議|仕事|食事|ご飯|ごはん|夕飯|夕食|お?風呂|だと?(?:早|遅)|無理|むり|だめ|だから|なので|なんで|すぎ|過ぎ|以降|以前|まで|じゃな|ではな|でなく|じゃなく|をやめ|やめて|だった|に来て|に届|に鳴|のやつ|のお?知らせ|の通知|のリマインド)"
        r"|からな(?:ので|んで)|って言"
    )
)
"""What follows a time that is only told of: why, or what has been so far."""
_REQUESTED = re.compile(
    r"(?:ごろ|頃|くらい|ぐらい|ちようど|ぴつたり)?(?:に|で|へ)?、?(?:また|必ず)?(?:教え|おしえ|知らせ|しらせ|お願い|おねがい|頼|通知|リマインド|変え|変更|して|した|送|声|言つ"
    r"|呼|鳴ら|ほし|欲し|希望|が?いい|ずら)"
)
_FROM = re.compile(
    r"(?:\bfrom|\bnot(?: at)?|instead of|rather than|\bafter|(?:get|am|im|got) (?:home|back|up|in)(?: \w+){0,2}) (?:at |about |around |by )*$"
)


def times(text: str) -> tuple[ClockTime, ...]:
    """The time of day that is asked for, or several that are listed, in order, none twice: of times one after the other the
    last, unless it only tells why (8時から9時に, not 7 but 8, 9時に寝るので8時)."""
    found: list[tuple[int, int, ClockTime]] = []
    for pattern in (_TIME_JA, _TIME_COLON):
        for match in pattern.finditer(text):
            if not any(start == match.start() for start, _, _ in found):
                time = _time(match, text)
                found += [(*match.span(), time)] if time else []
    if not found:
        found = [(*match.span(), time) for match in _TIME_EN.finditer(text) if (time := _english_time(match, text))]
    for pattern in () if found else (_TIME_DOT, _TIME_DIGITS, _TIME_BARE):
        found += [(*match.span(), time) for match in pattern.finditer(text) if (time := _time(match, text))]
    if not found:
        found = [(*named.span(), time) for pattern, time in _NAMED if (named := pattern.search(text))]
    return tuple(dict.fromkeys(_asked_for(sorted(found, key=lambda it: it[0]), text)))


def _asked_for(found: list[tuple[int, int, ClockTime]], text: str) -> list[ClockTime]:
    wanted = [it for it in found if not _REASON.match(text, it[1]) and not _FROM.search(text[: it[0]])] or found
    requested = [index for index, it in enumerate(wanted) if _REQUESTED.match(text, it[1])]
    first = last = requested[-1] if requested else len(wanted) - 1
    while first > 0 and _LISTED.fullmatch(text, wanted[first - 1][1], wanted[first][0]):
        first -= 1
    return [time for _, _, time in wanted[first : last + 1]]


def _time(match: re.Match[str], text: str) -> ClockTime | None:
    groups = match.groupdict()
    hour, minute = number(match["hour"]), number(match["minute"]) if match["minute"] else 0
    if groups.get("half"):
        minute = 30
    if hour is None or minute is None or hour > 29 or minute > 59:
        return None
    zero = match["hour"].startswith("0") and len(match["hour"]) == 2
    time = on_clock(hour, minute, "small" if zero and hour < 12 else _half(match.start(), match.end(), text))
    return _earlier(time, minute) if groups.get("before") else time


def _earlier(time: ClockTime, minutes: int) -> ClockTime:
    """`minutes` before the full hour of `time`."""
    total = (time.hour * 60 - minutes) % (24 * 60)
    return ClockTime(total // 60, total % 60, time.ambiguous)


def _english_time(match: re.Match[str], text: str) -> ClockTime | None:
    hour = 0 if match["hour"] == "midnight" else number(match["hour"].strip())
    minute = number(match["minute"].strip()) if match["minute"] else 0
    if hour is None or minute is None or hour > 24 or minute > 59:
        return None
    at = _AT.search(text[: match.start()])
    if not (match["mark"] or match["frac"] or at) or (match["hour"] == "midnight" and not match["frac"]):
        return None
    if at and not match["mark"] and re.match(r" ?(?:min|hour|%|out|days?|weeks?|/)", text[match.end() :]):
        return None
    half = _half(match.start(), match.end(), text)
    frac = match["frac"]
    if frac is None:
        return on_clock(hour, minute, half)
    word, _, way = frac.replace(" minutes", "").rpartition(" ")
    minutes = 30 if frac == "half" else {"half": 30, "quarter": 15}.get(word) or number(word) or 0
    time = on_clock(hour, 0 if way == "to" else minutes, half)
    return _earlier(time, minutes) if way == "to" else time


def _half(start: int, end: int, text: str) -> Half | None:
    """The part of the day that is said with the time: just before it, just after it, or anywhere if it is the only one."""
    marks = [
        (match.start(), match.end(), _HALVES[int((match.lastgroup or "h0")[1:])][0]) for match in _HALF.finditer(text)
    ]
    before = [mark for mark in marks if mark[1] <= start and start - mark[1] <= _NEAR]
    inside = [mark for mark in marks if start <= mark[0] <= end + 2]
    if inside and (not before or text[inside[0][0]].isascii()):
        return inside[0][2]
    if before:
        return before[-1][2]
    halves = {half for _, _, half in marks}
    return marks[0][2] if len(halves) == 1 else None


def on_clock(hour: int, minute: int, half: Half | None) -> ClockTime:
    """The hour as said and the part of the day it was said of, on the 24-hour clock."""
    if hour == 0 or hour > 12:
        return ClockTime(12 if hour == 0 and half in ("pm", "day") else hour % 24, minute)
    match half:
        case None:
            return ClockTime(hour, minute, ambiguous=True)
        case "am":
            return ClockTime(hour % 12, minute)
        case "pm":
            return ClockTime(hour % 12 + 12, minute)
        case "day":
            return ClockTime(hour if hour >= 10 else hour + 12, minute)
        case "evening":
            return ClockTime(hour % 12 + 12, minute)
        case "night":
            return ClockTime(hour % 12 if hour == 12 or hour <= 4 else hour + 12, minute)
        case "small":
            return ClockTime(hour % 12 if hour == 12 or hour <= 9 else hour + 12, minute)


# --- moments without a clock ---------------------------------------------------------------------------------------------

_ANCHORS: tuple[tuple[Anchor, str], ...] = (
    ("after_bath", r"(?:お?風呂|おふろ|ふろ|入浴|湯船|しやわ|シャワー|湯)(?:に(?:入|はい)つた|を?出た|から(?:出|上が|あが)つた|から(?:出|あが|上が)|"
                       r"を?(?:済|すま)ませた|の)?(?:後|あと|のち|上が|あが|出|で?たら|ころ|頃)|ふろあがり|(?:after|had|taken) (?:\w+ ){0,2}(?:bath|shower|tub)\w*|out (?:of )?(?:the |my )?(?:bath|shower|tub)"),
    ("before_sleep", r"(?:寝|ね|眠|ねむ)(?:る|むる)(?:直)?(?:前|まえ)|就寝(?:前|まえ)|寝しな|布団に入る(?:前|とき)|ベッドに入る(?:前|とき)|おやすみ前|"
                         r"before (?:\w+ )?(?:bed\w*|sleep\w*|going to (?:bed|sleep)|i (?:go to )?(?:sleep|bed))|at bedtime|bedtime|lights out|before lights|(?:before|b4) (?:i )?(?:fall a)?sleep"),
    ("after_waking", r"(?:起き|おき|目(?:が|を)?(?:覚|さ)め|めがさめ)(?:て(?:すぐ|から|直後)|た(?:ら|とき|時|後|あと|直後)|がけ|抜け)|"
                         r"起床(?:後|時|したら|の後)|寝起き|朝いち(?:ばん)?|朝一番?|wake ?up (?:time|remind\w*)|(?:when|after|once|as soon as|soon as) (?:i |im |ive )?(?:wak\w+|woken|awake|get up|getting up|up|open my eyes)"),
    ("noon", r"お?昼(?:休み|ごはん|ご飯|食|頃|ごろ|に|の(?:休憩|時間)|どき|時)|ひるやすみ|おひる|ランチ|お昼ちょうど|(?:at|after|over) lunch\w*|lunch ?(?:time|break|hour)"),
)  # fmt: skip


def anchor(text: str) -> Anchor | None:
    """A moment of the day that has no hour: after the bath, before sleep, after waking, noon."""
    return next((name for name, pattern in _ANCHORS if re.search(fold(pattern), text)), None)


# --- days ----------------------------------------------------------------------------------------------------------------

_WEEK = "月火水木金土日"
_RANGE = re.compile(rf"([{_WEEK}])(?:曜日?)?(?:から|-|まで)([{_WEEK}])(?:曜日?)?(?:まで)?")
_NAMED_DAY = re.compile(rf"([{_WEEK}])曜|(げつ|か|すい|もく|きん|ど|にち)よう")
_RUN = re.compile(rf"(?<![{_WEEK}一-鿿])[{_WEEK}](?:[・、/と&]?[{_WEEK}])+(?![本時分月])")
_KANA_DAYS: dict[str, Day] = dict(zip(("げつ", "か", "すい", "もく", "きん", "ど", "にち"), DAYS, strict=True))
_ENGLISH_DAY = re.compile(
    r"(?<![a-z])(mon|tue|wed|thu|fri|sat|sun)(?:s|rs|r|nes|urs|ur)?(?:days?)?(?![a-z])(?: ?(?:to|through|-|thru) ?(mon|tue|wed|thu|fri|sat|sun)[a-z]*)?"
)
_ENGLISH_DAY_NAME = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_EXCEPT = re.compile(
    rf"(?P<ja>(?:(?:[{_WEEK}]曜日?|土日祝?|週末|平日|休日)(?:、|・|と|や|か)?)+)(?:だけ)?(?:を|は|が)?"
    r"(?:以外|除|のぞ|抜|ぬい|要ら|いら[なん]|置いと|置いて|無理|むり|なしで|やめて)"
    rf"|(?<![一-鿿0-9])(?P<bare>[{_WEEK}](?:[・と、]?[{_WEEK}])*)(?:だけ)?を?(?:以外|除|抜)"
    rf"|(?<![a-z])(?:except|but not|but|bar|apart from|other than|excluding|excl|minus|not (?:on|at)) (?:for |on |at )?(?:the )?"
    rf"(?P<en>(?:{_ENGLISH_DAY_NAME}|weekends?|weekdays?)(?:(?: and | or |、 ?| )(?:{_ENGLISH_DAY_NAME}|weekends?))*)"
)
"""Days that are left out. A single letter is a day here only before a word like "except": お金は要らない, 今日は無理."""
_ENGLISH_RANGE = re.compile(r"(?<![a-z])(mon|tue|wed|thu|fri|sat|sun)(mon|tue|wed|thu|fri|sat|sun)(?![a-z])")
"""mon-fri: folding takes the dash away."""
_SETS: tuple[tuple[Days, re.Pattern[str]], ...] = (
    ("weekdays", re.compile(fold(r"平日(?!も(?:休日|週末|土日)も)|へいじつ|ウィークデー|(?:仕事|会社|出勤|学校)(?:が|の)?ある?(?:日|ひ)|(?<![a-z])(?:weekdays?|workdays?|working days?|week days?)(?![a-z])"))),
    ("weekends", re.compile(fold(r"(?<!平日も)(?:土日|週末|休日)|しゆうまつ|どにち|(?:お)?休みの日|(?<![a-z])weekends?(?![a-z])"))),
    ("daily", re.compile(r"平日も(?:休日|週末|土日)も|一週間ずつと|(?:seven|7) days a week|evry ?day|(?:一|1)日(?:一|1)回|all days(?! (?:but|except|bar))|every nite|毎(?:日|晩|朝|夜|夕)|まい(?:にち|ばん|あさ)|日々|(?<![a-z])(?:every ?(?:day|night|morning|evening|single day)|daily|nightly|each (?:day|night|morning|evening))(?![a-z])")),
)  # fmt: skip

_ONLY: tuple[tuple[Days, re.Pattern[str]], ...] = (
    ("weekdays", re.compile(r"平日(?:だけ|のみ)|only (?:on |the )?weekdays|weekdays only")),
    ("weekends", re.compile(r"(?:土日|週末)(?:だけ|のみ)(?!は)|only (?:on |the |at )?weekends?|weekends? only")),
)


def days(text: str) -> Days | None:
    """The days that are said; None if none are. What is taken out counts as all the others (日曜以外, every day but Sunday)."""
    text = _ENGLISH_RANGE.sub(r"\1 to \2", text)
    for only, pattern in _ONLY:
        if pattern.search(text):
            return only
    left_out: set[Day] = set()
    for match in _EXCEPT.finditer(text):
        left_out |= {DAYS[_WEEK.index(char)] for char in match["bare"] or "" if char in _WEEK}
        left_out |= _all_days(match["ja"] or match["en"] or "")
    rest = _EXCEPT.sub(" ", text)
    named = _named_days(rest)
    if left_out:
        named = (named or _set_days(rest) or set(DAYS)) - left_out
    if named == set(DAYS):
        return "daily"
    if named:
        return "weekends" if named == {"sat", "sun"} else tuple(day for day in DAYS if day in named)
    return _named_set(rest)


def _all_days(text: str) -> set[Day]:
    return _named_days(text) or _set_days(text)


def _named_set(text: str) -> Days | None:
    return next((name for name, pattern in _SETS if pattern.search(text)), None)


def _set_days(text: str) -> set[Day]:
    match _named_set(text):
        case "weekends":
            return {"sat", "sun"}
        case "weekdays":
            return set(DAYS) - {"sat", "sun"}
        case _:
            return set()


def _named_days(text: str) -> set[Day]:
    found: set[Day] = set()
    for first, last in _RANGE.findall(text):
        found |= _between(DAYS[_WEEK.index(first)], DAYS[_WEEK.index(last)])
    for kanji, kana in _NAMED_DAY.findall(text):
        found.add(DAYS[_WEEK.index(kanji)] if kanji else _KANA_DAYS[kana])
    for match in _RUN.finditer(text):
        found |= {DAYS[_WEEK.index(char)] for char in match.group() if char in _WEEK}
    for match in _ENGLISH_DAY.finditer(text):
        first_day: Day = next(day for day in DAYS if day == match[1])
        found |= _between(first_day, next(day for day in DAYS if day == match[2])) if match[2] else {first_day}
    return found


def _between(first: Day, last: Day) -> set[Day]:
    start, end = DAYS.index(first), DAYS.index(last)
    return {DAYS[index % 7] for index in range(start, (end if end >= start else end + 7) + 1)}
