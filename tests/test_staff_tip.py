"""`/tip` in Slack: who may, what is shown first, and that it reaches both channels by the console's rules."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.simulator.demo import Demo
from bot.simulator.slack.page import STAFF
from bot.simulator.slack.workspace import STAFF_CHANNEL, Post
from bot.simulator.wire import Json, Obj
from bot.store.tables import Audit, Broadcast
from tests.patient import Patient, open_demo
from tests.slack_patient import SlackPatient, elements, read


@pytest.fixture
def demo(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> Iterator[Demo]:
    with open_demo(sqlite_copy(tmp_path)) as house:
        house.list_slack_staff()
        yield house


def agreed(patient: Patient) -> Patient:
    """A healthy newcomer who agreed to tips."""
    patient.follow()
    for label in (
        "体の確認",
        "同意して 20〜44歳",
        *["どれもない"] * 7,
        "1週間より短い",
        "年に1〜2回",
        "3",
        "腰が張る・重い",
    ):
        patient.tap(label)
    runtime = patient.demo.bot.runtime
    from dataclasses import replace

    from sqlalchemy import update

    from bot.store import codec
    from bot.store.tables import Contact

    consents = {**patient.state.consents, "tips": runtime.now()}
    values = {
        "state": codec.state_json(replace(patient.state, consents=consents)),
        "consents": codec.times_json(consents),
    }
    with runtime.db.write() as tx:
        tx.execute(update(Contact).where(Contact.user_id == patient.address).values(**values))
    return patient


def chosen(value: str) -> Obj:
    return {"chosen": {"type": "static_select", "selected_option": {"value": value, "text": {"text": value}}}}


def written(text: str) -> Obj:
    return {"chosen": {"type": "plain_text_input", "value": text}}


def open_modal(demo: Demo, who: str) -> Obj | None:
    assert demo.slack_hooks.command(who, "/tip").status == 200
    demo.bot.drain()
    return demo.slack.modals.get(who)


def submit(demo: Demo, who: str, values: Obj) -> None:
    assert demo.slack_hooks.submit(who, values).status == 200
    demo.bot.drain()


def posts(demo: Demo) -> list[Post]:
    return [post for post in demo.slack.posts(STAFF_CHANNEL) if post.sender == "bot"]


def press(demo: Demo, who: str, label: str) -> None:
    post = posts(demo)[-1]
    [button] = [one for one in elements(post.blocks, post) if one.label == label]
    assert demo.slack_hooks.act(who, button.action, post).status == 200
    demo.bot.drain()


def picked(demo: Demo, to: str = "everybody", when: str = "now") -> Obj:
    tip = demo.bot.runtime.content.tips[0].id
    return {"p|0|tip/choose|": chosen(tip), "p|0|tip/audience|": chosen(to), "p|0|tip/when|": chosen(when)}


def test_a_tip_chosen_in_slack_is_shown_counted_and_reaches_both_channels(demo: Demo) -> None:
    line, slack = agreed(Patient(demo)), agreed(SlackPatient(demo, "見本 次郎(サンプル)"))
    who = demo.slack.add(STAFF).user_id
    view = open_modal(demo, who)
    assert view is not None
    labels = [_label(block) for block in _blocks(view)]
    assert labels[0].startswith("どのひとことですか")
    assert "みなさん（2人）" in str(view)
    assert "LINE の方（1人）" in str(view)
    assert "initial_option" not in str(view)
    submit(demo, who, picked(demo))
    title = demo.bot.runtime.content.tips[0].title.ja
    shown = "\n".join(read(posts(demo)[-1].blocks))
    assert title in shown
    assert "届く方：2人" in shown
    before = [len(line.bubbles), len(slack.demo.slack.posts("D" + slack.user_id[1:]))]
    press(demo, who, "この内容で送る")
    assert "さんが送りました（2人、いますぐ）" in "\n".join(read(posts(demo)[-1].blocks))
    after = [len(line.bubbles), len(slack.demo.slack.posts("D" + slack.user_id[1:]))]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]
    assert title in str(line.bubbles[-1].message)
    with demo.bot.runtime.db.read() as look:
        assert "broadcast_start" in {a.replace(".", "_") for a in look.execute(select(Audit.action)).scalars()}


def test_whoever_is_not_listed_opens_nothing_and_is_told_why(demo: Demo) -> None:
    stranger = SlackPatient(demo, "見本 よその人(サンプル)")
    assert open_modal(demo, stranger.user_id) is None
    assert "登録されたスタッフだけ" in "\n".join(read(stranger.posts[-1].blocks))


def test_own_words_need_both_languages_and_a_number_that_changed_is_not_sent_to(demo: Demo) -> None:
    agreed(Patient(demo))
    who = demo.slack.add(STAFF).user_id
    open_modal(demo, who)
    rest = {name: value for name, value in picked(demo).items() if "choose" not in name}
    submit(demo, who, {**rest, "write_ja": written("よく休みましょう。"), "write_en": written("")})
    assert posts(demo) == []
    open_modal(demo, who)
    submit(demo, who, {**rest, "write_ja": written("よく休みましょう。"), "write_en": written("Rest well.")})
    assert "よく休みましょう。" in "\n".join(read(posts(demo)[-1].blocks))
    agreed(Patient(demo, "見本 二人目(サンプル)"))
    press(demo, who, "この内容で送る")
    assert "送っていません" in "\n".join(read(posts(demo)[-1].blocks))
    with demo.bot.runtime.db.read() as look:
        assert look.execute(select(Broadcast.status)).scalars().all() == ["draft"]


def test_a_modal_that_could_not_open_in_three_seconds_is_not_opened_later(demo: Demo) -> None:
    who = demo.slack.add(STAFF).user_id
    demo.slack_hooks.command(who, "/tip")
    from datetime import timedelta

    demo.clock.move(timedelta(seconds=4))
    demo.bot.drain()
    assert who not in demo.slack.modals


def _blocks(view: Obj) -> list[Json]:
    blocks = view["blocks"]
    assert isinstance(blocks, list)
    return blocks


def _label(block: Json) -> str:
    assert isinstance(block, dict)
    label = block["label"]
    assert isinstance(label, dict)
    return str(label["text"])
