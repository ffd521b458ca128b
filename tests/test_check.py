"""The content check: each issue code is found where the smallest broken content has it, and nothing else is."""

import shutil
import time
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from bot.content.check import check, render
from bot.content.issue import Code
from bot.content.model import Content, Picture, Reply, Wording
from bot.messages import TOKEN_MAX, Command, PickToken, encode_token

ROOT = Path(__file__).parent.parent
BROKEN = Path(__file__).parent / "broken"
CODES = sorted(folder.name for folder in BROKEN.iterdir() if (folder / "broken.toml").exists())
TODAY = date(2026, 6, 1)


def base(folder: Path) -> Path:
    """A copy of the smallest content that is right. Files that are only a list of sentences are made up here."""
    copy = Path(shutil.copytree(BROKEN / "base", folder / "content"))
    for name, field in Content.model_fields.items():
        file = copy / ("words.toml" if name == "vocabulary" else f"{name}.toml")
        model = field.annotation
        if (
            isinstance(model, type)
            and issubclass(model, BaseModel)
            and name
            not in ("safety", "clinic", "menu", "reminders", "likeness", "requests", "programme", "pacing", "nudges")
        ):
            file.write_text(
                "".join(f"{n} = {smallest(f.annotation)}\n" for n, f in model.model_fields.items()), "utf-8"
            )
    return copy


def smallest(kind: object) -> str:
    """The smallest value of a field, as TOML."""
    if kind is Wording:
        return '{ ja = "言葉", en = "Words" }'
    if kind is Picture:
        return '{ file = "hand.png", alt = { ja = "絵", en = "Picture" } }'
    if kind is str:
        return '"words"'
    if kind is int:
        return "1"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = ", ".join(f"{n} = {smallest(f.annotation)}" for n, f in kind.model_fields.items())
        return f"{{ {fields} }}"
    inner = get_args(kind)
    if get_origin(kind) is Literal:
        return f'"{inner[0]}"'
    if get_origin(kind) is tuple:
        return f"[{smallest(inner[0])}]" if inner[0] in (Wording, Reply) else "[]"
    if inner and inner[0] is Command:
        return f"{{ {', '.join(f'{c.value} = {smallest(inner[1])}' for c in Command)} }}"
    assert get_origin(kind) in (dict, Mapping), kind
    return "{}"


def break_with(folder: Path, table: Path) -> tuple[list[str], list[str]]:
    """Applies the edits of a broken.toml. What is then found, and what it says must be found."""
    broken = tomllib.loads(table.read_text(encoding="utf-8"))
    for edit in broken.get("edit", []):
        file = folder / edit["file"]
        text = file.read_text(encoding="utf-8")
        assert text.count(edit["old"]) == 1, f"{edit['old']!r} stands {text.count(edit['old'])} times"
        file.write_text(text.replace(edit["old"], edit["new"]), encoding="utf-8")
    for name in broken.get("remove", []):
        (folder / name).unlink()
    report = check(folder, TODAY)
    return [f"{i.file}: {i.item}: {i.code}" for i in report.issues], broken["found"]


def test_the_smallest_content_that_is_right_has_no_issue(tmp_path: Path) -> None:
    report = check(base(tmp_path), TODAY)
    assert report.issues == ()
    assert not report.failed


def test_paths_are_counted_exactly(tmp_path: Path) -> None:
    """By hand: the card of one line ends by 2 answers and goes on by 2; that of three ends by 2 and goes on by 1 + 3 x 3;
    then there are eleven pains."""
    report = check(base(tmp_path), TODAY)
    e1_clear, e1_ends = 2, 2
    u1_clear, u1_ends = 1 + 1 * 3 * 3, 2
    from_e1 = e1_ends + e1_clear * (u1_ends + u1_clear * 11)
    assert report.walked["screening"] == from_e1 + (from_e1 + 1)  # with consent, and by asking for it or declining
    assert report.walked["after"] == 1 + 1  # the report; without consent the engine leads to the screening


@pytest.mark.parametrize("code", CODES)
def test_each_broken_content_has_its_issue_and_no_other(tmp_path: Path, code: str) -> None:
    found, expected = break_with(base(tmp_path), BROKEN / code / "broken.toml")
    assert found == expected
    assert {line.rpartition(" ")[2] for line in found} == {code}


def test_every_code_of_the_check_has_its_broken_content() -> None:
    assert list(get_args(Code)) == CODES


def test_the_longest_button_that_ids_allow_fits_a_postback() -> None:
    """Ids have at most 40 characters, so no content can make a token too long."""
    longest = "x" * 40
    token = PickToken(999_999_999, f"{longest}/{longest}/{longest}", longest)
    assert len(encode_token(token)) <= TOKEN_MAX


def test_the_check_is_told_line_by_line_with_what_was_walked(tmp_path: Path) -> None:
    folder = base(tmp_path)
    break_with(folder, BROKEN / "unsure_is_no" / "broken.toml")
    lines = render(check(folder, TODAY)).splitlines()
    assert lines[0] == "red_flags.toml: thinner: unsure_is_no: nothing counts the answer 'unsure'"
    assert lines[-1].startswith("1 errors, 0 warnings; 490 paths walked (screening 453, ")


def test_a_source_that_only_tips_rest_on_warns_when_its_day_is_past(tmp_path: Path) -> None:
    folder = base(tmp_path)
    flags, tips = folder / "red_flags.toml", folder / "tips" / "load.toml"
    old = '[[source]]\nid = "blog"\ntitle = "A blog"\nyear = 2020\nwhere = "x"\nreviewed_on = 2025-01-01\n'
    flags.write_text(flags.read_text(encoding="utf-8") + old + "review_by = 2026-01-01\n", encoding="utf-8")
    tips.write_text(tips.read_text(encoding="utf-8").replace('"guide"', '"blog"'), encoding="utf-8")
    [issue] = check(folder, TODAY).issues
    assert (issue.code, issue.severity, check(folder, TODAY).failed) == ("out_of_date", "warning", False)


def test_a_missing_list_of_refused_words_is_an_error(tmp_path: Path) -> None:
    folder = base(tmp_path)
    (folder / "wording.toml").unlink()
    [issue] = check(folder, TODAY).issues
    assert (issue.file, issue.code) == ("wording.toml", "unreadable")


def test_an_illness_may_be_named_in_a_question_but_not_in_what_we_say(tmp_path: Path) -> None:
    folder = base(tmp_path)
    spoil(folder / "red_flags.toml", 'ja = "言われた名前"', 'ja = "ヘルニアの疑い"')
    [issue] = check(folder, TODAY).issues
    assert (issue.item, issue.code) == ("named.reason", "refused_wording")


RULE = """[[rule]]
id = "again"
when = [{ told = "fever", any_of = ["no"] }]
text = { ja = "くり返す方には、評価があります。", en = "As it comes back: an assessment." }
source = "guide"
"""
"""A nudge with which nothing is wrong."""

TITLE = 'title = { ja = "言葉", en = "Words" }'

SPOILT: Mapping[str, tuple[str, str, str, list[str]]] = {
    "an answer nobody gives": ("nudges.toml", '["no"]', '["never"]', ["again: unknown_value"]),
    "a question nobody asks": ("nudges.toml", 'told = "fever"', 'told = "mood"', ["again: unknown_answer"]),
    "an answer nobody gives that keeps it back": (
        "nudges.toml",
        "[[rule]]",
        'never = [{ told = "fever", any_of = ["under18"] }]\n[[rule]]',
        ["never: unknown_value"],
    ),
    "no source": ("nudges.toml", 'source = "guide"', 'source = "hearsay"', ["again: unknown_source"]),
    "the same id twice": ("nudges.toml", RULE, RULE + RULE, ["again: duplicate_id"]),
    "a cure": ("nudges.toml", "くり返す方には、", "腰痛が治ります。", ["rule.again.text: refused_wording"]),
    "an illness": ("nudges.toml", "くり返す方には、", "ヘルニアの方には、", ["rule.again.text: refused_wording"]),
    "a discount": ("nudges.toml", "くり返す方には、", "いま半額の、", ["rule.again.text: refused_wording"]),
    "a discount at the booking": (
        "booking.toml",
        TITLE,
        'title = { ja = "半額", en = "Words" }',
        ["title: refused_wording"],
    ),
    "one language": (
        "nudges.toml",
        'en = "As it comes back: an assessment."',
        'en = ""',
        ["rule.again.text: empty_text"],
    ),
    "a place that nothing fills": (
        "nudges.toml",
        "くり返す方には、",
        "{name}さんには、",
        ["rule.again.text: unknown_place"],
    ),
    "a button too long": (
        "nudges.toml",
        'label_open = { ja = "言葉"',
        f'label_open = {{ ja = "{"言" * 21}"',
        ["label_open: long_label"],
    ),
    "a nudge in the first session": ("nudges.toml", "sessions = 2", "sessions = 1", ["sessions: unreadable"]),
    "two nudges a week": ("nudges.toml", "every_days = 7", "every_days = 3", ["every_days: unreadable"]),
    "a sign that is none": ("nudges.toml", 'told = "fever"', 'mood = "low"', ["rule.again.when.0: unreadable"]),
    "an appointment without its time": (
        "booking.toml",
        'ask_confirm = { ja = "言葉", en = "Words" }',
        'ask_confirm = { ja = "{day} {hour} ですか？", en = "{day}?" }',
        ["ask_confirm: unknown_place"],
    ),
    "a place in one language only": (
        "booking.toml",
        'offer = { ja = "言葉", en = "Words" }',
        'offer = { ja = "{minutes}分のあいだ", en = "For a while" }',
        ["offer: unknown_place"],
    ),
    "a promise": ("booking.toml", TITLE, 'title = { ja = "治ります", en = "Words" }', ["title: refused_wording"]),
    "English in Japanese": ("booking.toml", TITLE, 'title = { ja = "Words", en = "Words" }', ["title: not_japanese"]),
    "Japanese in English": ("booking.toml", TITLE, 'title = { ja = "言葉", en = "言葉" }', ["title: not_english"]),
    "buttons of which most are missing": (
        "booking.toml",
        "labels = {}",
        'labels = { keep = { ja = "そのまま", en = "Keep" } }',
        ["unreadable"],
    ),
    "an hour that ends before it begins": (
        "clinic.toml",
        "[[phone_line]]",
        '[booking]\ncalendar = { hours = [{ weekday = 1, opens = "19:00", closes = "10:00" }] }\n\n[[phone_line]]',
        ["booking.calendar.hours.0: unreadable"],
    ),
    "no seat": (
        "clinic.toml",
        "[[phone_line]]",
        "[booking]\ncalendar = { seats = 0 }\n\n[[phone_line]]",
        ["booking.calendar.seats: unreadable"],
    ),
}
"""What can be wrong with nudges and with appointments: the file, what is changed in it, and what is then found."""


@pytest.mark.parametrize("wrong", SPOILT)
def test_what_is_wrong_with_nudges_and_appointments_is_found_where_it_stands(tmp_path: Path, wrong: str) -> None:
    folder = base(tmp_path)
    nudges = folder / "nudges.toml"
    nudges.write_text(nudges.read_text(encoding="utf-8").replace("rule = []", RULE), encoding="utf-8")
    assert check(folder, TODAY).issues == ()
    file, old, new, found = SPOILT[wrong]
    spoil(folder / file, old, new)
    issues = check(folder, TODAY).issues
    assert {i.file for i in issues} == {file}
    told = dict.fromkeys(f"{i.item}: {i.code}".removeprefix(": ") for i in issues)
    assert [line for line in told if not line.startswith("rule.again.when.0.")] == found


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_content_that_is_shipped_is_proved_in_under_ten_seconds() -> None:
    begun = time.perf_counter()
    report = check(ROOT / "content", date(2026, 12, 1))
    assert [i for i in report.issues if i.severity == "error"] == []
    assert set(report.walked) == {"screening", "today", "after", "consents", "peg", "change", "factors", "assess"}
    assert report.paths > 10**12
    assert time.perf_counter() - begun < 10
