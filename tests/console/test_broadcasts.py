"""The pages of broadcasts: who may what, what a form says is what is stored, and strange words do no harm."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from bot.access import Role
from bot.audience import Audience, Chosen, Reads, Tagged
from bot.broadcasts import expand, results
from bot.broadcasts.letter import from_tip
from bot.content.model import Content
from bot.messages import LOCALES, Card, Choice, Command, CommandToken, Message, Part, Picture, Words
from bot.simulator.demo import Demo
from bot.simulator.faults import Fault
from bot.store.tables import Audit, Broadcast, Contact
from bot.web.console import broadcast_form as forms
from tests import crowd
from tests.console.staff import Member, signed_in
from tests.crowd import Patient

DESK = "/console/broadcasts/new"
NEW = "/console/broadcasts"
WORDS = {"title": "April", "0-kind": "words", "0-text-ja": "こまめに", "0-text-en": "Little and often"}


@pytest.fixture
def clinic(demo: Demo) -> Demo:
    crowd.add(demo.bot.runtime.db, [Patient(), Patient(locale="en"), Patient(consent=False)])
    return demo


def written(member: Member, **more: str) -> int:
    """A draft of that member's. Its number."""
    made = member.send(NEW, {**WORDS, **more}, DESK)
    assert made.status_code == 303, made.get_data(as_text=True)
    return int(made.headers["Location"].rpartition("/")[2])


def arrived(demo: Demo, user: str) -> str:
    return str(demo.platform.chats.bubbles(user, 0))


def test_a_draft_is_written_counted_started_and_done(clinic: Demo) -> None:
    for one in (1, 2):
        clinic.platform.chats.add_person(f"見本 {one}")
    member = signed_in(clinic, Role.THERAPIST)
    number = written(member)
    seen = member.see(f"{NEW}/{number}")
    assert "コツの受け取りに同意していない" in seen
    wrong = member.send(f"{NEW}/{number}/start", {"number": "3"}, f"{NEW}/{number}")
    assert wrong.status_code == 400
    assert "人数が違います" in wrong.get_data(as_text=True)
    begun = member.send(f"{NEW}/{number}/start", {"number": "2"}, f"{NEW}/{number}")
    assert begun.status_code == 303
    expand.tick(clinic.bot.runtime)
    found = json.loads(member.see(f"{NEW}/{number}/progress"))
    assert (found["status"], found["looked_at"], found["waiting"]) == ("sending", 3, 2)
    paused = member.send(f"{NEW}/{number}/pause", {}, f"{NEW}/{number}")
    assert paused.status_code == 303
    assert "スタッフが休止しました" in member.see(f"{NEW}/{number}")
    member.send(f"{NEW}/{number}/cancel", {}, f"{NEW}/{number}")
    seen = member.see(f"{NEW}/{number}")
    assert "送る前に中止した" in seen
    with clinic.bot.runtime.db.read() as look:
        actions = look.execute(select(Audit.action).where(Audit.action.startswith("broadcast"))).scalars().all()
    assert actions == [f"broadcast_{what}" for what in ("create", "start", "pause", "cancel")]


def test_an_assistant_sees_broadcasts_and_changes_none(clinic: Demo) -> None:
    number = written(signed_in(clinic, Role.THERAPIST))
    assistant = signed_in(clinic, Role.ASSISTANT)
    seen = assistant.see(f"{NEW}/{number}")
    assert "<form" not in re.sub(r"<header.*?</header>", "", seen, flags=re.DOTALL), "nothing to press"
    assert assistant.get(DESK).status_code == 403
    token = assistant.form("/console/account", "/console/account/password").fields["csrf_token"]
    for path in ("", "/look", f"/{number}", *(f"/{number}/{move}" for move in ("start", "pause", "cancel", "test"))):
        sent = assistant.web.post(f"{NEW}{path}", data={**WORDS, "csrf_token": token, "number": "2"})
        assert sent.status_code == 403, path
    with clinic.bot.runtime.db.read() as look:
        assert look.execute(select(Broadcast.status)).scalars().all() == ["draft"]


def test_what_is_not_there_is_not_found_and_a_form_without_its_mark_is_refused(clinic: Demo) -> None:
    member = signed_in(clinic, Role.THERAPIST)
    for path in (f"{NEW}/99", f"{NEW}/99/edit", f"{NEW}/99/progress"):
        assert member.get(path).status_code == 404
    assert member.web.post(NEW, data=WORDS).status_code == 400


def test_a_test_goes_to_the_chosen_phone_only(clinic: Demo) -> None:
    person = clinic.platform.chats.add_person("見本 太郎(サンプル)")
    clinic.webhooks.follow(person.user_id)
    clinic.bot.drain()
    member = signed_in(clinic, Role.THERAPIST)
    number = written(member)
    with clinic.bot.runtime.db.read() as look:
        contact_id = look.execute(select(Contact.id).where(Contact.user_id == person.user_id)).scalar_one()
    member.send("/console/broadcasts/testers", {"person": str(contact_id)}, f"{NEW}/{number}")
    sent = member.send(f"{NEW}/{number}/test", {"tester": str(contact_id)}, f"{NEW}/{number}")
    assert sent.status_code == 303
    clinic.bot.drain()
    assert "こまめに" in arrived(clinic, person.user_id)
    with clinic.bot.runtime.db.read() as look:
        assert results.progress(look, number).looked_at == 0


def test_what_is_kept_for_safety_and_appointments_cannot_be_used(clinic: Demo) -> None:
    member = signed_in(clinic, Role.THERAPIST)
    number = written(member)
    clinic.platform.quota = 10
    assert "2通は安全の案内と予約のために取っておき、配信に使えるのは 8通です" in member.see(f"{NEW}/{number}")
    clinic.platform.quota = 1
    refused = member.send(f"{NEW}/{number}/start", {"number": "2"}, f"{NEW}/{number}")
    assert (refused.status_code, "残りが足りません" in refused.get_data(as_text=True)) == (400, True)
    clinic.platform.faults.lay(Fault("server_error", times=None, path="quota"))
    assert "読み取れませんでした" in member.see(f"{NEW}/{number}"), "not known is not nought"
    refused = member.send(f"{NEW}/{number}/start", {"number": "2"}, f"{NEW}/{number}")
    assert "読み取れないため、始められません" in refused.get_data(as_text=True)
    clinic.platform.faults.mend()
    clinic.platform.quota = 10
    assert member.send(f"{NEW}/{number}/start", {"number": "2"}, f"{NEW}/{number}").status_code == 303


STRANGE = '"><script>alert(1)</script>\u202egnp.exe 👩‍👩‍👧‍👦 =1+1'


def test_strange_words_show_as_words_everywhere(clinic: Demo) -> None:
    member = signed_in(clinic, Role.THERAPIST)
    number = written(member, title=STRANGE, **{"0-text-ja": STRANGE * 20})
    for path in (NEW, f"{NEW}/{number}", f"{NEW}/{number}/edit"):
        seen = member.see(path)
        assert "<script>alert" not in seen
        assert STRANGE in unescape(seen)
    letter = re.search(r'data-letter="([^"]*)"', member.see(f"{NEW}/{number}"))
    assert letter
    drawn = json.loads(unescape(letter[1]))
    assert drawn["ja"][0]["text"].startswith(STRANGE)
    blocks = re.search(r'data-blocks="([^"]*)"', member.see(f"{NEW}/{number}"))
    assert blocks
    assert json.loads(unescape(blocks[1]))["ja"][0]["text"]["text"].startswith('"&gt;&lt;script&gt;'), (
        "as Slack gets it"
    )


def test_words_that_promise_a_cure_are_named_and_keep_it_from_starting(clinic: Demo) -> None:
    member = signed_in(clinic, Role.THERAPIST)
    number = written(member, **{"0-text-ja": "腰痛が必ず治ります"})
    seen = member.see(f"{NEW}/{number}")
    assert "「治り」は使えません" in seen
    assert f"{NEW}/{number}/start" not in seen
    token = member.form("/console/account", "/console/account/password").fields["csrf_token"]
    sent = member.web.post(f"{NEW}/{number}/start", data={"csrf_token": token, "number": "2"})
    assert sent.status_code == 400


def test_the_look_beside_the_form_is_what_is_sent(clinic: Demo) -> None:
    member = signed_in(clinic, Role.THERAPIST)
    found = _looked(member)
    assert found["letter"]["en"] == [{"type": "text", "text": "Little and often"}]
    assert [block["text"]["text"] for block in found["blocks"]["en"]] == ["Little and often"]
    assert (found["recipients"], found["everybody"]) == (2, 3)
    assert found["problems"] == []


def _looked(member: Member) -> Any:
    token = member.form(DESK, NEW).fields["csrf_token"]
    return member.web.post(NEW + "/look", data={**WORDS, "csrf_token": token}).get_json()


# --- forms and values -------------------------------------------------------------------------------------------------

line = st.text("abc あいう!?-", min_size=1, max_size=12).map(str.strip).filter(bool)
uris = st.sampled_from(("https://clinic.example/", "https://clinic.example/a?b=c"))


def buttons(draw: st.DrawFn) -> list[tuple[Choice, Choice]]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        ja, en = draw(line), draw(line)
        if draw(st.booleans()):
            found.append((Choice(ja, uri=draw(uris)), Choice(en, uri=draw(uris))))
        else:
            token = CommandToken(draw(st.sampled_from(forms.COMMANDS)))
            found.append((Choice(ja, token=token), Choice(en, token=token)))
    return found


@st.composite
def parts(draw: st.DrawFn) -> tuple[Part, Part]:
    """One part in both languages."""
    match draw(st.sampled_from(("words", "picture", "card"))):
        case "words":
            return Words(draw(line)), Words(draw(line))
        case "picture":
            return Picture("welcome.png", draw(line)), Picture("welcome.png", draw(line))
        case _:
            pairs = buttons(draw)
            titles = draw(line), draw(line)
            shown = draw(st.booleans())
            return tuple(  # type: ignore[return-value]
                Card(
                    titles[n],
                    draw(line),
                    picture=Picture("welcome.png", titles[n]) if shown else None,
                    choices=tuple(pair[n] for pair in pairs),
                )
                for n in (0, 1)
            )


@settings(max_examples=80, deadline=None)
@given(st.lists(parts(), min_size=1, max_size=5))
def test_a_message_survives_the_form(said: list[tuple[Part, Part]]) -> None:
    letter = {"ja": Message(tuple(ja for ja, _ in said)), "en": Message(tuple(en for _, en in said))}
    assert forms.letter(forms.letter_fields(letter)) == letter  # type: ignore[arg-type]


def test_every_tip_of_the_content_may_be_sent_as_it_is(content: Content, demo: Demo) -> None:
    from bot.broadcasts import desk

    for tip in content.tips:
        assert desk.flaws(demo.bot.runtime, from_tip(tip)) == (), tip.id
        assert forms.letter(forms.letter_fields(from_tip(tip))) == from_tip(tip)


def audiences() -> Iterator[Audience]:
    yield Audience()
    yield Audience((Reads(("en",)), *forms.ACTIVITY.values()))
    for criterion in (*forms.ACTIVITY.values(), *forms.PRACTICE.values(), Tagged(("水曜",)), Chosen((3, 1))):
        yield Audience((criterion,))


@pytest.mark.parametrize("wanted", [one for one in audiences() if len(one.all_of) < 3], ids=str)
def test_an_audience_survives_the_form(wanted: Audience) -> None:
    assert forms.audience(forms.audience_fields(wanted)) == wanted


def test_what_is_no_choice_of_the_form_chooses_nothing() -> None:
    form = MultiDict(
        [("reads", "fr"), ("screened", "emergency"), ("activity", "x"), ("person", "1 OR 1"), ("0-kind", "x")]
    )
    assert forms.audience(form) == Audience()
    assert forms.letter(form) == {locale: Message(()) for locale in LOCALES}
    assert Command.ERASE not in forms.COMMANDS
