"""One spelling for many ways of typing: widths, katakana, long vowels, small kana, emoji, spaces and romaji are folded away.

What is matched is the folded text; `Reading.words` gives back what the person really typed, for the record.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from bot.content.vocabulary import fold

KANA = "ぁ-んァ-ヶ"
JAPANESE = re.compile(rf"[{KANA}一-鿿]")
_LONG = "ー〜~―—–‐‑−"
_QUOTES = "「」『』\"“”‘’'`´*_"
_BRACKETS = "()[]{}<>《》〈〉【】（）"
_CLUSTER = re.compile(r"(?s).[゙゚ﾞﾟ]?")
_SAYS_NOTHING = ("So", "Sk", "Cs", "Cf", "Mn", "Me")
_RANGES = frozenset("0123456789時分月火水木金土日曜")
"""After one of these a dash means "to"; elsewhere it is a long vowel or an ornament."""
_CONTRACTED = re.compile(
    r"(?i)\b(?:legs?|foot|feet|toes?|cal(?:f|ves)|thigh|knee|hip|ankle|back|groin|crotch|bum|bottom|bladder|bowel|skin|head|face|arm"
    r"|hand|chest|heart|breath|belly|tummy|stomach|speech|vision|pain|numbness|pee|wee|urine|poo|temp|temperature|fever|baby|period"
    r"|side|body)(['’‘`´])s\b"
)
"""My leg's numb says that the leg is, not that the legs are; mum's and doctor's are left alone."""
_MARKS = {"❌": "×", "✕": "×", "✖": "×", "🙅": "×", "⭕": "○", "◯": "○"}
_SMALL_VOWELS = {"ぁ": "あかがさざただなはばぱまやらわゃ", "ぃ": "いきぎしじちぢにひびぴみり", "ぅ": "うくぐすずつづぬふぶぷむゆるゅ",
                 "ぇ": "えけげせぜてでねへべぺめれ", "ぉ": "おこごそぞとどのほぼぽもよろをょ"}  # fmt: skip
_ENDS = re.compile(
    r"(?:な[いし]|無し|あり|です|ます|ました|ません|した|った|いる|てる|れる|たい|いて|って|なく|ず|けど|ので|から|ok|[oxO×○])$"
)
"""A space after one of these stands for a comma; other spaces between Japanese letters mean nothing."""


_SPACES = re.compile(r"\s+|\.{2,}|。{2,}|・{2,}|\.")
_STRAY = re.compile(r"(?<=[ぁ-ん一-鿿])([a-z])(?=[ぁ-ん])")
_UNFINISHED = re.compile(r"(?:[はがのにをもとへ、]|(?:両|右|左|片)(?:方の?)?(?:足|脚|あし))$")
"""A line that breaks off after one of these goes on in the next."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`text` is the folded text, `origin[i]` the place in `source` that its i-th character came from."""

    text: str
    origin: tuple[int, ...]
    source: str

    def words(self, start: int, end: int) -> str:
        """What was typed for the folded characters from `start` up to `end`."""
        if start >= end:
            return ""
        first, last = self.origin[start], self.origin[end - 1]
        return self.source[min(first, last) : max(first, last) + 1].strip()


def normalise(text: str) -> str:
    """The folded text alone."""
    return read(text).text


@lru_cache(maxsize=4)
def read(text: str) -> Reading:
    """Fold `text`; if it looks like Japanese in Latin letters, its kana follow on a line of their own. One turn reads a text more than once."""
    pairs = _letters(text)
    pairs = _spaced(pairs)
    pairs = _without_strays(_unstretched(pairs))
    pairs += _kana_of_romaji(pairs)
    return Reading("".join(char for char, _ in pairs), tuple(place for _, place in pairs), text)


Pairs = list[tuple[str, int]]


def _letters(text: str) -> Pairs:
    """Each character in its plain form with its place: NFKC, lower case, hiragana, no emoji, no quotes, no long vowels."""
    pairs: Pairs = []
    previous = ""
    contracted = {match.start(1) for match in _CONTRACTED.finditer(text)}
    for match in _CLUSTER.finditer(text):
        if match.start() in contracted:
            pairs += [(" ", match.start()), ("i", match.start())]
        for char, folded in _plain(match.group()):
            if char == "-" and previous not in _RANGES:
                continue
            if previous in _SMALL_VOWELS.get(char, ()):
                continue
            if folded:
                pairs.append((folded, match.start()))
                previous = char
    return pairs


@lru_cache(maxsize=4096)
def _plain(cluster: str) -> tuple[tuple[str, str], ...]:
    """One letter with its sound mark: its plain form, one sign for each kind of comma, bracket and dash, beside what
    `fold` makes of it; nothing if it says nothing."""
    out = ""
    for char in unicodedata.normalize("NFKC", cluster).lower():
        char = _MARKS.get(char, char)
        if char in _LONG:
            out += "-"
        elif char in _BRACKETS or char in ",，､":
            out += "、"
        elif char in "．。｡":
            out += "。"
        elif char not in _QUOTES and unicodedata.category(char) not in _SAYS_NOTHING:
            out += char
    return tuple((char, fold(char)) for char in out)


def _spaced(pairs: Pairs) -> Pairs:
    """Spaces between Japanese letters go, or become a comma after something said to its end; others shrink to one."""
    out: Pairs = []
    text = "".join(char for char, _ in pairs)
    copied = 0
    for match in _SPACES.finditer(text):
        start, found = match.start(), match.group()
        out += pairs[copied:start]
        copied = match.end()
        before, after = text[max(0, start - 4) : start], text[copied : copied + 1]
        if found.isspace():
            if "\n" in found or "\r" in found:
                if not _UNFINISHED.search(before):
                    out.append(("\n", pairs[start][1]))
            elif before and after and (JAPANESE.match(before[-1]) or JAPANESE.match(after)):
                if _ENDS.search(before):
                    out.append(("、", pairs[start][1]))
            else:
                out.append((" ", pairs[start][1]))
        else:
            digits = before[-1:].isdigit() and after.isdigit()
            first, last = pairs[start][1], pairs[copied - 1][1]
            ends = found == "." or last - first >= len(found)  # "。。" trails off, "。😊。" ends two sentences
            mark = "." if found == "." and digits else "。" if ends else "、"
            out.append((mark, pairs[start][1]))
    return out + pairs[copied:]


def _unstretched(pairs: Pairs) -> Pairs:
    """Three or more of the same letter are one (いたいいいい, helllp), two or more of the same mark too."""
    out: Pairs = []
    for char, run in groupby(pairs, key=lambda pair: pair[0]):
        same = list(run)
        shrinks = len(same) >= 3 or (len(same) == 2 and char in "!?。、-")
        out += same[:1] if shrinks and not char.isdigit() else same
    return out


def _without_strays(pairs: Pairs) -> Pairs:
    """A single Latin letter inside Japanese is a slip of the keyboard (もrれる)."""
    strays = {match.start(1) for match in _STRAY.finditer("".join(char for char, _ in pairs))}
    return [pair for index, pair in enumerate(pairs) if index not in strays]


# --- romaji ------------------------------------------------------------------------------------------------------------

_ROWS = {
    "": "あいうえお", "k": "かきくけこ", "s": "さしすせそ", "t": "たちつてと", "n": "なにぬねの", "h": "はひふへほ",
    "m": "まみむめも", "r": "らりるれろ", "g": "がぎぐげご", "z": "ざじずぜぞ", "d": "だぢづでど", "b": "ばびぶべぼ",
    "p": "ぱぴぷぺぽ",
}  # fmt: skip
_SYLLABLES = {head + vowel: kana for head, row in _ROWS.items() for vowel, kana in zip("aiueo", row, strict=True)}
_SYLLABLES |= {
    "ya": "や",
    "yu": "ゆ",
    "yo": "よ",
    "wa": "わ",
    "wo": "を",
    "shi": "し",
    "chi": "ち",
    "tsu": "つ",
    "fu": "ふ",
    "ji": "じ",
}
_SYLLABLES |= {
    head + glide: kana + small
    for heads, kana in (("ky", "き"), ("sh sy", "し"), ("ch ty", "ち"), ("ny", "に"), ("hy", "ひ"), ("my", "み"), ("ry", "り"),
                        ("gy", "ぎ"), ("j jy zy", "じ"), ("by", "び"), ("py", "ぴ"))
    for head in heads.split()
    for glide, small in (("a", "や"), ("u", "ゆ"), ("o", "よ"))
}  # fmt: skip
_PARTICLES = {"wa": "は", "o": "を", "e": "へ", "ha": "は"}
_SYLLABLE = re.compile(
    "|".join(sorted(_SYLLABLES, key=len, reverse=True)) + r"|n(?![aiueoy])|([bcdfghjkmprstz])(?=\1)|t(?=ch)"
)
_MACRONS = str.maketrans(
    {"ā": "aa", "ī": "ii", "ū": "uu", "ē": "ee", "ō": "ou", "â": "aa", "î": "ii", "û": "uu", "ê": "ee", "ô": "ou"}
)
_ENGLISH = frozenset(
    [
        "the",
        "is",
        "my",
        "have",
        "and",
        "it",
        "you",
        "for",
        "of",
        "please",
        "what",
        "how",
        "with",
        "but",
        "in",
        "was",
        "can",
        "cant",
        "not",
        "dont",
        "do",
        "am",
        "are",
        "at",
        "this",
        "that",
        "when",
        "your",
        "on",
        "im",
        "ive",
        "after",
        "since",
        "from",
        "or",
    ]
)


def kana(word: str) -> str | None:
    """The kana of one romaji word, folded; None if it is not one."""
    out, at = "", 0
    word = word.translate(_MACRONS)
    while at < len(word):
        match = _SYLLABLE.match(word, at)
        if match is None:
            return None
        found = match.group()
        out += _SYLLABLES.get(found) or ("ん" if found == "n" else "つ")
        at = match.end() + (
            found == "n"
            and word[match.end() : match.end() + 1] == "n"
            and word[match.end() + 1 : match.end() + 2] == ""
        )
    return fold(out)


def _kana_of_romaji(pairs: Pairs) -> Pairs:
    text = "".join(char for char, _ in pairs)
    if JAPANESE.search(text):
        return []
    words = list(re.finditer(r"[a-zāīūēōâîûêô]+", text))
    if not words or sum(word.group() in _ENGLISH for word in words) > len(words) // 6:
        return []
    spelt = [_PARTICLES.get(word.group()) or kana(word.group()) for word in words]
    if sum(found is None for found in spelt) > len(words) // 5:
        return []
    out: Pairs = [("\n", pairs[-1][1])]
    at = 0
    for word, found in zip(words, spelt, strict=True):
        out += [("、" if char in "、-" else char, place) for char, place in pairs[at : word.start()] if char != " "]
        out += [(char, pairs[word.start()][1]) for char in found or word.group()]
        at = word.end()
    return out + [pair for pair in pairs[at:] if pair[0] != " "]
