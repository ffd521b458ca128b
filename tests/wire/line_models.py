"""Holds what we would send against the SDK's models of it."""

from collections.abc import Mapping, Sequence

from linebot.v3.messaging import Message as SdkMessage
from linebot.v3.messaging import MulticastRequest, PushMessageRequest, ReplyMessageRequest

from bot.channels.line.flex import JsonObject, JsonValue

REQUESTS = {"reply": ReplyMessageRequest, "push": PushMessageRequest, "multicast": MulticastRequest}


def assert_known_to_the_sdk(message: JsonObject) -> None:
    """The SDK reads the message object and knows every property in it."""
    _assert_kept(message, SdkMessage.from_dict(message).to_dict(), "message")


def assert_valid_request(endpoint: str, body: JsonObject) -> None:
    """The SDK reads the whole request body and knows every property in it."""
    _assert_kept(body, REQUESTS[endpoint].from_dict(body).to_dict(), endpoint)


def _assert_kept(ours: JsonValue, theirs: object, where: str) -> None:
    if isinstance(ours, Mapping):
        assert isinstance(theirs, Mapping), where
        assert set(ours) <= set(theirs), f"{where}: the SDK does not know {set(ours) - set(theirs)}"
        for name, value in ours.items():
            _assert_kept(value, theirs[name], f"{where}.{name}")
    elif isinstance(ours, Sequence) and not isinstance(ours, str):
        assert isinstance(theirs, Sequence), where
        assert len(ours) == len(theirs), where
        for index, (value, their) in enumerate(zip(ours, theirs, strict=True)):
            _assert_kept(value, their, f"{where}[{index}]")
    else:
        assert ours == theirs, where
