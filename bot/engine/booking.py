"""Appointments as the patient talks about them: looked for, made, changed, cancelled, waited for. The question that waits
goes on waiting."""

import re
import unicodedata
from dataclasses import replace
from datetime import date, timedelta

from bot.engine import advice, booking_words, wishes
from bot.engine.booking_words import button, say
from bot.engine.diary import (
    Appointment,
    Book,
    Diary,
    Free,
    JoinList,
    KeepPhone,
    LeaveList,
    MoveBooking,
    NoteBooking,
    Part,
    SettleBooking,
    SettleNudge,
    Standing,
    Telling,
)
from bot.engine.draft import Draft
from bot.engine.state import Lock
from bot.messages import Card, Command, Disposition

TELL_MINUTES = 30
"""So long after "add a wish" a text is taken for it."""

CREDIT_DAYS = 14
"""So long an appointment counts as the outcome of the nudge before it."""

WISH_MAX = 500
"""Characters of a wish that are kept: what fits the therapist's page."""

_PHONE = re.compile(r"(?:\+81|0)\d{9,10}")
_NOT_A_WISH = frozenset((Command.STOP, Command.ERASE, Command.HUMAN, Command.CHANGE_BOOKING, Command.CANCEL_BOOKING))
"""Commands that are obeyed even while a wish is waited for."""


def here(draft: Draft) -> bool:
    """Whether assessments are booked in this chat."""
    return draft.content.clinic.booking.mode != "elsewhere"


# --- what the patient asks for ----------------------------------------------------------------------------------------


def menu(draft: Draft) -> None:
    """Their appointment, their place on the waiting list, or the free days. Never in place of a doctor."""
    if (diary := _may(draft)) is None:
        return
    mine = current(diary)
    if mine is not None:
        head = (
            draft.content.booking.mine_requested if mine.status == "requested" else draft.content.booking.mine_confirmed
        )
        booking_words.shown(draft, mine, head, *booking_words.ways(draft))
        _extras(draft, diary, mine, mine)
    elif (held := _held(draft, diary)) is not None:
        offer(draft, held)
    elif diary.on_list:
        keep = button(draft, "list_keep", "list", "keep")
        say(draft, draft.content.booking.on_list, keep, button(draft, "leave_list", "list", "leave"))
    else:
        _days(draft, diary, 0)


def change(draft: Draft) -> None:
    """Another time for their appointment."""
    if (diary := draft.diary()) is None:
        return
    mine = current(diary)
    if mine is None:
        menu(draft)
    elif _in_time(draft, diary, mine):
        _days(draft, diary, 0)


def cancel(draft: Draft) -> None:
    """Asks once more. This is possible while anything else waits or is locked."""
    if (diary := draft.diary()) is None:
        return
    mine = current(diary)
    if mine is not None:
        if _in_time(draft, diary, mine):
            yes = button(draft, "cancel_yes", "cancelled", str(mine.id))
            say(draft, draft.content.booking.ask_cancel, button(draft, "keep", "keep", main=True), yes, about=mine)
    elif diary.on_list:
        _leave(draft, diary)
    else:
        say(draft, draft.content.booking.none)


def picked(draft: Draft, what: str, option: str) -> bool:
    """A button of appointments. False for one that this program does not write."""
    match what:
        case "days" if option.isascii() and option.isdigit() and len(option) < 4:
            if (diary := _may(draft)) is not None:
                _days(draft, diary, int(option))
        case "day":
            return _picked_day(draft, option)
        case "time" | "yes":
            return _picked_time(draft, what, option)
        case "change":
            change(draft)
        case "cancel":
            cancel(draft)
        case "cancelled" | "take" | "pass" if option.isascii() and option.isdigit() and len(option) < 16:
            _about(draft, what, int(option))
        case "keep":
            say(draft, draft.content.booking.kept)
        case "phone" | "wish":
            _ask(draft, "phone" if what == "phone" else "wish")
        case "share" | "shared":
            _share(draft, what, option)
        case "skip":
            say(draft, draft.content.booking.skipped)
        case "list":
            _list(draft, option)
        case _:
            return False
    return True


# --- times ------------------------------------------------------------------------------------------------------------


def _may(draft: Draft) -> Diary | None:
    """The diary, for those who agreed to be guided and whom nothing serious keeps from coming; else that is said, or the
    diary must be looked up first. Somebody with an appointment may always see to it."""
    if "guidance" not in draft.state.consents:
        draft.words(draft.content.phrases.no_consent)
        draft.quick(draft.command(Command.START))
        return None
    diary = draft.diary()
    if diary is not None and draft.state.lock is not None and current(diary) is None:
        doctor_first(draft, draft.state.lock)
        return None
    return diary


def doctor_first(draft: Draft, lock: Lock) -> None:
    """The advice again, and when an appointment can be had. Nothing of one while somebody needs help at once."""
    advice.repeat(draft, lock)
    if lock.level is not Disposition.EMERGENCY:
        draft.words(draft.content.booking.after_doctor)


def current(diary: Diary) -> Appointment | None:
    """Their appointment. One that is only held for them is none yet."""
    return next((one for one in diary.mine if one.status != "held"), None)


def _held(draft: Draft, diary: Diary) -> Appointment | None:
    return next((o for o in diary.mine if o.held_until is not None and o.held_until > draft.now), None)


def _days(draft: Draft, diary: Diary, page: int) -> None:
    """The free days; what can be done instead when there is none."""
    words = draft.content.booking
    if not diary.readable:
        say(draft, words.unreadable, *booking_words.place(draft), draft.command(Command.HUMAN), note=True)
    elif diary.free:
        booking_words.days(draft, diary, page)
    elif current(diary) is not None:
        say(draft, words.no_other, *booking_words.place(draft), draft.command(Command.HUMAN))
    else:
        wait = button(draft, "list", "list", "join", main=True)
        say(draft, words.full, wait, *booking_words.place(draft), draft.command(Command.HUMAN), note=True)


def _in_time(draft: Draft, diary: Diary, mine: Appointment) -> bool:
    """Whether the patient may still change it; says so if not. What staff have not confirmed yet can always be changed."""
    if mine.status == "requested" or draft.now < booking_words.deadline(diary, mine):
        return True
    words = draft.content.booking
    text = draft.text(words.too_late, {"hours": str(diary.change_hours)})
    ways = (*booking_words.place(draft), draft.command(Command.HUMAN))
    draft.say(Card(draft.text(words.title), f"{booking_words.when(draft, mine)}\n{text}", choices=ways))
    booking_words.go_on(draft)
    return False


def _picked_day(draft: Draft, option: str) -> bool:
    try:
        day = date.fromisoformat(option)
    except ValueError:
        return False
    if (diary := _may(draft)) is None or booking_words.times(draft, diary, day):
        return True
    if diary.free:
        booking_words.near(draft, diary, day)
    else:
        _days(draft, diary, 0)
    return True


def _gone(draft: Draft, diary: Diary) -> None:
    """Somebody else was quicker: the next free times."""
    if diary.free:
        draft.words(draft.content.booking.gone)
    _days(draft, diary, 0)


def _picked_time(draft: Draft, what: str, option: str) -> bool:
    at = booking_words.from_stamp(option)
    if at is None:
        return False
    if (diary := _may(draft)) is None:
        return True
    mine = current(diary)
    if mine is not None and mine.starts_at == at:
        menu(draft)  # the same tap twice
        return True
    if mine is not None and not _in_time(draft, diary, mine):
        return True
    free = next((one for one in diary.free if one.starts_at == at), None)
    if free is None:
        _gone(draft, diary)
    elif what == "time":
        _ask_confirm(draft, free, mine)
    else:
        _take(draft, diary, free, mine)
    return True


def _credit(draft: Draft) -> None:
    """The nudge that led here, if one did lately."""
    nudging = draft.state.nudging
    if nudging.open is not None and draft.since(nudging.at) < timedelta(days=CREDIT_DAYS):
        draft.do(SettleNudge("booked"))
        draft.change(nudging=replace(nudging, open=None))


def _ask_confirm(draft: Draft, free: Free, mine: Appointment | None) -> None:
    words = draft.content.booking
    asked = words.ask_confirm if _standing(draft) == "confirmed" else words.ask_confirm_request
    yes = button(draft, "confirm", "yes", booking_words.stamp(free.starts_at), main=True)
    say(draft, asked if mine is None else words.ask_move, yes, button(draft, "other_day", "days", "0"), about=free)


def _standing(draft: Draft) -> Standing:
    return "confirmed" if draft.content.clinic.booking.mode == "instant" else "requested"


def _take(draft: Draft, diary: Diary, free: Free, mine: Appointment | None) -> None:
    """Books it, or moves what there was."""
    words, standing = draft.content.booking, _standing(draft)
    draft.change(assessment_at=free.starts_at)
    _credit(draft)
    if mine is not None:
        draft.do(MoveBooking(mine.id, free.starts_at, free.ends_at, standing))
        head = words.moved if standing == "confirmed" else words.moved_request
    else:
        draft.do(Book(free.starts_at, free.ends_at, standing))
        head = words.confirmed if standing == "confirmed" else words.requested
    if diary.on_list:
        draft.do(LeaveList())
    booking_words.shown(draft, free, head, *booking_words.ways(draft))
    _extras(draft, diary, free, mine)


# --- what may be added ------------------------------------------------------------------------------------------------


def _extras(draft: Draft, diary: Diary, one: Free | Appointment, mine: Appointment | None) -> None:
    """What the patient may tell beforehand, and has not told yet. It names the time `one` again: on a phone the card above it
    is out of sight."""
    shared = mine is not None and mine.shared
    offered = (
        (not diary.has_phone, button(draft, "phone", "phone")),
        (mine is None or not mine.wish, button(draft, "wish", "wish")),
        (draft.state.screening is not None and not shared, button(draft, "share", "share")),
        (shared, button(draft, "share_stop", "shared", "no")),
    )
    choices = tuple(choice for wanted, choice in offered if wanted)
    if choices:
        text = f"{booking_words.when(draft, one)}\n{draft.text(draft.content.booking.extras)}"
        draft.say(Card(draft.text(draft.content.booking.title), text, choices=choices))


def _ask(draft: Draft, what: Part) -> None:
    if (diary := draft.diary()) is None:
        return
    mine = current(diary)
    if mine is None:
        menu(draft)
        return
    draft.change(telling=Telling(what, mine.id, draft.now))
    words = draft.content.booking
    say(draft, words.ask_phone if what == "phone" else words.ask_wish, button(draft, "skip", "skip"))


def told(draft: Draft, text: str) -> bool:
    """A text that adds to an appointment; False for any other. The safety net has seen it before."""
    telling = draft.state.telling
    if telling is None or draft.since(telling.since) >= timedelta(minutes=TELL_MINUTES):
        return False
    wish = wishes.read(text, draft.content).command
    words = draft.content.booking
    if wish in _NOT_A_WISH:
        return False
    if telling.what == "wish":
        kept = " ".join(text.split())[:WISH_MAX]
        draft.do(NoteBooking(telling.booking, wish=kept))
        draft.say(Card(draft.text(words.title), draft.text(words.wish_kept, {"wish": kept})))
        booking_words.go_on(draft)
    else:
        number = re.sub(r"[\s()\-ー‐−–.]", "", unicodedata.normalize("NFKC", text))
        if not _PHONE.fullmatch(number):
            if not any(char.isdigit() for char in number):
                return False
            say(draft, words.phone_wrong, button(draft, "skip", "skip"))
            return True
        draft.do(KeepPhone(number))
        draft.say(Card(draft.text(words.title), draft.text(words.phone_kept, {"phone": number})))
        booking_words.go_on(draft)
    draft.change(telling=None)
    return True


def _share(draft: Draft, what: str, option: str) -> None:
    """The screening and the progress are for the therapist only if the patient says so."""
    diary = draft.diary() if option == "no" else _may(draft)
    if diary is None:
        return
    mine, words = current(diary), draft.content.booking
    if mine is None:
        menu(draft)
    elif what == "share":
        yes = button(draft, "share_yes", "shared", "yes", main=True)
        say(draft, words.ask_share, yes, button(draft, "share_no", "shared", "no"))
    else:
        draft.do(NoteBooking(mine.id, shared=option == "yes"))
        say(draft, words.shared if option == "yes" else words.not_shared)


# --- cancelling, the waiting list ----------------------------------------------------------------------------------------


def _about(draft: Draft, what: str, booking: int) -> None:
    """A button about one appointment or offer: good only while that stands."""
    if (diary := draft.diary()) is None:
        return
    mine = next((one for one in diary.mine if one.id == booking), None)
    words = draft.content.booking
    if mine is None:
        if what == "cancelled":
            cancel(draft)
        else:
            draft.words(words.offer_over)
            menu(draft)
    elif what == "cancelled" and mine.status != "held":
        if _in_time(draft, diary, mine):
            draft.do(SettleBooking(mine.id, "cancelled"))
            draft.change(assessment_at=None)
            say(draft, words.cancelled, replace(draft.command(Command.ASSESSMENT), style="plain"))
    elif what == "take" and mine.status == "held":
        _accept(draft, diary, mine)
    elif what == "pass" and mine.status == "held":
        draft.do(SettleBooking(mine.id, "lapsed"))
        say(draft, words.passed, button(draft, "leave_list", "list", "leave"))
    else:
        menu(draft)


def offer(draft: Draft, held: Appointment) -> None:
    """A freed time is theirs for a while."""
    words = draft.content.booking
    minutes = str(draft.content.clinic.booking.hold_minutes)
    text = draft.text(words.offer, {**booking_words.values(draft, held), "minutes": minutes})
    take = button(draft, "take", "take", str(held.id), main=True)
    choices = (take, button(draft, "pass", "pass", str(held.id)), button(draft, "leave_list", "list", "leave"))
    draft.say(Card(draft.text(words.title), text, choices=choices))
    booking_words.go_on(draft)


def _accept(draft: Draft, diary: Diary, held: Appointment) -> None:
    if draft.state.lock is not None:
        draft.do(SettleBooking(held.id, "lapsed"))
        doctor_first(draft, draft.state.lock)
        return
    if held.held_until is not None and held.held_until <= draft.now:
        draft.words(draft.content.booking.offer_over)
        return
    words, standing = draft.content.booking, _standing(draft)
    draft.change(assessment_at=held.starts_at)
    draft.do(SettleBooking(held.id, standing))
    draft.do(LeaveList())
    _credit(draft)
    head = words.confirmed if standing == "confirmed" else words.requested
    booking_words.shown(draft, held, head, *booking_words.ways(draft))
    _extras(draft, diary, held, None)


def _list(draft: Draft, option: str) -> None:
    if option == "leave":
        if (diary := draft.diary()) is not None:
            _leave(draft, diary)
        return
    if (diary := _may(draft)) is None:
        return
    if current(diary) is not None or diary.free:
        menu(draft)
        return
    if not diary.on_list:
        draft.do(JoinList())
    minutes = {"minutes": str(draft.content.clinic.booking.hold_minutes)}
    draft.say(
        Card(
            draft.text(draft.content.booking.title),
            draft.text(draft.content.booking.listed, minutes),
            choices=(button(draft, "leave_list", "list", "leave"),),
        )
    )
    booking_words.go_on(draft)


def _leave(draft: Draft, diary: Diary) -> None:
    draft.do(LeaveList())
    for held in diary.mine:
        if held.status == "held":
            draft.do(SettleBooking(held.id, "lapsed"))
    say(draft, draft.content.booking.left_list)
