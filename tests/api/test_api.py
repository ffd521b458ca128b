"""What programs can do with a token: the same as its owner on the console, never more, and never with anybody's words."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select, update

from bot import logs, staff, tokens
from bot.access import SCOPES, Action, Role, may
from bot.broadcasts import expand
from bot.simulator.demo import Demo
from bot.store import codec
from bot.store.tables import Audit, Contact, Inbox
from bot.web.api.blueprint import A_MINUTE, OPERATIONS
from tests import crowd
from tests.api.program import Program
from tests.crowd import Patient
from tests.patient import START
from tests.patient import Patient as Chatting

LETTER = {
    "ja": [{"kind": "words", "text": "こまめに"}],
    "en": [{"kind": "words", "text": "Little and often"}],
}
DRAFT = {"title": "April", "letter": LETTER, "audience": {"all_of": []}}
MARKED = "ひみつのしるし2207"


def crowded(demo: Demo) -> Demo:
    """Two who can be written to, and one who did not agree."""
    crowd.add(demo.bot.runtime.db, [Patient(), Patient(locale="en"), Patient(consent=False)])
    return demo


@pytest.fixture
def clinic(small_demo: Demo) -> Demo:
    return crowded(small_demo)


def audited(demo: Demo, beginning: str) -> list[tuple[str, str, dict[str, str]]]:
    with demo.bot.runtime.db.read() as look:
        rows = look.execute(select(Audit.actor, Audit.action, Audit.detail).order_by(Audit.id)).all()
    return [
        (actor, action, dict(codec.words_from(detail)))
        for actor, action, detail in rows
        if action.startswith(beginning)
    ]


def ringing(demo: Demo) -> tuple[Chatting, int]:
    """A patient whose words rang an alert, and its id."""
    patient = Chatting(demo, MARKED)
    patient.follow()
    patient.say("おしっこが出ません。両足がしびれています " + MARKED)
    return patient, Program(demo).get("/alerts")["items"][0]["id"]


# --- broadcasts ---


def test_a_draft_is_written_counted_and_started_with_the_number_of_recipients(demo: Demo) -> None:
    clinic = crowded(demo)
    program = Program(clinic, Role.THERAPIST)
    made = program.post("/broadcasts", DRAFT, 201)
    assert (made["status"], made["moves"], made["flaws"]) == ("draft", ["cancel", "schedule", "start"], [])
    one = f"/broadcasts/{made['id']}"
    count = program.get(f"{one}/count")
    assert count == {"recipients": {"line": 2}, "sent_to": 2, "left_out": {"no_consent": 1}, "all": 3}
    assert program.post("/audiences/count", {"audience": {"all_of": []}}) == count
    english = {"audience": {"all_of": [{"kind": "reads", "any_of": ["en"]}]}}
    assert program.post("/audiences/count", english)["sent_to"] == 1
    wrong = program.post(f"{one}/start", {"recipients": 3}, 409)
    assert wrong["type"] == "/api/v1/problems/wrong_number"
    assert program.post(f"{one}/start", {"recipients": 2})["status"] == "sending"
    expand.tick(clinic.bot.runtime)
    assert program.get(one)["progress"]["waiting"] == 2
    assert program.post(f"{one}/pause")["reason"] == "staff"
    assert program.post(f"{one}/resume")["status"] == "sending"
    assert program.post(f"{one}/cancel")["status"] == "cancelled"
    assert program.post(f"{one}/resume", status=409)["type"].endswith("/not_now")
    done = audited(clinic, "broadcast_")
    assert [action for _, action, _ in done] == [
        f"broadcast_{what}" for what in ("create", "start", "pause", "resume", "cancel")
    ]
    assert {(actor, detail["token"]) for actor, _, detail in done} == {(program.name, str(program.token_id))}


def test_a_broadcast_is_scheduled_and_taken_back_and_edited(clinic: Demo) -> None:
    program = Program(clinic)
    one = f"/broadcasts/{program.post('/broadcasts', DRAFT, 201)['id']}"

    def at(later: timedelta) -> dict[str, object]:
        return {"recipients": 2, "start_at": (START + later).isoformat()}

    for later, why in (
        (-timedelta(hours=1), "past"),
        (timedelta(hours=14), "at_night"),
        (timedelta(days=400), "too_far"),
    ):
        assert program.post(f"{one}/schedule", at(later), 409)["type"].endswith(f"/{why}")
    assert program.post(f"{one}/schedule", at(timedelta(hours=2)))["start_at"] == "2026-04-06T03:00:00Z"
    assert program.ask("PUT", one, DRAFT).status_code == 409
    assert program.post(f"{one}/unschedule")["status"] == "draft"
    card = {
        "kind": "card",
        "title": "A",
        "text": "B",
        "picture": None,
        "buttons": [
            {"kind": "ask", "label": "Today", "command": "today"},
            {"kind": "link", "label": "More", "uri": "https://clinic.example/"},
        ],
    }
    changed = {**DRAFT, "title": "May", "letter": {"ja": [card], "en": [card]}}
    answer = program.ask("PUT", one, changed).get_json()
    assert {name: answer[name] for name in changed} == changed
    assert program.get(one)["letter"]["en"] == [card]


def test_a_draft_with_flaws_is_kept_and_names_them_and_is_not_sent(clinic: Demo) -> None:
    program = Program(clinic)
    faulty = {**DRAFT, "letter": {**LETTER, "en": [{"kind": "words", "text": " "}]}}
    made = program.post("/broadcasts", faulty, 201)
    assert made["flaws"] == [{"flaw": "empty", "part": 0, "language": "en", "words": ""}]
    refused = program.post(f"/broadcasts/{made['id']}/start", {"recipients": 2}, 409)
    assert refused["type"].endswith("/faulty")


@pytest.mark.parametrize("command", ["erase", "stop", "not_me", "seen_doctor"])
def test_no_button_can_be_made_that_the_console_cannot_make(small_demo: Demo, command: str) -> None:
    button = {"kind": "ask", "label": "x", "command": command}
    card = {"kind": "card", "title": "A", "text": "B", "picture": None, "buttons": [button]}
    Program(small_demo).post("/broadcasts", {**DRAFT, "letter": {"ja": [card], "en": [card]}}, 422)


# --- alerts ---


def test_an_alert_is_listed_seen_called_and_resolved_with_a_note_and_each_stands_in_the_audit(demo: Demo) -> None:
    _, alert_id = ringing(demo)
    program = Program(demo, Role.ASSISTANT, (Action.SEE_TODAY, Action.HANDLE_ALERTS))
    listed = program.get("/alerts")
    assert (len(listed["items"]), listed["next"], listed["items"][0]["urgency"]) == (1, None, "emergency")
    assert all(listed["items"][0]["reasons"][language] for language in ("ja", "en"))
    one = f"/alerts/{alert_id}"
    assert program.post(f"{one}/acknowledge")["acknowledged_by"] == program.name
    assert program.post(f"{one}/acknowledge", status=409)["type"].endswith("/done_before")
    assert program.post(f"{one}/called")["called_by"] == program.name
    assert program.post(f"{one}/resolve", {"note": "救急外来へ"})["resolved_by"] == program.name
    assert program.get("/alerts")["items"] == []
    assert [item["id"] for item in program.get("/alerts?state=resolved")["items"]] == [alert_id]
    steps = audited(demo, "alert_")
    assert [action for _, action, _ in steps] == ["alert_acknowledged", "alert_called", "alert_resolved"]
    assert {detail["token"] for _, _, detail in steps} == {str(program.token_id)}


# --- patients ---


def test_patients_come_as_numbers_in_pages_and_one_that_is_opened_stands_in_the_audit(demo: Demo) -> None:
    people = crowd.add(demo.bot.runtime.db, [Patient(seen_at=START - timedelta(days=n % 3)) for n in range(7)])
    program = Program(demo)
    seen, page = list[int](), program.get("/patients?limit=3")
    while True:
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        page = program.get(f"/patients?limit=3&after={page['next']}")
    assert sorted(seen) == people
    assert len(seen) == 7
    one = program.get(f"/patients/{people[0]}")
    assert (one["readable"], one["pain"], one["screenings"]) == (False, None, [])
    assert audited(demo, "record_opened")[0][2] == {"token": str(program.token_id), "masked": "yes"}
    assert program.get("/patients?channel=slack")["items"] == []


def test_records_are_shown_of_those_who_agreed_that_staff_may_see_them(small_demo: Demo) -> None:
    ringing(small_demo)
    program = Program(small_demo)
    number = program.get("/patients")["items"][0]["id"]
    assert program.get(f"/patients/{number}")["disposition"] is None
    with small_demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(consents=codec.times_json({"staff": START})))
    assert program.get(f"/patients/{number}")["disposition"] == "emergency"
    assert program.get("/patients?disposition=emergency")["items"][0]["id"] == number
    assert program.get("/patients?disposition=none")["items"] == []


# --- who may ---


@pytest.mark.parametrize("key", [None, "scg_wrong", "Bearer", "ひみつ"])
def test_without_a_token_that_works_there_is_nothing(small_demo: Demo, key: str | None) -> None:
    program = Program(small_demo)
    for path in ("/alerts", "/openapi.json", "/nothing/here"):
        headers = {} if key is None else {"Authorization": f"Bearer {key}".encode().decode("latin-1")}
        answer = program.web.get(f"/api/v1{path}", headers=headers)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_of_the_console_opens_nothing_here(small_demo: Demo) -> None:
    from tests.console.staff import signed_in

    assert signed_in(small_demo).get("/api/v1/patients").status_code == 401


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.action is not None], ids=lambda one: one.name)
def test_a_token_without_the_scope_is_refused(door: Demo, operation: object) -> None:
    from bot.web.api.operation import Operation

    assert isinstance(operation, Operation)
    others = Program(door, Role.OWNER, [scope for scope in SCOPES if scope is not operation.action])
    path = operation.path.replace("{broadcast_id}", "1").replace("{alert_id}", "1").replace("{patient_id}", "1")
    answer = others.ask(operation.method, path, {})
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (403, "/api/v1/problems/no_scope")


def test_a_token_can_do_no_more_than_its_owners_role_whatever_its_scopes(clinic: Demo) -> None:
    program = Program(clinic, Role.THERAPIST)
    made = program.post("/broadcasts", DRAFT, 201)
    runtime = clinic.bot.runtime
    with runtime.db.write() as tx:
        staff.change(tx, runtime.now(), "test", program.owner, role=Role.ASSISTANT, active=True)
    for method, path, body in (
        ("POST", "/broadcasts", DRAFT),
        ("POST", f"/broadcasts/{made['id']}/start", {"recipients": 2}),
        ("POST", f"/broadcasts/{made['id']}/cancel", None),
        ("POST", "/audiences/count", {"audience": {"all_of": []}}),
    ):
        answer = program.ask(method, path, body)
        assert (answer.status_code, answer.get_json(force=True)["type"]) == (403, "/api/v1/problems/not_allowed")
    assert program.get(f"/broadcasts/{made['id']}")["status"] == "draft"
    with pytest.raises(staff.Refused, match="beyond"):
        Program(clinic, Role.THERAPIST, [Action.BROADCAST])


def test_every_scope_can_be_held_by_somebody_and_every_operation_has_one_or_only_explains() -> None:
    assert {one.action for one in OPERATIONS} == {*SCOPES, None}
    assert [one.name for one in OPERATIONS if one.action is None] == ["read_problem"]
    assert all(may(Role.OWNER, scope) for scope in SCOPES)


def test_a_token_ends_when_it_is_revoked_when_a_year_is_over_and_when_its_owner_leaves(demo: Demo) -> None:
    runtime = demo.bot.runtime
    revoked, old, left = Program(demo), Program(demo), Program(demo, Role.THERAPIST)
    with runtime.db.write() as tx:
        assert tokens.revoke(tx, runtime.now(), "test", revoked.token_id)
        assert not tokens.revoke(tx, runtime.now(), "test", revoked.token_id)
        staff.change(tx, runtime.now(), "test", left.owner, role=Role.THERAPIST, active=False)
    assert [one.ask("GET", "/alerts").status_code for one in (revoked, old, left)] == [401, 200, 401]
    demo.clock.move(timedelta(days=365))
    assert old.ask("GET", "/alerts").status_code == 401
    assert [action for _, action, _ in audited(demo, "token_")] == ["token_made"] * 3 + ["token_revoked"]


def test_only_a_hash_of_a_token_is_stored(small_demo: Demo) -> None:
    program = Program(small_demo)
    program.get("/alerts")
    small_demo.bot.runtime.db.close()
    path = small_demo.bot.runtime.settings.database_url.removeprefix("sqlite:///")
    stored = b"".join(file.read_bytes() for file in Path(path).parent.iterdir())
    assert program.key.removeprefix("scg_").encode() not in stored
    assert program.name.encode() in stored


def test_ids_of_what_is_not_there_are_answered_with_404(small_demo: Demo) -> None:
    program = Program(small_demo)
    for method, path, body in (
        ("GET", "/broadcasts/77", None),
        ("PUT", "/broadcasts/77", DRAFT),
        ("GET", "/broadcasts/77/count", None),
        ("POST", "/broadcasts/77/start", {"recipients": 1}),
        ("POST", "/broadcasts/77/pause", None),
        ("GET", "/alerts/77", None),
        ("POST", "/alerts/77/called", None),
        ("POST", "/alerts/77/resolve", {"note": ""}),
        ("GET", f"/patients/{2**63 - 1}", None),
    ):
        answer = program.ask(method, path, body)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json"), path


# --- how it says no ---


def test_what_is_wrong_with_a_request_is_named_by_its_place_and_not_repeated(small_demo: Demo) -> None:
    program = Program(small_demo)
    wrong = program.post("/broadcasts", {**DRAFT, "title": "", "more": MARKED}, 422)
    assert wrong["type"] == "/api/v1/problems/invalid"
    assert [one["where"] for one in wrong["errors"]] == ["title", "more"]
    assert MARKED not in str(wrong)
    means = program.get("/problems/invalid")
    assert (means["status"], means["title"]) == (422, wrong["title"])
    assert program.get("/alerts?limit=1")["items"] == []
    for bad in ("limit=0", "limit=1&limit=2", "limit=x", "state=gone", "more=1", "before=9223372036854775808"):
        assert program.ask("GET", f"/alerts?{bad}").status_code == 422, bad
    plain = program.web.post(
        "/api/v1/broadcasts",
        data="title=x",
        headers={"Authorization": f"Bearer {program.key}"},
        content_type="text/plain",
    )
    assert plain.status_code == 415
    assert program.post("/broadcasts", {**DRAFT, "title": "x" * 300_000}, 413)["status"] == 413
    deleted = program.ask("DELETE", "/broadcasts")
    assert (deleted.status_code, deleted.headers["Allow"]) == (405, "GET, POST")


def test_a_token_that_asks_too_often_is_slowed_down_and_others_are_not(small_demo: Demo) -> None:
    busy, other = Program(small_demo), Program(small_demo)
    codes = {busy.ask("GET", "/problems/past").status_code for _ in range(A_MINUTE)}
    assert codes == {200}
    slow = busy.ask("GET", "/problems/past")
    assert (slow.status_code, slow.mimetype) == (429, "application/problem+json")
    assert int(slow.headers["Retry-After"]) <= 60
    assert other.ask("GET", "/problems/past").status_code == 200


def test_the_document_is_for_those_with_a_token_and_names_every_operation(small_demo: Demo) -> None:
    document = Program(small_demo, Role.ASSISTANT, [Action.SEE_TODAY]).get("/openapi.json")
    assert document["openapi"] == "3.1.0"
    named = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    assert named == {one.name for one in OPERATIONS}


# --- what is never said ---


def test_nothing_that_a_patient_said_or_is_called_is_in_an_answer_or_a_log_line(
    small_demo: Demo, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        logs.configure(stream=stream)
        answers = _everything(small_demo)
    logs.configure()
    out, err = capfd.readouterr()
    written = path.read_text() + caplog.text + out + err
    assert "api_answered" in written, "log lines were looked at"
    assert MARKED not in written
    with small_demo.bot.runtime.db.read() as look:
        assert MARKED in "".join(map(str, look.execute(select(Inbox.event)).scalars())), "it was said"
        user = look.execute(select(Contact.user_id)).scalars().first()
    assert len(answers) > 20
    for answer in answers:
        assert MARKED not in answer
        assert "0312345678" not in answer
        assert str(user) not in answer


def _everything(demo: Demo) -> list[str]:
    """Every operation, with everything that can be read allowed, and with the marked words sent to it as well."""
    patient, alert_id = ringing(demo)
    program = Program(demo)
    with demo.bot.runtime.db.write() as tx:
        everything = codec.times_json(dict.fromkeys(("guidance", "staff", "tips"), START))
        tx.execute(update(Contact).values(consents=everything, name=MARKED, phone="0312345678"))
    patient.say(MARKED)
    made = program.post("/broadcasts", DRAFT, 201)["id"]
    answers = []
    for one in OPERATIONS:
        path = one.path.replace("{broadcast_id}", str(made)).replace("{alert_id}", str(alert_id))
        path = path.replace("{patient_id}", "1").replace("{kind}", "past")
        for body, more in (
            (DRAFT, ""),
            ({"note": MARKED}, ""),
            ({"recipients": 1}, ""),
            ({MARKED: MARKED}, f"?x={MARKED}"),
        ):
            answers.append(program.ask(one.method, path + more, body).get_data(as_text=True))
    answers.append(program.ask("GET", f"/{MARKED}").get_data(as_text=True))
    return answers


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)
