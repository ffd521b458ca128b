"""`flask demo` and `flask chat` as a stranger starts them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from app import app
from bot.config import Settings
from bot.simulator.server import bind

ROOT = Path(__file__).resolve().parents[2]
FLASK = (sys.executable, "-m", "flask")


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LINE_", "SLACK_", "DATABASE_"))}
    return {**kept, "FLASK_APP": str(ROOT / "app.py"), "CONTENT_DIR": str(ROOT / "content"), "PYTHONUTF8": "1"}


@contextmanager
def demo(folder: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address it printed, and the process."""
    command = (*FLASK, "demo", "--port", str(port))
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield _address(process), process
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"http://\S+", line):
            return found[0].rstrip("/")
    raise AssertionError(f"no address in: {said}")


def free_port() -> int:
    with bind("127.0.0.1", 0) as listener:
        port: int = listener.getsockname()[1]
        return port


def get(url: str) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager() as web:
        return web.request("GET", url, timeout=60)


def test_the_demo_serves_its_page_beside_the_bots_own_paths_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    with demo(tmp_path, free_port()) as (url, process):
        assert "LINE simulator" in get(f"{url}/").data.decode()
        assert get(f"{url}/healthz").status == 200
        people = get(f"{url}/simulator/view").json()["people"]
        assert [(one["name"], one["friend"]) for one in people] == [
            ("見本 花子(サンプル)", True),
            ("見本 太郎(サンプル)", True),
        ]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert "Traceback" not in process.stdout.read()


def test_the_demo_takes_the_next_port_when_its_own_is_taken(tmp_path: Path) -> None:
    port = free_port()
    with bind("127.0.0.1", port), demo(tmp_path, port) as (url, _):
        assert url != f"http://127.0.0.1:{port}"
        assert get(f"{url}/").status == 200


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What `flask chat` prints when these lines are typed."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("CONTENT_DIR", str(ROOT / "content"))

    def chat(*lines: str) -> str:
        ran = app.test_cli_runner().invoke(args=["chat"], input="\n".join(lines) + "\n")
        assert ran.exit_code == 0, ran.output
        return ran.output

    return chat


def test_a_chat_is_answered_in_the_terminal_by_number_by_label_and_by_text(talk: Callable[..., str]) -> None:
    said = talk("1", "同意して 20〜44歳", "おしっこが出にくい", "/quit", "never read")
    assert "からだ塾" in said
    assert "> 体の確認" in said
    assert "2/12" in said
    assert "tel:119" in said
    assert "never read" not in said


def test_a_chat_ends_with_its_input_and_a_number_that_is_a_label_means_the_label(talk: Callable[..., str]) -> None:
    healthy = ["どれもない"] * 7 + ["時々出て、おさまる", "年に1〜2回"]
    said = talk("体の確認", "同意して 20〜44歳", *healthy, "3", "/+1d")
    assert "> 3\n" in said
    assert "!! LINE would refuse" not in said


def test_every_chat_begins_anew(talk: Callable[..., str]) -> None:
    first = talk("体の確認")
    assert talk("体の確認") == first
