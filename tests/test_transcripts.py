"""Every conversation of tests/transcripts/, from the front door."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import Cluster
from tests.patient import Patient, open_demo
from tests.slack_patient import Kind, newcomer
from tests.transcript import Transcript, Unreadable, parse, play

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("channel", ["line", "slack"])
def test_the_conversation_goes_as_written(
    channel: Kind, file: Path, sqlite_copy: Callable[[Path], str], tmp_path: Path
) -> None:
    transcript = parse(file)
    folder = content_for(transcript, tmp_path)
    with open_demo(sqlite_copy(tmp_path), folder) as demo:
        play(transcript, newcomer(channel, demo, transcript.language))


def content_for(transcript: Transcript, tmp_path: Path) -> Path:
    """The real content, with appointments taken as the transcript's head says."""
    if not transcript.booking:
        return Path("content")
    folder = Path(shutil.copytree("content", tmp_path / "content"))
    clinic = (folder / "clinic.toml").read_text(encoding="utf-8")
    assert clinic.count('mode = "request"') == 1
    changed = clinic.replace('mode = "request"', f'mode = "{transcript.booking}"')
    (folder / "clinic.toml").write_text(changed, encoding="utf-8")
    return folder


@pytest.mark.parametrize("file", FILES[:1], ids=lambda file: file.stem)
def test_the_conversation_goes_as_written_on_postgresql(file: Path, cluster: Cluster) -> None:
    transcript = parse(file)
    with cluster.migrated() as url, open_demo(url) as demo:
        play(transcript, Patient(demo, language=transcript.language))


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "example.txt"
    file.write_text("# title: Example\n" + text, encoding="utf-8")
    return file


@pytest.mark.parametrize("line", ["こんにちは", ">こんにちは", "< はじめ", "=> a"])
def test_a_line_that_is_no_line_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(Unreadable, match=r"example\.txt:2"):
        parse(written(tmp_path, line))


@pytest.mark.parametrize(
    "line",
    [
        "< 治ります",
        "<! からだ塾",
        "> [ない釦]",
        "> (跳ぶ)",
        "= alert",
        "= outcome: doctor",
        "= locked",
        "= nonsense: 1",
    ],
)
def test_a_line_that_does_not_hold_fails_with_its_place_and_what_was_heard(
    tmp_path: Path, sqlite_copy: Callable[[Path], str], line: str
) -> None:
    transcript = parse(written(tmp_path, f"> (友だち追加)\n< からだ塾\n{line}\n"))
    with open_demo(sqlite_copy(tmp_path)) as demo, pytest.raises(AssertionError, match=r"example\.txt:4(.|\n)*heard"):
        play(transcript, Patient(demo))
