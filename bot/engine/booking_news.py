"""News about an appointment that the patient did not ask for: reminders, what staff decided, a time that came free."""

from bot.content.model import Wording
from bot.engine import booking, booking_words
from bot.engine.booking_words import button
from bot.engine.diary import Appointment, Book, Diary, Free, LeaveList, MoveBooking, SettleBooking
from bot.engine.draft import Draft
from bot.messages import BookingDecided, BookingDue, Card, Choice, Command, SlotOffered


def due(draft: Draft, event: BookingDue) -> None:
    """A reminder of an appointment that still stands, or thanks after it. Nothing once it is too late, or when the patient
    wants to hear nothing more."""
    if draft.now >= event.expires_at or draft.state.stopped:
        return
    if (diary := draft.diary()) is None:
        return
    mine = _find(diary, event.booking)
    if mine is None or mine.status != "confirmed":
        return
    words, locked = draft.content.booking, draft.state.lock is not None
    match event.what:
        case "after" if not locked:
            _thank(draft)
        case "after":
            pass
        case "day_before":
            _remind(draft, diary, mine, words.day_before)
        case "soon":
            _remind(draft, diary, mine, words.soon)


def _remind(draft: Draft, diary: Diary, mine: Appointment, head: Wording) -> None:
    """Whoever was told to see a doctor first is reminded of that."""
    if draft.state.lock is not None:
        first = draft.content.booking.while_locked
        booking_words.shown(draft, mine, first, *_changes(draft, diary, mine), bring=False)
        return
    booking_words.shown(draft, mine, head, *booking_words.place(draft), *_changes(draft, diary, mine))


def _changes(draft: Draft, diary: Diary, mine: Appointment) -> tuple[Choice, ...]:
    """Changing and cancelling while that is possible; a person otherwise."""
    if draft.now < booking_words.deadline(diary, mine):
        return (button(draft, "change", "change"), button(draft, "cancel", "cancel"))
    return (draft.command(Command.HUMAN),)


def _thank(draft: Draft) -> None:
    words = draft.content.booking
    text = f"{draft.text(words.after)}\n{draft.text(words.after_next)}"
    draft.say(Card(draft.text(words.title), text, choices=(draft.command(Command.TODAY),)))
    booking_words.go_on(draft)


def _find(diary: Diary, booking_id: int) -> Appointment | None:
    return next((one for one in (*diary.mine, *diary.past) if one.id == booking_id), None)


def decided(draft: Draft, event: BookingDecided) -> None:
    """What staff decided is done if it still can be, and the patient is told."""
    if (diary := draft.diary()) is None:
        return
    mine = _find(diary, event.booking)
    if event.what == "book":
        if booking.current(diary) is None and diary.wanted:
            _booked(draft, diary, event)
    elif mine is not None:
        _about(draft, diary, event, mine)


def _booked(draft: Draft, diary: Diary, event: BookingDecided) -> None:
    assert event.starts_at is not None
    assert event.ends_at is not None
    draft.do(Book(event.starts_at, event.ends_at, "confirmed", event.staff))
    if diary.on_list:
        draft.do(LeaveList())
    draft.change(assessment_at=event.starts_at)
    free = Free(event.starts_at, event.ends_at)
    booking_words.shown(draft, free, draft.content.booking.staff_booked, *booking_words.ways(draft))


def _about(draft: Draft, diary: Diary, event: BookingDecided, mine: Appointment) -> None:
    words, by = draft.content.booking, event.staff
    again = draft.command(Command.ASSESSMENT)
    match event.what:
        case "confirm" if mine.status == "requested":
            draft.do(SettleBooking(mine.id, "confirmed", by))
            booking_words.shown(draft, mine, words.staff_confirmed, *booking_words.ways(draft))
        case "decline" if mine.status == "requested":
            _ended(draft, SettleBooking(mine.id, "declined", by))
            booking_words.shown(draft, mine, words.staff_declined, again, bring=False)
        case "cancel" if mine in diary.mine:
            _ended(draft, SettleBooking(mine.id, "cancelled", by))
            booking_words.shown(draft, mine, words.staff_cancelled, again, bring=False)
        case "no_show":
            draft.do(SettleBooking(mine.id, "no_show", by))
        case "move" if mine.status == "confirmed" and mine.starts_at == event.starts_at:
            pass  # the same decision twice
        case "move" if (
            diary.wanted and mine in diary.mine and event.starts_at is not None and event.ends_at is not None
        ):
            draft.do(MoveBooking(mine.id, event.starts_at, event.ends_at, "confirmed", by))
            draft.change(assessment_at=event.starts_at)
            moved = Free(event.starts_at, event.ends_at)
            booking_words.shown(draft, moved, words.staff_moved, *booking_words.ways(draft))
        case _:
            pass  # it was decided otherwise meanwhile


def _ended(draft: Draft, effect: SettleBooking) -> None:
    draft.do(effect)
    draft.change(assessment_at=None)


def offered(draft: Draft, event: SlotOffered) -> None:
    """A time is kept for somebody on the waiting list. Whoever must see a doctor first is passed over."""
    if (diary := draft.diary()) is None:
        return
    held = _find(diary, event.booking)
    if held is None or held.status != "held" or draft.now >= event.expires_at:
        return
    if draft.state.lock is not None or draft.state.stopped:
        draft.do(SettleBooking(held.id, "lapsed"))
        return
    booking.offer(draft, held)
