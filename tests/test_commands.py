"""What the operator types, and what it says when something is missing."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result
from pydantic import SecretStr

from app import app
from bot.config import Settings
from bot.content.load import load
from bot.doctor import Finding, Level, examine
from bot.store.session import HEAD, open_database
from tests.conftest import ROOT

NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting but a database of this test's own, and the real content."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/test.db")
    monkeypatch.setenv("CONTENT_DIR", str(ROOT / "content"))


def flask(*words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def test_serve_without_a_channel_says_what_is_missing_and_points_to_the_demo() -> None:
    ran = flask("serve")
    assert ran.exit_code == 2
    for word in ("LINE_CHANNEL_SECRET", "LINE_CHANNEL_ACCESS_TOKEN", "SLACK_SIGNING_SECRET", "make demo"):
        assert word in ran.output


def test_serve_with_half_a_channel_names_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_CHANNEL_SECRET", "s")
    ran = flask("serve")
    assert ran.exit_code == 2
    assert "Missing: LINE_CHANNEL_ACCESS_TOKEN" in ran.output


@pytest.mark.parametrize("command", ["web", "worker"])
def test_several_processes_need_postgresql(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("LINE_CHANNEL_SECRET", "s")
    monkeypatch.setenv("LINE_CHANNEL_ACCESS_TOKEN", "t")
    ran = flask(command)
    assert ran.exit_code == 2
    assert "PostgreSQL" in ran.output


def test_a_setting_that_cannot_be_read_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEND_GATE", "s3cr3t")
    ran = flask("serve")
    assert ran.exit_code == 2
    assert "SEND_GATE" in ran.output
    assert "s3cr3t" not in ran.output


def test_another_kind_of_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://u:s3cr3t@h/d")
    ran = flask("serve")
    assert ran.exit_code == 2
    assert "DATABASE_URL" in ran.output
    assert "s3cr3t" not in ran.output


def test_the_database_is_moved_and_looked_at_by_command() -> None:
    assert flask("db", "upgrade").output == f"The database is at {HEAD}.\n"
    assert f"* {HEAD}" in flask("db", "current").output
    assert flask("db", "downgrade", "base").output == "The database is at base.\n"
    assert "*" not in flask("db", "current").output


def test_check_says_how_many_paths_it_walked_and_ends_well() -> None:
    ran = flask("check")
    assert ran.exit_code == 0, ran.output
    assert "0 errors, 0 warnings; " in ran.output
    assert "paths walked" in ran.output


def test_check_prints_each_problem_on_a_line_and_ends_badly(tmp_path: Path) -> None:
    broken = tmp_path / "content"
    shutil.copytree(ROOT / "content", broken)
    picture = min(path for path in (broken / "media").glob("low_back*.png"))
    picture.unlink()
    ran = flask("check", str(broken))
    assert ran.exit_code == 1
    assert any(line.count(": ") >= 3 and picture.name in line for line in ran.output.splitlines())


# --- settings ----------------------------------------------------------------------------------------------------------


def test_two_secrets_count_while_one_is_being_rotated() -> None:
    settings = Settings(line_channel_secret=SecretStr(" new , old,"))
    assert settings.line_channel_secrets == ("new", "old")


def test_no_secret_shows_when_settings_are_printed() -> None:
    secret = SecretStr("s3cr3t")
    settings = Settings(secret_key=secret, line_channel_secret=secret, line_channel_access_token=secret)
    assert "s3cr3t" not in repr(settings)
    assert "s3cr3t" not in str(settings)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_the_driver_that_is_installed(scheme: str) -> None:
    assert Settings(database_url=f"{scheme}://u:p@h/d").database_url == "postgresql+psycopg://u:p@h/d"


# --- doctor ------------------------------------------------------------------------------------------------------------


class Line(ThreadingHTTPServer):
    """LINE's "Get bot info", which knows one token."""

    token = "good"
    ahead = timedelta()

    def __init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers["Authorization"] == f"Bearer {server.token}"
                self.send_response(200 if known else 401)
                self.end_headers()
                self.wfile.write(b'{"displayName": "Clinic", "basicId": "@abc"}' if known else b"{}")

            def date_time_string(self, timestamp: float | None = None) -> str:
                moment = datetime.now(UTC) + server.ahead
                return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def line() -> Iterator[Line]:
    with Line() as found:
        thread = Thread(target=found.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def well(line: Line, tmp_path: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{tmp_path}/doctor.db",
        secret_key=SecretStr("k" * 40),
        public_url="https://example.org",
        line_channel_secret=SecretStr("s"),
        line_channel_access_token=SecretStr("good"),
        line_api_url=line.url,
        content_dir=ROOT / "content",
    )


def problems(settings: Settings) -> dict[str, str]:
    return {finding.subject: finding.words for finding in examine(settings) if finding.stops}


def test_a_sound_installation_has_no_problem(line: Line, tmp_path: Path) -> None:
    settings = well(line, tmp_path)
    assert problems(settings) == {}
    assert Finding(Level.WELL, "LINE", "the token belongs to Clinic (@abc).") in list(examine(settings))


def test_content_that_no_physician_has_reviewed_is_said_to_be_so(line: Line, tmp_path: Path) -> None:
    reviewed = load(ROOT / "content").clinic.physician_reviewed
    said = any("NO PHYSICIAN" in finding.words for finding in examine(well(line, tmp_path)))
    assert said is not reviewed


@pytest.mark.parametrize(
    ("change", "subject", "words"),
    [
        ({"public_url": ""}, "PUBLIC_URL", "not set"),
        ({"public_url": "http://example.org"}, "PUBLIC_URL", "https"),
        ({"line_channel_access_token": SecretStr("old")}, "LINE_CHANNEL_ACCESS_TOKEN", "refuses"),
        ({"line_channel_access_token": SecretStr("")}, "LINE_CHANNEL_ACCESS_TOKEN", "missing"),
        ({"line_channel_secret": SecretStr("")}, "LINE_CHANNEL_SECRET", "missing"),
        ({"line_api_url": "http://127.0.0.1:9"}, "LINE", "did not answer"),
        ({"content_dir": Path("nowhere")}, "content", "flask check"),
        ({"database_url": "postgresql+psycopg://u@127.0.0.1:9/x"}, "database", "cannot be reached"),
        ({"database_url": "sqlite://"}, "DATABASE_URL", "cannot be used"),
    ],
)
def test_each_trouble_is_found_and_says_what_to_do(
    line: Line, tmp_path: Path, change: dict[str, object], subject: str, words: str
) -> None:
    found = problems(well(line, tmp_path).model_copy(update=change))
    assert words in found[subject]


def test_a_clock_that_is_off_is_noticed(line: Line, tmp_path: Path) -> None:
    line.ahead = timedelta(minutes=3)
    assert "time synchronisation" in problems(well(line, tmp_path))["clock"]


def test_a_postgresql_that_was_not_migrated_is_noticed(line: Line, database_url: str, tmp_path: Path) -> None:
    settings = Settings(**{**well(line, tmp_path).model_dump(), "database_url": database_url})
    assert "database" not in problems(settings)
    db = open_database(settings.database_url)
    with db.write() as tx:
        tx.exec_driver_sql("DROP TABLE alembic_version")
    is_problem = "database" in problems(settings)
    assert is_problem is not db.is_sqlite, "an SQLite file is migrated by flask serve itself"
    db.close()


def test_doctor_ends_badly_when_something_stops_the_service() -> None:
    ran = flask("doctor")
    assert ran.exit_code == 1
    assert "problem  channels" in ran.output
