"""Staff in Slack: alerts and appointments reach their channel, are confirmed there, and are called again until they are."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from bot.access import Role
from bot.simulator.demo import Demo
from bot.simulator.faults import Fault
from bot.simulator.slack.workspace import STAFF_CHANNEL, Post
from bot.simulator.wire import Obj
from bot.staff_room import BATCH, sweep
from bot.store.tables import Alert, Audit, Booking, Contact, Outbox
from tests.console.staff import forms, signed_in
from tests.patient import Patient, open_demo
from tests.slack_patient import SlackPatient, elements, read


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    with open_demo(sqlite_copy(tmp_path)) as house:
        yield house


def posts(demo: Demo) -> list[Post]:
    return [post for post in demo.slack.posts(STAFF_CHANNEL) if post.sender == "bot"]


def shown(post: Post) -> str:
    return "\n".join(read(post.blocks))


def press(demo: Demo, label: str, post: Post, name: str = "見本 受付(サンプル)") -> None:
    who = demo.slack.add(name)
    [button] = [one for one in elements(post.blocks, post) if one.label == label]
    assert demo.slack_hooks.act(who.user_id, button.action, post).status == 200
    demo.bot.drain()


def emergency(demo: Demo, patient: Patient | None = None) -> Patient:
    someone = patient or Patient(demo)
    someone.follow()
    someone.say("おしっこが出にくくて、お股の感覚がありません")
    return someone


def test_an_alert_of_either_channel_names_its_level_and_nothing_that_was_said(demo: Demo) -> None:
    emergency(demo)
    emergency(demo, SlackPatient(demo, "見本 次郎(サンプル)"))
    first, second = posts(demo)
    assert shown(first).split("\n") == [
        "緊急：119 の案内をしました",
        "患者番号 1　受付 4/6 10:00",
        "確認したら「確認しました」を押してください。くわしくはコンソールで。",
        "[確認しました]",
        "[コンソールで開く]",
    ]
    assert "患者番号 2" in shown(second)
    assert not any(word in shown(post) for post in posts(demo) for word in ("おしっこ", "感覚", "見本"))


def test_somebody_who_wants_a_person_and_an_appointment_are_told_as_well(demo: Demo) -> None:
    patient = Patient(demo)
    patient.follow()
    patient.say("スタッフと話したい")
    [human] = posts(demo)
    assert "人と話したいというご希望です" in shown(human)
    runtime = demo.bot.runtime
    now = runtime.now()
    day = now + timedelta(days=2)
    with runtime.db.write() as tx:
        contact = tx.execute(select(Contact.id)).scalar_one()
        times = {"starts_at": day, "ends_at": day + timedelta(minutes=60), "created_at": now, "changed_at": now}
        tx.execute(insert(Booking), {"contact_id": contact, "seat": 1, "status": "requested", **times})
    for _ in range(3):
        demo.bot.drain()
    assert len(posts(demo)) == 2
    assert shown(posts(demo)[1]).startswith("評価の予約の申し込みがありました\n4/8 10:00 の枠。")


def test_confirming_takes_the_button_away_names_who_and_stands_in_the_audit(demo: Demo) -> None:
    emergency(demo)
    [post] = posts(demo)
    press(demo, "確認しました", post)
    [after] = posts(demo)
    assert "✓ 4/6 10:00 見本 受付(サンプル) さんが確認しました。" in shown(after)
    assert "[確認しました]" not in shown(after)
    press(demo, "確認しました", post, "見本 二人目(サンプル)")  # whose Slack still showed the button
    assert "すでに確認されています" in shown(posts(demo)[0])
    with demo.bot.runtime.db.read() as look:
        actors = look.execute(select(Audit.actor).where(Audit.action == "alert_acknowledged")).scalars().all()
        assert len(actors) == 1
        assert actors[0].startswith("slack 見本 受付")
    demo.clock.move(timedelta(hours=3))
    demo.bot.drain()
    assert len(posts(demo)) == 1


def in_the_console(demo: Demo, word: str) -> str:
    """Somebody presses that in the console. What they are called."""
    member = signed_in(demo, Role.ASSISTANT)
    [form] = [one for one in forms(member.see("/console/")) if one.action.endswith(f"/{word}")]
    member.send(form.action, {}, "/console/")
    return member.name


def test_what_is_seen_in_the_console_says_so_in_every_post_of_the_staffs_channel(demo: Demo) -> None:
    emergency(demo)
    demo.clock.move(timedelta(minutes=5))
    demo.bot.drain()
    assert ["[確認しました]" in shown(post) for post in posts(demo)] == [True, True]
    name = in_the_console(demo, "called")  # whoever calls has seen it
    assert sweep(demo.bot.runtime) == 2  # and the process dies before the changes are sent
    assert sweep(demo.bot.runtime) == 0
    demo.bot.drain()
    for post in posts(demo):
        assert f"✓ 4/6 10:05 {name} さんが確認しました。" in shown(post)
        assert "[確認しました]" not in shown(post)
        assert "<!channel>" not in str(post.blocks)
    demo.clock.move(timedelta(hours=3))
    demo.bot.drain()
    assert len(posts(demo)) == 2


def test_one_press_in_slack_settles_the_earlier_posts_too(demo: Demo) -> None:
    emergency(demo)
    for _ in range(2):
        demo.clock.move(timedelta(minutes=5))
        demo.bot.drain()
    press(demo, "確認しました", posts(demo)[1])
    for post in posts(demo):
        assert "✓ 4/6 10:10 見本 受付(サンプル) さんが確認しました。" in shown(post)
        assert "[確認しました]" not in shown(post)


def test_a_call_that_has_not_left_when_it_is_seen_does_not_leave_and_one_under_way_is_changed_after(
    demo: Demo,
) -> None:
    demo.slack.faults.lay(Fault("rate", times=1, path="chat.postMessage", seconds=3))
    emergency(demo)
    assert posts(demo) == []
    in_the_console(demo, "acknowledged")
    demo.clock.move(timedelta(seconds=5))
    demo.bot.drain()
    assert posts(demo) == []
    emergency(demo, SlackPatient(demo, "見本 次郎(サンプル)"))
    runtime = demo.bot.runtime
    with runtime.db.write() as tx:  # as if its answer were still on its way
        tx.execute(
            update(Outbox).where(Outbox.provider_ids != "[]", Outbox.channel == "staff").values(status="sending")
        )
    in_the_console(demo, "acknowledged")
    sweep(runtime)
    assert "[確認しました]" in shown(posts(demo)[0])
    with runtime.db.write() as tx:
        tx.execute(update(Outbox).where(Outbox.status == "sending").values(status="sent"))
    demo.clock.move(timedelta(seconds=3))
    demo.bot.drain()
    assert "さんが確認しました" in shown(posts(demo)[0])


def test_a_post_that_somebody_deleted_is_left_and_nothing_new_is_said(demo: Demo) -> None:
    emergency(demo)
    demo.slack.remove(STAFF_CHANNEL, posts(demo)[0].ts)
    in_the_console(demo, "acknowledged")
    demo.bot.drain()
    assert posts(demo) == []
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(Outbox.error).where(Outbox.status == "failed")).scalars().all() == [
            "message_not_found"
        ]


def test_what_nobody_confirms_is_called_again_then_to_everybody_and_not_for_ever(demo: Demo) -> None:
    emergency(demo)
    for _ in range(40):
        demo.clock.move(timedelta(minutes=5))
        demo.bot.drain()
    calls = posts(demo)
    assert len(calls) == 12
    assert [("<!channel>" in post.text) for post in calls] == [False] + [True] * 11
    assert "まだ確認されていません（5分経過、2回目のお知らせ）。" in shown(calls[1])
    press(demo, "確認しました", calls[3])
    demo.clock.move(timedelta(hours=1))
    demo.bot.drain()
    assert len(posts(demo)) == 12


def test_a_button_pressed_outside_the_staffs_channel_confirms_nothing(demo: Demo) -> None:
    emergency(demo)
    stranger = SlackPatient(demo, "見本 よその人(サンプル)")
    stranger.follow()
    action: Obj = {"type": "button", "action_id": "button:1", "value": "s|acknowledge|1", "text": {"text": "x"}}
    assert demo.slack_hooks.act(stranger.user_id, action, stranger.posts[0]).status == 200
    demo.bot.drain()
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(Alert.acknowledged_at)).scalars().all() == [None]


def test_a_crash_between_call_and_sending_neither_loses_nor_repeats_a_call(demo: Demo) -> None:
    patient = Patient(demo)
    patient.follow()
    demo.webhooks.say(patient.user_id, "おしっこが出にくいです")
    from bot.conversation import advance

    advance(demo.bot.runtime, 10)  # the alert is there, and the process dies
    assert sweep(demo.bot.runtime) == 1  # and dies again before it is sent
    assert posts(demo) == []
    assert sweep(demo.bot.runtime) == 0
    demo.bot.drain()
    assert len(posts(demo)) == 1


def test_alerts_from_before_the_channel_was_set_up_are_left_to_the_console(demo: Demo) -> None:
    emergency(demo)
    runtime = demo.bot.runtime
    old = runtime.now() - timedelta(days=3)
    with runtime.db.write() as tx:
        row = {"contact_id": 1, "urgency": "human", "flags": "[]", "origin": "wish", "opened_at": old, "call_at": old}
        tx.execute(insert(Alert), [{**row, "dedupe_key": f"old{n}"} for n in range(BATCH + 3)])
    for _ in range(3):
        demo.bot.drain()
    assert len(posts(demo)) == 1


def test_a_line_patients_red_flag_is_in_the_staffs_window_within_a_second(demo: Demo) -> None:
    with demo.bot.working():
        patient = demo.platform.chats.add_person("見本 三郎(サンプル)")
        demo.webhooks.follow(patient.user_id)
        _until(lambda: bool(demo.platform.chats.bubbles(patient.user_id)))
        demo.webhooks.say(patient.user_id, "おしっこが出にくくて、両足に力が入りません")
        _until(
            lambda: any(
                b.sender == "bot" and "119" in str(b.message) for b in demo.platform.chats.bubbles(patient.user_id)
            )
        )
        answered = time.monotonic()
        _until(lambda: bool(posts(demo)))
        assert time.monotonic() - answered < 5  # a busy machine's second; on an idle one it is under one


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.02)


def test_the_send_gate_stands_before_patients_and_not_before_staff(demo: Demo) -> None:
    from bot import gate

    gate.switch(demo.bot.runtime, "off", "test")
    emergency(demo)
    assert len(posts(demo)) == 1
    with demo.bot.runtime.db.read() as look:
        emptied = look.execute(select(Outbox.message).where(Outbox.channel == "staff")).scalars().all()
        assert emptied == [None]
