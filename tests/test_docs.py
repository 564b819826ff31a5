"""The documentation says what is true: its names exist, its code runs, its reference holds what rooms offer."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradlab.cli import VERBS
from gradlab.experiments import GROUPS, experiment_names
from tools.site import ROOMS, ROOT, reference_page

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in (DOCS / "index.md", *(DOCS / "guides").glob("*.md")))
MAP = (DOCS / "handbook.md").read_text()


def blocks(page):
    """(language, code) of a page's blocks that can be run, in order."""
    return re.findall(r"^```(sh|python)\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def run(language, code, folder, home):
    """Runs a block as a reader would, who has activated the environment; notes in `home` where it ended."""
    if language == "python":
        return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        ["bash", "-e", "-c", f"{code}\npwd > ~/.where"], cwd=folder, capture_output=True, text=True, check=False,
        env=environment,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page, tmp_path):
    found = blocks(page)
    assert found
    folder = tmp_path
    for language, code in found:
        done = run(language, code, folder, tmp_path)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        where = tmp_path / ".where"
        folder = Path(where.read_text().strip()) if where.exists() else folder


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_that_a_page_mentions_exist(page):
    for verb in re.findall(r"`gradlab\s+(\w+)", (DOCS / page).read_text()):
        assert verb in VERBS


def test_the_map_names_what_there_is():
    mapped = set(re.findall(r"`([a-z0-9_]+)`", MAP))
    assert set(experiment_names()) <= mapped, "every experiment has its section"
    assert mapped - set(experiment_names()) - set(GROUPS) <= offered(), "nothing else is named"
    assert set(re.findall(r"`([A-Z]\w+|img_to_patch|attention)`", MAP)) <= offered()


def offered():
    """What the rooms offer."""
    return {name for room in ROOMS for name in dir(importlib.import_module(f"gradlab.{room}"))}


@pytest.mark.parametrize("room", ROOMS)
def test_the_reference_holds_what_a_room_offers(room):
    page = reference_page(room)
    module = importlib.import_module(f"gradlab.{room}")
    named = {
        name
        for name in module.__all__
        if callable(getattr(module, name)) and hasattr(getattr(module, name), "__code__")
    }
    assert {name for name in named if f"\n## {name}\n" not in page} == set()
