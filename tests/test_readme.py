"""What the READMEs, the settings' example and the files for deployment say is true of the program."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import click
import pytest
from dotenv import dotenv_values
from PIL import Image

from app import app
from bot.config import Settings
from bot.content.check import check

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.ja.md")
WRITTEN = (*READMES, "deploy/README.md", ".env.example")
UNITS = sorted((ROOT / "deploy").glob("*.service"))
TODAY = date(2026, 12, 1)
"""A day on which the README's example of a source is in date."""

FENCE = re.compile(r"^```\w*\n(.*?)^```", re.S | re.M)
SPAN = re.compile(r"`([^`\n]+)`")
INDENTED = re.compile(r"^ {4,}\S.*$", re.M)
SETTING = re.compile(
    r"\b(?:(?:LINE|SLACK|RETENTION)_[A-Z_]+|DATABASE_URL|SECRET_KEY|PUBLIC_URL|CONTENT_DIR|SEND_GATE)\b"
)
COMMAND = re.compile(r"\bflask((?: +(?:--)?[a-z]+\b)+)")
MAKE = re.compile(r"\bmake ([a-z]+)")
FILE = re.compile(
    r"(?<![\w/.-])((?:bot|content|tests|deploy|docs|migrations)/[\w./@-]*|(?:app\.py|LICENSE|\.env\.example))"
)
INSTALLED = re.compile(r"/opt/selfcare-guide/((?!\.venv)\S+)")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(name: str) -> list[str]:
    """What stands in code: spans, fenced and indented blocks."""
    found = text(name)
    blocks = FENCE.findall(found)
    rest = FENCE.sub("", found)
    return [*blocks, *SPAN.findall(rest), *INDENTED.findall(rest)]


def names(pattern: re.Pattern[str], name: str) -> set[str]:
    return {match for piece in code(name) for match in pattern.findall(piece)}


def commands(name: str) -> set[tuple[str, ...]]:
    return {tuple(found.split()) for found in names(COMMAND, name)}


def options_of(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def follow(words: tuple[str, ...]) -> None:
    """Fails when there is no such command, or it has no such option."""
    here: click.Command = app.cli
    for word in words:
        if word.startswith("--"):
            assert word in options_of(here), f"flask {' '.join(words)}: no option {word}"
        elif isinstance(here, click.Group):
            assert word in here.commands, f"flask {' '.join(words)}: no command {word}"
            here = here.commands[word]


@pytest.mark.parametrize("name", WRITTEN[:3])
def test_every_command_that_is_written_exists(name: str) -> None:
    found = commands(name)
    assert found
    for words in found:
        follow(words)


@pytest.mark.parametrize("name", READMES)
def test_every_make_target_that_is_written_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.M))
    found = names(MAKE, name)
    assert {"demo", "test", "install"} <= found
    assert found <= targets


@pytest.mark.parametrize("name", WRITTEN)
def test_every_setting_that_is_written_exists(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    assert set(SETTING.findall(text(name))) <= known


@pytest.mark.parametrize("name", [*READMES, ".env.example"])
def test_every_setting_is_written(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    if name == ".env.example":
        written = set(re.findall(r"^([A-Z_]+)=", text(name), re.M))
    else:
        rows = [line.split("|")[1] for line in text(name).splitlines() if line.startswith("| `")]
        written = {found for row in rows for found in SETTING.findall(row)}
    assert written == known


@pytest.mark.parametrize("name", READMES)
def test_the_defaults_in_the_table_are_the_programs(name: str) -> None:
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in text(name).splitlines() if "|" in line]
    table = {row[0]: row[2] for row in rows if SETTING.fullmatch(row[0])}
    for field, described in Settings.model_fields.items():
        if (written := table.get(field.upper())) is not None and "SECRET" not in field and "TOKEN" not in field:
            assert written == str(described.default)


def test_the_example_of_settings_can_be_copied_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dotenv_values(ROOT / ".env.example").items():
        monkeypatch.setenv(name, value or "")
    copied = Settings()
    changed = {name for name, field in Settings.model_fields.items() if getattr(copied, name) != field.default}
    assert changed == {"public_url", "database_url"}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_file_that_is_written_exists(name: str) -> None:
    found = names(FILE, name) if name.endswith(".md") else set(FILE.findall(text(name)))
    missing = [file for file in found if not (ROOT / file.rstrip(".")).exists()]
    assert missing == []


@pytest.mark.parametrize("name", READMES)
def test_every_link_inside_leads_somewhere(name: str) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text(name), re.M)
    }
    links = re.findall(r"\]\(([^)]+)\)", text(name))
    assert links
    for link in links:
        if link.startswith("#"):
            assert link[1:] in headings
        elif not link.startswith("https://"):
            assert (ROOT / link).exists()


@pytest.mark.parametrize("pattern", [SETTING, COMMAND, MAKE, FILE], ids=["settings", "commands", "make", "files"])
def test_both_readmes_name_the_same(pattern: re.Pattern[str]) -> None:
    english, japanese = (names(pattern, name) for name in READMES)
    assert english == japanese


def test_both_readmes_show_the_same_blocks_and_chapters() -> None:
    english, japanese = (text(name) for name in READMES)
    assert FENCE.findall(english) == FENCE.findall(japanese)
    assert re.findall(r"^#+", FENCE.sub("", english), re.M) == re.findall(r"^#+", FENCE.sub("", japanese), re.M)


def test_the_picture_is_small_enough_for_a_page() -> None:
    picture = ROOT / "docs/conversation.png"
    assert picture.stat().st_size < 300_000
    with Image.open(picture) as opened:
        assert opened.format == "PNG"


# --- the worked example ---------------------------------------------------------------------------------------------


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The content, changed as the README says, but for the last step."""
    folder = tmp_path / "our-content"
    shutil.copytree(ROOT / "content", folder)
    sentence, answer, flag = FENCE.findall(text("README.md"))
    flow = folder / "flows/screening.toml"
    nodes = re.split(r"(?m)^(?=\[\[node\]\]$)", flow.read_text(encoding="utf-8"))
    for place, node in enumerate(nodes):
        if 'id = "d2"' in node:
            nodes[place] = re.sub(r'(?m)^text\.ja = ".*"\ntext\.en = ".*"\n', lambda _: sentence, node, count=1)
            assert nodes[place] != node
        if 'id = "course"' in node:
            nodes[place] = node.replace("options = [\n", "options = [\n" + answer)
            assert nodes[place] != node
    flow.write_text("".join(nodes), encoding="utf-8")
    with (folder / "red_flags.toml").open("a", encoding="utf-8") as rules:
        rules.write("\n" + flag)
    return folder


def test_the_example_of_a_new_red_flag_is_refused_until_it_is_asked(example: Path) -> None:
    found = {f"{one.file}: {one.item}: {one.code}: {one.problem}" for one in check(example, TODAY).issues}
    written = [line.strip() for line in INDENTED.findall(text("README.md")) if line.strip().startswith("red_flags")]
    assert len(written) == 1
    assert written[0] in found


def test_the_example_of_a_new_red_flag_is_safe_once_it_is_asked(example: Path) -> None:
    flow = example / "flows/screening.toml"
    before = flow.read_text(encoding="utf-8")
    after = re.sub(r'(id = "d2"(?:.|\n)*?items = \[[^\]]*)\]', r'\1, "cough_leg"]', before, count=1)
    assert after != before
    flow.write_text(after, encoding="utf-8")
    assert not check(example, TODAY).failed


def test_the_query_for_open_alerts_runs(sqlite_copy: Callable[[Path], str], tmp_path: Path) -> None:
    sqlite_copy(tmp_path)
    for name in READMES:
        query = re.findall(r'"(SELECT [^"]+)"', text(name))
        assert len(query) == 1
        with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
            assert connection.execute(query[0]).fetchall() == []


# --- deployment -----------------------------------------------------------------------------------------------------


def settings_of(unit: Path) -> Iterator[tuple[str, str]]:
    for line in unit.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_exists(unit: Path) -> None:
    start = dict(settings_of(unit))["ExecStart"]
    for file in INSTALLED.findall(start):
        assert (ROOT / file).is_file()
    for found in COMMAND.findall(start):
        follow(tuple(found.split()))
    assert COMMAND.search(start) or INSTALLED.search(start)


def test_every_unit_is_named_by_a_readme() -> None:
    written = text("README.md") + text("deploy/README.md")
    units = [*UNITS, *(ROOT / "deploy").glob("*.timer")]
    assert len(units) > 4
    assert [unit.name for unit in units if unit.name not in written] == []
