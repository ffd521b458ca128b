"""Reading content/: what is right comes out whole, what is wrong is said all at once and where it stands."""

import shutil
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from bot.content.conditions import View, judge
from bot.content.load import ContentError, load
from bot.messages import Command, Disposition

ROOT = Path(__file__).parent.parent
FACTORS = ("load", "lifestyle", "posture", "surroundings", "stress_sleep")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the real content, to be spoilt."""
    return Path(shutil.copytree(ROOT / "content", tmp_path / "content"))


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(ContentError) as caught:
        load(folder)
    return [(found.file, found.item, found.problem) for found in caught.value.problems]


def test_the_content_that_is_shipped_can_be_read() -> None:
    content = load(ROOT / "content")
    flows = {"screening", "today", "after", "consents", "assess", "change", "factors", "peg"}
    assert set(content.flows) == flows
    assert set(content.routines) == {"low_back", "hip", "both", "gentle_movement"}
    assert set(content.phrases.commands) == set(Command)
    assert [content.flows[name].id for name in sorted(content.flows)] == sorted(content.flows)


def test_six_tips_stand_for_each_of_the_five_factors() -> None:
    tips = load(ROOT / "content").tips
    assert {factor: sum(t.factor == factor for t in tips) for factor in FACTORS} == dict.fromkeys(FACTORS, 6)
    assert len({t.id for t in tips}) == len(tips)


def test_only_one_routine_is_free_of_pressure_and_it_needs_no_tool() -> None:
    routines = load(ROOT / "content").routines.values()
    [gentle] = [r for r in routines if not r.pressure]
    assert {s.tool for s in (*gentle.step, *gentle.after)} == {"none"}


def test_the_hands_come_before_the_ball_and_are_enough_alone() -> None:
    for routine in load(ROOT / "content").routines.values():
        tools = [s.tool for s in routine.step if s.tool != "none"]
        if routine.pressure:
            assert "hand" in tools
            assert "ball" not in tools or tools.index("ball") > tools.index("hand")


def test_no_routine_lasts_longer_than_its_limit() -> None:
    for routine in load(ROOT / "content").routines.values():
        seconds = sum(s.seconds * (2 if s.side == "each" else 1) for s in routine.step)
        short = sum((s.seconds_short or s.seconds) * (2 if s.side == "each" else 1) for s in routine.step)
        assert short <= seconds <= routine.minutes_max * 60
        assert not routine.pressure or seconds >= 120


def test_an_emergency_fits_in_one_short_message_with_the_phone_first() -> None:
    safety = load(ROOT / "content").safety
    for advice in safety.advice:
        if advice.disposition is not Disposition.EMERGENCY:
            continue
        reasons = [f.reason for f in safety.flag if (f.advice or f.disposition.value) == advice.id]
        longest = max((len(r.ja) for r in reasons), default=0)
        assert len(advice.title.ja) + len(advice.text.ja.replace("{reason}", "")) + longest <= 120
        assert advice.actions[0].phone == "ambulance"


def test_everybody_who_must_not_wait_is_told_what_would_be_an_emergency() -> None:
    for advice in load(ROOT / "content").safety.advice:
        if advice.disposition is not Disposition.EMERGENCY:
            assert advice.net is not None
            assert "119" in advice.net.ja
            assert "119" in advice.net.en


def test_night_pain_alone_is_for_a_doctor_and_with_another_sign_for_today() -> None:
    flags = load(ROOT / "content").safety.flag
    alone = judge(flags, View({"night_pain": "yes", "weight_loss": "no"}))
    assert alone.worst is Disposition.DOCTOR
    both = judge(flags, View({"night_pain": "yes", "weight_loss": "yes"}))
    assert both.worst is Disposition.URGENT


def test_a_first_back_pain_at_52_is_no_sign_by_itself() -> None:
    flags = load(ROOT / "content").safety.flag
    answers = {"age": "a50", "recurrence": "first"}
    assert judge(flags, View(answers)).worst is None
    assert judge(flags, View({**answers, "named": "yes"})).worst is Disposition.DOCTOR


def test_the_version_changes_with_a_sentence_and_with_a_picture(folder: Path) -> None:
    before = load(folder).version
    assert load(folder).version == before
    spoil(folder / "clinic.toml", "からだ塾", "からだ堂")
    after = load(folder).version
    (folder / "media" / "new.png").write_bytes(b"")
    assert len({before, after, load(folder).version}) == 3


def test_a_misspelt_key_is_named_with_the_id_of_what_holds_it(folder: Path) -> None:
    spoil(folder / "flows" / "screening.toml", 'id = "e2"\nstep = 3', 'id = "e2"\nstepp = 3')
    [(file, item, problem)] = problems(folder)
    assert (file, item) == ("flows/screening.toml", "node.e2.card.stepp")
    assert "not permitted" in problem


def test_a_condition_that_is_none_is_one_problem_not_one_for_each_kind(folder: Path) -> None:
    spoil(folder / "red_flags.toml", '{ answer = "saddle", any_of', '{ anser = "saddle", any_of')
    [(file, item, problem)] = problems(folder)
    assert (file, item) == ("red_flags.toml", "flag.saddle_new.when.0")
    assert "anser" in problem


def test_everything_wrong_is_said_at_once(folder: Path) -> None:
    (folder / "menu.toml").unlink()
    (folder / "clinic.toml").write_text("name = ", encoding="utf-8")
    (folder / "phrases.toml").write_bytes(b'a = "\xff"')
    spoil(folder / "routines" / "hip.toml", "per_day = 2", "per_day = 9")
    spoil(folder / "routines" / "hip.toml", 'side = "each"', 'side = "front"')
    found = problems(folder)
    assert {file for file, _, _ in found} == {"menu.toml", "clinic.toml", "phrases.toml", "routines/hip.toml"}
    assert {item for file, item, _ in found if file == "routines/hip.toml"} == {"per_day", "step.outer.side"}


@pytest.mark.parametrize("name", ["flows", "routines", "tips"])
def test_an_empty_folder_is_a_problem(folder: Path, name: str) -> None:
    shutil.rmtree(folder / name)
    assert (name, "", "the folder is missing or has no .toml file") in problems(folder)


def test_a_flow_is_called_as_its_file_and_by_no_other_name(folder: Path) -> None:
    spoil(folder / "flows" / "today.toml", "begins_with", 'id = "tomorrow"\nbegins_with')
    [(file, item, _)] = problems(folder)
    assert (file, item) == ("flows/today.toml", "id")


def test_a_damaged_file_never_crashes(folder: Path) -> None:
    (folder / "wording.toml").unlink()  # is read by the check alone
    cuts: tuple[Callable[[str], str], ...]
    cuts = (lambda text: text[: len(text) // 2] + "\n= ", lambda text: "", lambda text: "[[flag]]\n" + text)
    for path, cut in zip(sorted(folder.rglob("*.toml")), cycle(cuts), strict=False):
        whole = path.read_text(encoding="utf-8")
        path.write_text(cut(whole), encoding="utf-8")
        assert {file for file, _, _ in problems(folder)} == {path.relative_to(folder).as_posix()}
        path.write_text(whole, encoding="utf-8")
