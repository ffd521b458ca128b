"""Who of the clinic's staff may do what: one mapping, for pages and API alike."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """owner: answers for the installation. therapist: treats. assistant: receives and phones."""

    OWNER = "owner"
    THERAPIST = "therapist"
    ASSISTANT = "assistant"


class Action(StrEnum):
    """Something that is allowed or not. Looking and changing are told apart where they differ."""

    OWN_ACCOUNT = "own_account"
    SEE_TODAY = "see_today"
    HANDLE_ALERTS = "handle_alerts"
    SEE_PATIENTS = "see_patients"
    EDIT_PATIENTS = "edit_patients"
    TAKE_OVER = "take_over"
    CLEAR_FLAGS = "clear_flags"
    EXPORT = "export"
    SEE_BOOKINGS = "see_bookings"
    EDIT_BOOKINGS = "edit_bookings"
    SEE_BROADCASTS = "see_broadcasts"
    BROADCAST = "broadcast"
    APPROVE_BROADCAST = "approve_broadcast"
    SEE_OUTCOMES = "see_outcomes"
    SEE_CONTENT = "see_content"
    SET_GATE = "set_gate"
    MANAGE_STAFF = "manage_staff"
    MANAGE_TOKENS = "manage_tokens"
    SEE_AUDIT = "see_audit"


_ASSISTANT = frozenset(
    (
        Action.OWN_ACCOUNT,
        Action.SEE_TODAY,
        Action.HANDLE_ALERTS,
        Action.SEE_PATIENTS,
        Action.EDIT_PATIENTS,
        Action.TAKE_OVER,
        Action.SEE_BOOKINGS,
        Action.EDIT_BOOKINGS,
        Action.SEE_BROADCASTS,
        Action.SEE_CONTENT,
    )
)
_THERAPIST = _ASSISTANT | {
    Action.CLEAR_FLAGS,
    Action.EXPORT,
    Action.BROADCAST,
    Action.APPROVE_BROADCAST,
    Action.SEE_OUTCOMES,
}

_ALLOWED: Mapping[Role, frozenset[Action]] = {
    Role.ASSISTANT: _ASSISTANT,
    Role.THERAPIST: _THERAPIST,
    Role.OWNER: frozenset(Action),
}


def may(role: Role, action: Action) -> bool:
    """Whether somebody of that role may do it."""
    return action in _ALLOWED[role]


SCOPES = (Action.SEE_TODAY, Action.HANDLE_ALERTS, Action.SEE_PATIENTS, Action.SEE_BROADCASTS, Action.BROADCAST)
"""What a program can be allowed with a token. What its holder's role does not allow, the token does not either."""
