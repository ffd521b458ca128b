"""Tags: put, counted, found again, written to, renamed, taken off; by role, and harmless whatever they say."""

from html import unescape

from sqlalchemy import select, update

from bot import own_chat, staff, tags
from bot.access import Role
from bot.own_chat import Code
from bot.simulator.demo import Demo
from bot.store.tables import Audit, Contact, OwnChat, Tag
from tests import crowd
from tests.console.staff import Member, signed_in
from tests.crowd import Patient as Seed
from tests.patient import Patient

PAGE = "/console/tags"
HOSTILE = '"><script>x</script> {{7*7}} =1+1'


def three_people(demo: Demo) -> list[int]:
    """Of whom one cannot be reached."""
    ids = crowd.add(demo.bot.runtime.db, [Seed(), Seed(reachable=False), Seed(locale="en")])
    with demo.bot.runtime.db.write() as tx:
        for number, name in zip(ids, ("ひとり目", "ふたり目", "Third"), strict=True):
            tx.execute(update(Contact).where(Contact.id == number).values(name=name))
    return ids


def counted(demo: Demo) -> dict[str, tuple[int, int]]:
    with demo.bot.runtime.db.read() as look:
        return {one.name: (one.people, one.reachable) for one in tags.counts(look)}


def put(member: Member, contact_id: int, name: str) -> int:
    path = f"/console/patients/{contact_id}"
    return member.send(f"{path}/tags", {"name": name}, path).status_code


def test_a_tag_is_put_counted_found_written_to_renamed_and_taken_off(demo: Demo) -> None:
    three = three_people(demo)
    member = signed_in(demo, Role.THERAPIST)
    assert put(member, three[0], "　夜 勤 ") == 303
    assert put(member, three[1], "夜 勤") == 303
    assert put(member, three[1], "夜 勤") == 303, "twice is once"
    assert put(member, three[2], "ひざ") == 303
    assert counted(demo) == {"夜 勤": (2, 1), "ひざ": (1, 1)}
    found = member.see("/console/patients?label=夜 勤")
    assert ("ひとり目" in found, "ふたり目" in found, ">Third<" in found) == (True, True, False)
    desk = member.see("/console/broadcasts/new?tagged=夜 勤")
    assert 'name="tagged" value="夜 勤" checked' in desk
    assert member.send(f"{PAGE}/rename", {"old": "夜 勤", "name": "ひざ"}, PAGE).status_code == 303
    assert counted(demo) == {"ひざ": (3, 2)}
    page = f"/console/patients/{three[2]}"
    member.send(f"{page}/tags", {"off": "ひざ"}, page)
    assert counted(demo) == {"ひざ": (2, 1)}
    assert member.send(f"{PAGE}/drop", {"old": "ひざ"}, PAGE).status_code == 303
    assert counted(demo) == {}
    assert "タグはまだありません" in member.see(PAGE)
    with demo.bot.runtime.db.read() as look:
        done = look.execute(select(Audit.action).where(Audit.action.startswith("tag_")).order_by(Audit.id)).scalars()
        assert list(done) == [*["tag_put"] * 4, "tag_renamed", "tag_taken_off", "tag_dropped"]


def test_everybody_in_a_filtered_list_gets_it_and_nobody_else(demo: Demo) -> None:
    three_people(demo)
    member = signed_in(demo, Role.ASSISTANT)
    listed = "/console/patients?tag=blocked"
    form = member.form(listed, "/console/patients/tag?tag=blocked")
    member.web.post(form.action, data={**form.fields, "name": "お電話"})
    assert counted(demo) == {"お電話": (1, 0)}
    everybody = member.form("/console/patients", "/console/patients/tag")
    member.web.post(everybody.action, data={**everybody.fields, "name": "お電話"})
    assert counted(demo) == {"お電話": (3, 2)}


def test_what_is_no_tag_is_refused_and_markup_in_one_is_words(small_demo: Demo) -> None:
    three = three_people(small_demo)
    member = signed_in(small_demo)
    for name in ("", "  ", "x" * 41, "a\u202eb", "a\x00b", "a\nb" * 20):
        assert put(member, three[0], name) == 400, name
    assert put(member, three[0], HOSTILE) == 303
    for path in (PAGE, "/console/patients", f"/console/patients/{three[0]}", "/console/broadcasts/new"):
        seen = member.see(path)
        assert "<script>x" not in seen
        assert HOSTILE in unescape(seen), path


def test_tags_go_with_the_contact(small_demo: Demo) -> None:
    patient = Patient(small_demo)
    patient.follow()
    member = signed_in(small_demo)
    with small_demo.bot.runtime.db.read() as look:
        number = look.execute(select(Contact.id)).scalar_one()
    assert put(member, number, "ひざ") == 303
    with small_demo.bot.runtime.db.write() as tx:
        tx.execute(Contact.__table__.delete())  # type: ignore[attr-defined]
    assert counted(small_demo) == {}


# --- the staff's own chat ---------------------------------------------------------------------------------------------

ACCOUNT = "/console/account"


def code_of(member: Member, demo: Demo) -> str:
    member.send(f"{ACCOUNT}/chat/code", {}, ACCOUNT)
    page = member.see(ACCOUNT)
    return page.partition('<code class="once">')[2].partition("<")[0]


def linked(demo: Demo) -> list[tuple[str, bool]]:
    with demo.bot.runtime.db.read() as look:
        rows = look.execute(
            select(Contact.user_id, Contact.is_test).join(OwnChat, OwnChat.contact_id == Contact.id)
        ).all()
        return [(row.user_id, row.is_test) for row in rows]


def test_a_code_typed_in_ones_own_chat_links_it_for_tests_and_ends_with_the_account(demo: Demo) -> None:
    mine, other = Patient(demo, "受付 見本(サンプル)"), Patient(demo)
    mine.follow()
    other.follow()
    member = signed_in(demo, Role.THERAPIST)
    code = code_of(member, demo)
    assert code.startswith("TEST-")
    early = member.send(f"{ACCOUNT}/chat", {}, ACCOUNT)
    assert early.status_code == 400
    assert "まだ届いていません" in early.get_data(as_text=True)
    other.say("TEST-00000000")
    mine.say(" " + code.lower().translate(str.maketrans("0123456789-", "０１２３４５６７８９－")))
    assert member.send(f"{ACCOUNT}/chat", {}, ACCOUNT).status_code == 303
    assert linked(demo) == [(mine.user_id, True)]
    assert "テストはこのチャットに届きます" in member.see(ACCOUNT)
    text = {"title": "見本", "0-kind": "words", "0-text-ja": "こんにちは", "0-text-en": "Hello"}
    draft = member.send("/console/broadcasts", text, "/console/broadcasts/new").headers["Location"]
    page = member.see(draft)
    assert "（あなた）" in page
    assert member.send(f"{draft}/test", {}, draft).status_code == 303
    demo.bot.drain()
    assert "こんにちは" in str(demo.platform.chats.bubbles(mine.user_id))
    runtime = demo.bot.runtime
    with runtime.db.write() as tx:
        account = staff.named(tx, member.name)
        assert account is not None
        staff.change(tx, runtime.now(), "test", account, role=account.role, active=False)
    assert linked(demo) == []
    with runtime.db.read() as look:
        assert not any(look.execute(select(Contact.is_test)).scalars())


def test_a_code_that_several_typed_or_that_is_old_links_nothing(small_demo: Demo) -> None:
    one, two = Patient(small_demo), Patient(small_demo, "見本 太郎(サンプル)")
    one.follow()
    two.follow()
    member = signed_in(small_demo)
    code = code_of(member, small_demo)
    one.say(code)
    two.say(code)
    assert member.send(f"{ACCOUNT}/chat", {}, ACCOUNT).status_code == 400
    runtime = small_demo.bot.runtime
    with runtime.db.write() as tx:
        before = Code(code, 0, runtime.now() - own_chat.LIFE)
        assert own_chat.heard_in(tx, before, runtime.now()) is None
        tx.execute(update(Contact).values(is_test=False))
    assert linked(small_demo) == []


def test_a_linked_chat_is_given_back_by_its_owner_only(small_demo: Demo) -> None:
    mine = Patient(small_demo)
    mine.follow()
    member, other = signed_in(small_demo), signed_in(small_demo, Role.ASSISTANT)
    mine.say(code_of(member, small_demo))
    member.send(f"{ACCOUNT}/chat", {}, ACCOUNT)
    with small_demo.bot.runtime.db.read() as look:
        number = look.execute(select(Contact.id)).scalar_one()
    token = other.form(ACCOUNT, f"{ACCOUNT}/chat/code").fields["csrf_token"]
    assert other.web.post(f"{ACCOUNT}/chat/{number}/end", data={"csrf_token": token}).status_code == 303
    assert linked(small_demo) == [(mine.user_id, True)], "somebody else's stays"
    member.send(f"{ACCOUNT}/chat/{number}/end", {}, ACCOUNT)
    assert linked(small_demo) == []


def test_nobody_tags_a_patient_who_is_not_there(small_demo: Demo) -> None:
    three = three_people(small_demo)
    member = signed_in(small_demo)
    token = member.form(f"/console/patients/{three[0]}", f"/console/patients/{three[0]}/tags").fields["csrf_token"]
    assert member.web.post("/console/patients/99999/tags", data={"csrf_token": token, "name": "x"}).status_code == 404
    with small_demo.bot.runtime.db.read() as look:
        assert look.execute(select(Tag.id)).all() == []
