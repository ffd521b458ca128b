"""What Slack accepts, and how we count. Each limit names the page of Slack's documentation (docs.slack.dev) that it comes
from. Lengths are counted in UTF-16 code units, after escaping: Slack says "characters", and this is never less."""

# "Block Kit: Blocks": blocks in a message (modals and Home tabs take 100).
BLOCKS = 50
VIEW_BLOCKS = 100
# "Section block", text.
SECTION = 3_000
# "Header block", text.
HEADER = 150
# "Context block", elements; their text is a text object ("Text object": 3,000).
CONTEXT = 3_000
# "Input block", label.
INPUT_LABEL = 2_000
# "Image block", image_url, alt_text.
PICTURE_URL = 3_000
ALT_TEXT = 2_000
# "Actions block", elements.
ELEMENTS = 25
# "Button element", text, value, url.
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
BUTTON_URL = 3_000
# "Radio button group element", options; "Option object", text, value.
RADIO_OPTIONS = 10
# "Select menu element", options.
SELECT_OPTIONS = 100
# "Modal view", title, submit.
MODAL_TITLE = 24
OPTION_TEXT = 75
OPTION_VALUE = 150
# "Block Kit: Blocks", block_id.
BLOCK_ID = 255
# "chat.postMessage", "Truncating content": 4,000 characters are best, more than 40,000 are cut. Here it is what a
# notification and a screen reader say; the blocks carry the message.
FALLBACK = 4_000

# "Rate limits", chat.postMessage: one message a second per channel, "short bursts" aside, ...
SECONDS_BETWEEN_MESSAGES = 1.0
# ... and "several hundred messages per minute" per workspace: this makes 240.
MESSAGES_PER_SECOND = 4
# What may leave at once after a pause; ours.
BURST = 16
# "Handling user interaction", "Responding to commands": a response_url may be used for 30 minutes.
RESPONSE_URL_SECONDS = 30 * 60
# "Verifying requests from Slack": a timestamp more than five minutes away may be a replay.
CLOCK_SECONDS = 5 * 60

SENTENCE_ENDS = ("。", "！", "？", "!", "?", ". ", "\n")


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escape(text: str) -> str:
    """For mrkdwn ("Formatting text: Escaping text"): nothing in it can become a link, a mention or a command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pieces(text: str, limit: int) -> tuple[str, ...]:
    """The text, escaped, in as many pieces of at most `limit` as it takes, parted at ends of sentences where there are
    some. Nothing is lost but blanks at the seams."""
    found: list[str] = []
    rest = text.strip()
    while units(escape(rest)) > limit:
        room = _beginning(rest, limit)
        end = max(room.rfind(mark) + len(mark) for mark in SENTENCE_ENDS)
        cut = end if end > len(room) // 2 else _whole(rest, len(room))
        found.append(escape(rest[:cut].strip()))
        rest = rest[cut:].strip()
    return (*found, escape(rest)) if rest else tuple(found)


def cut(text: str, limit: int) -> str:
    """The text itself, not escaped, when it fits; else its beginning and an ellipsis."""
    if units(text) <= limit:
        return text
    room = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    return text[: _whole(text, len(room))].rstrip() + "…"


def _beginning(text: str, limit: int) -> str:
    """As many characters as fit when escaped."""
    size = 0
    for index, char in enumerate(text):
        size += units(escape(char))
        if size > limit:
            return text[:index]
    return text


def _whole(text: str, end: int) -> int:
    """`end`, moved back so that no emoji made of several characters is parted."""
    at = end
    while 0 < at < len(text) and (_joins(text[at]) or text[at - 1] == "\u200d"):
        at -= 1
    return at or end


def _joins(char: str) -> bool:
    """Whether it belongs to the character before it: joiner, variation selector, skin tone, combining mark, tag."""
    code = ord(char)
    return (
        char in "\u200d\u20e3"
        or 0xFE00 <= code <= 0xFE0F
        or 0x1F3FB <= code <= 0x1F3FF
        or 0x0300 <= code <= 0x036F
        or 0xE0020 <= code <= 0xE007F
    )
