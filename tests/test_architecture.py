"""The shape of the house: imports run downward, and what must be pure is pure."""

import ast
import subprocess
import sys
from pathlib import Path

BOT = Path("bot")


def imported(file: Path) -> set[str]:
    """Top-level names of what a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_below_the_composition_root_imports_it() -> None:
    guilty = [str(f) for f in BOT.rglob("*.py") if any(n == "app" or n.startswith("app.") for n in imported(f))]
    assert not guilty


def test_only_the_line_channel_and_the_simulator_know_lines_sdk() -> None:
    allowed = (BOT / "channels" / "line", BOT / "simulator")
    guilty = [
        str(f)
        for f in BOT.rglob("*.py")
        if not any(f.is_relative_to(a) for a in allowed) and any(n.split(".")[0] == "linebot" for n in imported(f))
    ]
    assert not guilty
