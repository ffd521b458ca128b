"""A routine: offered, begun, and gone through one step at a time."""

from datetime import timedelta

from bot.content.conditions import number
from bot.content.model import Routine, Step
from bot.engine import course, exercises, reminder_words
from bot.engine.draft import Draft
from bot.engine.screen import PAIN, modifiers
from bot.engine.state import Clearance, Guiding, StartSession
from bot.messages import Card, Choice, PickToken, Picture

ROUTINE = "routine"
"""Marks the buttons of a routine: `routine/<routine>/<step>`, where a question's are `<flow>/<node>`."""

BEGIN = "begin"


def offer(draft: Draft, routine: Routine) -> None:
    """Shows a routine and gives leave to begin it for a while. The caller has made sure that it may be shown."""
    limits = modifiers(draft.content, draft.state, draft.facts)
    short = "short" in limits
    draft.change(clearance=Clearance(routine.id, "hands_only" in limits, short, draft.now))
    draft.say(
        Card(
            title=draft.text(routine.title),
            text=draft.text(routine.why),
            lines=tuple(draft.text(w) for w in routine.before),
            note=draft.text(routine.stop),
            picture=_picture(draft, routine.step[0]),
            choices=(begin_choice(draft, routine),),
            tone="routine",
        )
    )
    draft.quick(*reminder_words.again(draft))


def begin_choice(draft: Draft, routine: Routine) -> Choice:
    """The button that begins it, good while the clearance lasts."""
    label = draft.text(draft.content.phrases.routine_start)
    token = PickToken(draft.turn, f"{ROUTINE}/{routine.id}/{BEGIN}", BEGIN)
    return Choice(label, token=token, style="main")


def cleared(draft: Draft, name: str) -> bool:
    """Whether this routine may be begun now: leave was given, lately, and nothing has come up since."""
    clearance = draft.state.clearance
    if clearance is None or clearance.routine != name or draft.state.lock is not None:
        return False
    span = timedelta(minutes=draft.content.safety.freshness.clearance_minutes)
    return draft.since(clearance.at) < span and name in draft.content.routines


def enough_today(draft: Draft, routine: Routine) -> bool:
    """Whether it was begun as often today (local day) as it should be."""
    zone = draft.zone
    today = draft.now.astimezone(zone).date()
    return sum(at.astimezone(zone).date() == today for at in draft.state.recent_sessions) >= routine.per_day


def begin(draft: Draft, routine: Routine) -> None:
    """The first step. Uses up the clearance."""
    clearance = draft.state.clearance
    assert clearance is not None
    course.begun(draft)
    steps = tuple(
        s.id
        for s in (*routine.step, *exercises.fitting(draft, routine))
        if not (clearance.hands_only and s.tool == "ball")
    )
    draft.change(
        clearance=None,
        misses=0,
        waiting=Guiding(routine.id, steps, 0, clearance.short, draft.turn, draft.now),
        recent_sessions=(*draft.state.recent_sessions, draft.now)[-30:],
    )
    draft.do(StartSession(routine.id, number(draft.state.answers.get(PAIN))))
    show(draft)


def forward(draft: Draft, waiting: Guiding) -> bool:
    """The next step; False when there is none left."""
    if waiting.index + 1 >= len(waiting.steps):
        return False
    draft.change(
        misses=0,
        waiting=Guiding(waiting.routine, waiting.steps, waiting.index + 1, waiting.short, draft.turn, waiting.since),
    )
    show(draft)
    return True


def late(draft: Draft, waiting: Guiding) -> bool:
    """Whether it was begun so long ago that today's card comes first."""
    return draft.since(waiting.since) >= timedelta(minutes=draft.content.safety.freshness.clearance_minutes)


def under_way(draft: Draft) -> Guiding | None:
    """The routine that may be gone on with now; None without one, and while anything serious is open."""
    waiting = draft.state.waiting
    if not isinstance(waiting, Guiding) or draft.state.lock is not None:
        return None
    return waiting if known(draft, waiting) and not late(draft, waiting) else None


def known(draft: Draft, waiting: Guiding) -> bool:
    """Whether content still has this routine and every step of it."""
    routine = draft.content.routines.get(waiting.routine)
    return routine is not None and set(waiting.steps) <= {s.id for s in (*routine.step, *routine.after)}


def show(draft: Draft) -> None:
    """The card of the present step."""
    waiting = draft.state.waiting
    assert isinstance(waiting, Guiding)
    routine = draft.content.routines[waiting.routine]
    name = waiting.steps[waiting.index]
    step = next(s for s in (*routine.step, *routine.after) if s.id == name)
    is_after = step in routine.after
    phrases = draft.content.phrases
    last = waiting.index + 1 == len(waiting.steps)
    following = phrases.routine_done if last else phrases.routine_next
    choices = [_choice(draft, waiting, "next", draft.text(following), main=True)]
    if step.tool == "ball" or is_after:
        choices.append(_choice(draft, waiting, "next", draft.text(phrases.routine_skip)))
    if draft.facts.pages and waiting.index == 0:
        choices.append(Choice(draft.text(phrases.routine_page), page="player"))
    choices.append(_choice(draft, waiting, "hurts", draft.text(phrases.routine_hurts)))
    choices.append(_choice(draft, waiting, "stop", draft.text(phrases.routine_stop)))
    heading = draft.text(phrases.after_title) + " " if is_after else ""
    draft.say(
        Card(
            title=heading + draft.text(step.title),
            text=draft.text(step.text),
            note=_clock(draft, step, waiting.short),
            picture=_picture(draft, step),
            progress=(waiting.index + 1, len(waiting.steps)),
            choices=tuple(choices),
            tone="routine",
        )
    )


def _choice(draft: Draft, waiting: Guiding, option: str, label: str, main: bool = False) -> Choice:
    token = PickToken(waiting.turn, key(waiting), option)
    return Choice(label, token=token, style="main" if main else "plain")


def key(waiting: Guiding) -> str:
    """What the buttons of the present step carry."""
    return f"{ROUTINE}/{waiting.routine}/{waiting.steps[waiting.index]}"


def seconds(step: Step, short: bool) -> int:
    """How long one side is worked on; 0 when no clock runs."""
    return step.seconds_short if short and step.seconds_short is not None else step.seconds


def _clock(draft: Draft, step: Step, short: bool) -> str:
    time = seconds(step, short)
    if time == 0:
        return ""
    phrases = draft.content.phrases
    wording = phrases.routine_each_side if step.side == "each" else phrases.routine_seconds
    return draft.text(wording, {"seconds": str(time)})


def _picture(draft: Draft, step: Step) -> Picture:
    return Picture(step.picture.file, draft.text(step.picture.alt))
