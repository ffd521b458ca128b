"""A word of the patient's own on the session that has just ended. It has been through the safety net before it comes here."""

from datetime import timedelta

from bot.engine import commands
from bot.engine.draft import Draft
from bot.engine.state import KeepNote


def take(draft: Draft, text: str, message_id: str) -> bool:
    """Keeps the text with the session. False when no session ended lately, or something else is being asked."""
    state, rules = draft.state, draft.content.programme
    lately = draft.since(state.programme.reported_at) < timedelta(minutes=rules.note_minutes)
    if not lately or state.waiting is not None or state.lock is not None:
        return False
    draft.change(misses=0)
    draft.do(KeepNote(text, message_id))
    commands.aside(draft, draft.text(rules.noted))
    return True
