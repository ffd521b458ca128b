"""The page of outcomes: true numbers, by role, and what cannot be read is never nought."""

import csv
import io
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, text

from bot.access import Role
from bot.outcomes import Funnel
from bot.simulator.demo import Demo
from bot.store.tables import Asked, Audit, Contact
from bot.web.console.bars import Column, columns, percent
from bot.web.console.outcomes_page import SPARED, Counts, signed
from tests.console.staff import signed_in
from tests.patient import Patient
from tests.test_care_pages import screened
from tests.test_outcomes import NOW, PEOPLE, plant


@pytest.fixture
def planted(small_demo: Demo) -> Demo:
    """People whose right answers stand in tests/test_outcomes.py."""
    plant(small_demo.bot.runtime.db, PEOPLE)
    small_demo.clock.move(NOW - small_demo.clock.now())
    return small_demo


def rows(answer: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.decode("utf-8-sig"))))


def test_a_conversation_leaves_which_questions_it_asked(demo: Demo) -> None:
    finished, gone = Patient(demo), Patient(demo, "見本 太郎(サンプル)")
    gone.follow()
    gone.tap("体の確認")
    gone.tap("同意して 20〜44歳")
    screened(finished)
    with demo.bot.runtime.db.read() as look:
        found = look.execute(
            select(Contact.user_id, Asked.question, Asked.turn)
            .join(Contact, Contact.id == Asked.contact_id)
            .order_by(Asked.turn)
        ).all()
    assert [question for user_id, question, _ in found if user_id == gone.user_id] == ["age", "e1"]
    whole = [question for user_id, question, _ in found if user_id == finished.user_id]
    assert whole[:2] == ["age", "e1"]
    assert len(whole) == len(set(whole)) > 8
    gone.say("もどる")
    with demo.bot.runtime.db.read() as look:
        again = look.execute(select(Asked.question).join(Contact).where(Contact.user_id == gone.user_id))
        assert sorted(again.scalars()) == ["age", "e1"]
    page = signed_in(demo).see("/console/outcomes")
    assert "始めた方 2人、結果まで進んだ方 1人、途中の方 1人" in page


def test_the_page_and_the_file_say_the_same_numbers(planted: Demo) -> None:
    member = signed_in(planted, Role.THERAPIST)
    page = member.see("/console/outcomes")
    assert "<b>4</b> / 5</span>" in page, "fewer than ten: no percentage"
    assert '<b>11</b> / 12</span> <span class="soft number">92%</span>' in page
    answer = member.get("/console/outcomes.csv")
    assert answer.mimetype == "text/csv"
    lines = rows(answer.data)
    assert lines[0] == ["項目", "内容", "人数・数", "母数", "％"]
    funnel = {line[1]: line[2:] for line in lines if line[0] == "友だちから評価まで"}
    assert funnel["友だち"] == ["12", "", ""]
    assert funnel["同意"] == ["11", "12", "91.7"]
    assert funnel["4週目も続けている"] == ["4", "5", ""]
    pain = [line[1:4] for line in lines if line[0] == "4週目（22〜28日目）"]
    assert pain == [["'-3 点", "1", "2"], ["'+2 点", "1", "2"]], "no cell begins like a formula"
    with planted.bot.runtime.db.read() as look:
        assert look.execute(select(Audit.actor).where(Audit.action == "outcomes_exported")).scalars().all() == [
            member.name
        ]


def test_a_question_that_content_no_longer_has_stands_there_by_its_id_and_does_nothing(planted: Demo) -> None:
    hostile = "=cmd|<script>x</script>"
    with planted.bot.runtime.db.write() as tx:
        person = tx.execute(select(Contact.id).limit(1)).scalar_one()
        now = planted.clock.now()
        tx.execute(
            insert(Asked), {"contact_id": person, "question": hostile, "turn": 9, "first_at": now, "asked_at": now}
        )
    member = signed_in(planted)
    assert "<script>x" not in member.see("/console/outcomes")
    assert ["'" + hostile] == [line[1] for line in rows(member.get("/console/outcomes.csv").data) if "cmd" in line[1]]


def test_the_chosen_time_is_kept_and_anything_else_is_everything(planted: Demo) -> None:
    member = signed_in(planted)
    page = member.see("/console/outcomes?days=30")
    assert "/console/outcomes.csv?days=30" in page
    assert "数えはじめてから、体の確認を始めた方はまだいません。" in page
    for other in ("31", "x"):
        page = member.see(f"/console/outcomes?days={other}")
        assert '<a href="/console/outcomes" aria-current="true">全期間</a>' in page
        assert "/console/outcomes.csv?" not in page


def test_a_part_that_cannot_be_read_says_so_and_is_not_nought(planted: Demo) -> None:
    with planted.bot.runtime.db.write() as tx:
        tx.execute(text("DROP TABLE asked"))
        tx.execute(text("DROP TABLE booking"))
    member = signed_in(planted)
    page = member.see("/console/outcomes")
    assert page.count("読めませんでした（0という意味ではありません）") == 2
    assert "<b>4</b> / 5</span>" in page, "the other parts are there"
    unread = [line for line in rows(member.get("/console/outcomes.csv").data) if "読めませんでした" in line[1]]
    assert [(line[0], line[2]) for line in unread] == [
        ("友だちから評価まで", ""),
        ("体の確認：どの質問でやめたか", ""),
    ]


def test_who_may_not_see_outcomes_sees_neither_page_nor_file(small_demo: Demo) -> None:
    member = signed_in(small_demo, Role.ASSISTANT)
    assert member.get("/console/outcomes").status_code == 403
    assert member.get("/console/outcomes.csv").status_code == 403
    assert "/console/outcomes" not in member.see("/console/")


def test_nobody_at_all_is_said_in_words(small_demo: Demo) -> None:
    page = signed_in(small_demo).see("/console/outcomes")
    assert "はじめてのケアから1週間がすぎた方は、まだいません。" in page
    assert page.count("両方を答えた方は、まだいません。") == 2
    assert "%</span>" not in page


def test_a_share_is_given_of_ten_people_and_never_rounded_to_none_or_all() -> None:
    assert [percent(3, 9), percent(3, 10), percent(0, 10), percent(10, 10)] == ["", "30%", "0%", "100%"]
    assert [percent(1, 1000), percent(999, 1000)] == ["<1%", ">99%"]
    assert [signed(-0.04, 1), signed(2), signed(-1.25, 1)] == ["0.0", "+2", "-1.2"]


def test_columns_stand_beside_each_other_inside_the_chart() -> None:
    made = columns([Column(str(n), n, "", "main") for n in range(21)], 20)
    assert all(one.x + one.width <= two.x for one, two in zip(made.bars, made.bars[1:], strict=False))
    assert made.bars[0].height == 0
    assert made.bars[-1].y > 0
    assert made.bars[-1].x + made.bars[-1].width <= made.right
    assert columns([], 0).bars == ()


def test_what_took_long_to_count_is_counted_anew_after_a_while(planted: Demo) -> None:
    runtime, seconds = planted.bot.runtime, itertools.count(step=30)
    counts = Counts(lambda: float(next(seconds)))

    def friends() -> int:
        found = counts.read(runtime, None).funnel.value
        assert found is not None
        return found.friends

    assert friends() == 12
    with runtime.db.write() as tx:
        tx.execute(delete(Contact))
    planted.clock.move(timedelta(seconds=30 * SPARED - 1))
    assert friends() == 12
    assert counts.read(runtime, 30).funnel.value == Funnel(*[0] * 9), "each time chosen is counted by itself"
    planted.clock.move(timedelta(seconds=1))
    assert friends() == 0


def test_the_page_says_when_it_was_counted(planted: Demo) -> None:
    assert "2026/7/10 12:00 に数えました。" in signed_in(planted).see("/console/outcomes")
