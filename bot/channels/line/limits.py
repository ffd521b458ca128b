"""What LINE accepts, and how it counts. Each limit names the page of LINE's documentation that it comes from."""

import unicodedata
from collections.abc import Iterator

# Messaging API reference, "Text message".
TEXT_UNITS = 5_000
# Messaging API reference, "Send reply message", "Send push message".
OBJECTS_PER_CALL = 5
# Messaging API reference, "Send multicast message".
MULTICAST_ADDRESSES = 500
# Messaging API reference, "Rate limits": 2,000 calls a second for sending (multicast alone 200).
CALLS_PER_SECOND = 2_000
# Messaging API reference, "Quick reply".
QUICK_REPLIES = 13
# Messaging API reference, "Action objects", label: 20 is the tightest (quick replies, rich menus).
LABEL_CLUSTERS = 20
# Messaging API reference, "Postback action".
DISPLAY_TEXT_CLUSTERS = 300
POSTBACK_DATA = 300
# Messaging API reference, "URI action".
URI = 1_000
# Messaging API reference, "Image message", "Image" (Flex): characters of the percent-encoded address.
PICTURE_URL = 2_000
# Messaging API reference, "Flex Message": altText, bubble and carousel.
ALT_TEXT_UNITS = 1_500
BUBBLE_BYTES = 30_000
CAROUSEL_BYTES = 50_000
CAROUSEL_BUBBLES = 12
# Messaging API reference, "Rich menu object", "Upload rich menu image".
CHAT_BAR_CLUSTERS = 14
MENU_NAME_CLUSTERS = 300
MENU_PICTURE_BYTES = 1_000_000
# "Messaging API: use webhooks, reply tokens": valid for a minute after the webhook; the rest is a margin for the way.
REPLY_TOKEN_SECONDS = 50

SENTENCE_ENDS = ("。", "！", "？", "!", "?", ". ", "\n")
_JOINER = "\u200d"


def units(text: str) -> int:
    """Length in UTF-16 code units, as LINE counts texts (page "Character counting in a text")."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clusters(text: str) -> int:
    """Length in grapheme clusters, as LINE counts labels and display texts (same page). Never less than the true
    number; a few rare scripts are counted a little high."""
    return sum(1 for _ in _cluster_starts(text))


def cut_to_units(text: str, limit: int) -> str:
    """The text itself when it fits, else its beginning up to the end of a sentence (of a character when the sentence
    ends are too far back), and an ellipsis."""
    if units(text) <= limit:
        return text
    room = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    sentence = max(room.rfind(mark) for mark in SENTENCE_ENDS) + 1
    whole = max((start for start in _cluster_starts(text) if start <= len(room)), default=0)
    return text[: sentence if sentence > len(room) // 2 else whole].rstrip() + "…"


def cut_to_clusters(text: str, limit: int) -> str:
    """The text itself when it fits, else its beginning and an ellipsis."""
    starts = list(_cluster_starts(text))
    return text if len(starts) <= limit else text[: starts[limit - 1]].rstrip() + "…"


def _cluster_starts(text: str) -> Iterator[int]:
    """Where grapheme clusters begin: UAX 29 without Hangul parts and Indic conjuncts."""
    before = ""
    flags = 0
    for index, char in enumerate(text):
        flags = flags + 1 if _is_flag_half(char) else 0
        joined = (
            _extends(char)
            or (before == _JOINER and unicodedata.category(char) == "So")
            or (flags > 0 and flags % 2 == 0)
            or (before == "\r" and char == "\n")
        )
        if index == 0 or not joined:
            yield index
        before = char


def _extends(char: str) -> bool:
    skin_tone = "\U0001f3fb" <= char <= "\U0001f3ff"
    tag = "\U000e0020" <= char <= "\U000e007f"
    return char == _JOINER or skin_tone or tag or unicodedata.category(char) in ("Mn", "Me", "Mc")


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
