"""The page of content: every flow drawn whole, every word in both languages, the check as it is, and a way to try it."""

import time
from datetime import UTC, datetime
from html import unescape
from itertools import combinations
from pathlib import Path

import pytest
import urllib3

from bot.access import Role
from bot.content import graph
from bot.content.model import Branch, Case, Content, Node
from bot.content.notation import condition
from bot.messages import LOCALES, Locale
from bot.simulator.demo import Demo
from bot.web.console import checking
from bot.web.console.flow_picture import LINE, LINES, Drawing, cut, draw, wrapped
from tests.console.staff import signed_in
from tests.test_check import base

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def drawings(content: Content, locale: Locale = "ja") -> dict[str, Drawing]:
    spots = graph.build(content)
    return {flow.id: draw(content, spots, flow, locale, "otherwise") for flow in content.flows.values()}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_node_is_drawn_once_inside_the_picture_and_upon_no_other(content: Content, locale: Locale) -> None:
    for name, drawing in drawings(content, locale).items():
        own = [box.name for box in drawing.boxes if box.kind != "flow"]
        assert sorted(own) == sorted(node.id for node in content.flows[name].node)
        for box in drawing.boxes:
            assert 0 <= box.x <= drawing.width - drawing.box_width
            assert 0 <= box.y <= drawing.height - drawing.box_height
        for one, two in combinations(drawing.boxes, 2):
            apart = abs(one.x - two.x) >= drawing.box_width or abs(one.y - two.y) >= drawing.box_height
            assert apart, (name, one.name, two.name)


def test_every_way_is_drawn_and_leads_down_or_out(content: Content) -> None:
    for name, drawing in drawings(content).items():
        exits = {(node.id, to) for node in content.flows[name].node for to in graph.exits(node)}
        assert len(drawing.lines) == len(exits), name
        for line in drawing.lines:
            assert float(line.path.split()[1].lstrip("M")) < float(line.path.split()[-1].lstrip("V"))


def test_ways_of_a_box_say_what_they_are_for_where_they_differ(content: Content) -> None:
    labels = {line.label for line in drawings(content)["after"].lines}
    assert "しびれ・力が入らない" in labels
    assert "otherwise" in labels
    assert {line.label for line in drawings(content)["assess"].lines} == set()


def test_a_line_of_a_box_is_never_longer_than_it() -> None:
    for text in ("あ" * 100, "one two three " * 20, "x" * 100, "短い", ""):
        lines = wrapped(text)
        assert len(lines) <= LINES
        for line in lines:
            assert cut(line[:-1], LINE) == line[:-1], "but for a full stop that may hang out"
    assert wrapped("Your age, together with your consent") == ["Your age, together", "with your consent"]


def test_conditions_read_as_they_stand_in_the_files(content: Content) -> None:
    said = [condition(case.when) for flow in content.flows.values() for node in flow.node for case in _cases(node)]
    assert "standing = locked" in said
    assert "pain_after ≥ +2" in said
    assert all(said)


def _cases(node: Node) -> tuple[Case, ...]:
    return node.cases if isinstance(node, Branch) else ()


def test_everybody_on_the_staff_reads_every_word_in_both_languages(small_demo: Demo) -> None:
    member, content = signed_in(small_demo, Role.ASSISTANT), small_demo.bot.runtime.content
    for flow in content.flows.values():
        page = unescape(member.see(f"/console/content?flow={flow.id}"))
        for node in flow.node:
            for words in [getattr(node, "text", None), *(one.label for one in getattr(node, "options", ()))]:
                for locale in LOCALES if words is not None else ():
                    assert words.to(locale).strip() in page, (flow.id, node.id, locale)
    assert member.get("/console/content?flow=nothing").status_code == 404
    screening = unescape(member.see("/console/content"))
    asked = {one for node in content.flows["screening"].node for one in getattr(node, "items", ())}
    for item in content.safety.item:
        assert (item.text.ja in screening) == (item.id in asked)


def test_trying_it_is_offered_where_the_demos_phone_is_and_nowhere_else(small_demo: Demo) -> None:
    member = signed_in(small_demo)
    assert "電話の画面で試す" not in member.see("/console/content"), "the bot's own application, as a clinic runs it"
    assert "電話の画面で試す" not in member.web.get(
        "/console/content", headers={"selfcare.try_it": "/evil", "X-Selfcare-Try-It": "/evil"}
    ).get_data(as_text=True)
    cookie = member.web.get_cookie("console", path="/console")
    assert cookie is not None
    with urllib3.PoolManager() as web:
        page = web.request("GET", f"{small_demo.url}/console/content", headers={"Cookie": f"console={cookie.value}"})
    assert 'href="/">電話の画面で試す' in page.data.decode()


def test_the_check_is_of_the_folder_as_it_lies_there(tmp_path: Path) -> None:
    folder = base(tmp_path)
    sound = checking.run(folder, NOW)
    assert not sound.failed
    assert len(sound.lines) == 1
    assert sound.version
    flow = folder / "flows" / "after.toml"
    flow.write_text(flow.read_text(encoding="utf-8").replace("How was it?", "いかがでしたか？"), encoding="utf-8")
    broken = checking.run(folder, NOW)
    assert broken.failed
    assert any("not_english" in line for line in broken.lines)
    assert broken.version != sound.version


def test_a_check_that_cannot_be_run_is_no_sound_content(small_demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CODE", "raise SystemExit(9)")
    member = signed_in(small_demo)
    first = member.see("/console/content")
    assert 'data-part="/console/content/check"' in first
    found = ""
    for _ in range(100):
        if "確認できませんでした" in (found := member.see("/console/content/check")):
            break
        time.sleep(0.05)
    assert "確認できませんでした（問題がないという意味ではありません）" in found
    assert "問題はありません。" not in found
