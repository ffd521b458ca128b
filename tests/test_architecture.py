"""The house keeps its shape: imports run downward, the core stays pure, providers' words stay in their folders."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

LINTER = Path(sys.executable).parent / "lint-imports"


def test_imports_keep_the_contracts_of_pyproject() -> None:
    ran = subprocess.run([LINTER, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout


def test_every_module_stands_in_a_layer() -> None:
    contract = (ROOT / "pyproject.toml").read_text()
    for path in (ROOT / "bot").iterdir():
        if path.suffix == ".py" and path.stem != "__init__":
            assert f"bot.{path.stem} " in contract.replace('"', " "), path.name
