"""Builds the notebooks: of each source in notebooks/ one for students and one with solutions, which is executed.

Run: `python -m tools.notebooks` (`make notebooks` does), `--student` to execute the students' versions as well, and
`--refresh` after a change of an exercise, to write its text, code and check into the sources again.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.learn.extract import without_markers, without_solution
from gradlab.learn.outline import Outline, outline

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
SOURCES, BUILT = ROOT / "notebooks", ROOT / "build" / "notebooks"
VERSIONS = {"student": without_solution, "solution": without_markers}
"""Version -> what it makes of a cell's code."""
SAID = {"student": "not written", "solution": "passed"}
"""Version -> what each check says of the exercise's piece."""
MOST_LINES = 60
"""Printed lines of one cell: a notebook must be readable where it ran on a cluster, too."""
SECONDS = 600
SETTINGS = {"OMP_NUM_THREADS": "1", "GRADLAB_OFFLINE": "1", "PYTHONWARNINGS": "ignore:IProgress not found"}
"""Of a kernel. The warning is that of a progress bar nobody asked for, which torch imports where tqdm is there."""


def sources() -> list[Path]:
    """The notebooks' sources."""
    return sorted(SOURCES.glob("*.py"))


def read(path: Path) -> "NotebookNode":
    """A source as a notebook, with names for its cells that do not change from one build to the next."""
    import jupytext

    notebook = jupytext.read(path)
    for position, cell in enumerate(notebook.cells):
        cell.id = f"{path.stem}-{position}"
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def version(notebook: "NotebookNode", name: str) -> "NotebookNode":
    """The students' version, with a TODO for each solution, or the one with solutions and without their markers."""
    made = notebook.copy()
    made.cells = [cell.copy() for cell in notebook.cells]
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.source = VERSIONS[name](cell.source).rstrip()
    return made


def execute(notebook: "NotebookNode") -> list[str]:
    """Runs a notebook's cells in a kernel of its own, in an empty folder; returns what is wrong, a line each."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    with tempfile.TemporaryDirectory() as folder:
        place = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place)
        # It warns that what it tells this machine is not encrypted.
        client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
        environment = os.environ | SETTINGS
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            return [f"{error.ename}: {error.evalue}\n{textwrap.indent(_failing(notebook), '    ')}"]
    return []


def problems(notebook: "NotebookNode", name: str) -> Iterator[str]:
    """What is wrong with an executed version of a notebook: a check that says something else, warnings, floods."""
    for position, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        said = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
        warned = "".join(output.text for output in cell.outputs if output.get("name") == "stderr")
        asked = cell.metadata.get("check")
        if asked and said.strip().split(": ")[:2] != [asked, SAID[name]]:
            yield f"cell {position}: the check of {asked} must say {SAID[name]!r}: {said.strip()}"
        if warned:
            yield f"cell {position} warns: {warned.strip()}"
        if said.count("\n") > MOST_LINES:
            yield f"cell {position} prints {said.count(chr(10))} lines; {MOST_LINES} are enough"


def refreshed(text: str) -> str:
    """A source whose exercises are those of `gradlab.learn`: statement, code with its solution, and check."""
    parts = re.split(r"^(?=# %%)", text, flags=re.MULTILINE)
    return "".join(_refreshed(part) for part in parts)


def _refreshed(cell: str) -> str:
    header = cell.partition("\n")[0]
    named = re.search(r'(exercise|check)="(\w+)"', header)
    if named is None:
        return cell
    told = outline(named[2])
    if named[1] == "check":
        return f"{header}\nverdict = check({told.asks[0]})\nprint(verdict)\n\n"
    if "[markdown]" in header:
        return f"{header}\n{statement(told)}\n\n"
    return f"{header}\n{told.marked().rstrip()}\n\n\n"


def statement(told: Outline) -> str:
    """What an exercise asks, as a comment's lines."""
    text = f'### {told.title}\n\n{told.statement}\n\nA hint: `print(hint("{told.name}"))`; levels 2 and 3 tell more.'
    return textwrap.indent(text, "# ", lambda _line: True).replace("# \n", "#\n")


def _failing(notebook: "NotebookNode") -> str:
    """The code of the cell that failed."""
    failed = [cell.source for cell in notebook.cells if _error(cell) is not None]
    return failed[-1] if failed else ""


def _error(cell: Any) -> Any:
    return next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)


def _write(notebook: "NotebookNode", path: Path) -> None:
    import nbformat

    nbformat.validate(notebook)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def build(path: Path, executed: Sequence[str]) -> list[str]:
    """Writes both versions of a source, those named executed; returns what is wrong."""
    wrong = []
    for name in VERSIONS:
        notebook = version(read(path), name)
        _write(notebook, BUILT / name / f"{path.stem}.ipynb")
        if name in executed:
            before = _spent()
            found = execute(notebook)
            found += [] if found else problems(notebook, name)
            wrong += [f"{path.stem} ({name}): {each}" for each in found]
            print(f"{path.stem} ({name}): {_spent() - before:.0f} s of processor time", flush=True)
        if name == "solution":  # what students get holds no outputs
            _write(notebook, BUILT / name / f"{path.stem}.ipynb")
    return wrong


def _spent() -> float:
    """Processor seconds of all children that have ended: kernels, and the processes that they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="notebooks, such as practical1 [all]")
    parser.add_argument("--student", action="store_true", help="execute the students' versions as well")
    parser.add_argument("--refresh", action="store_true", help="write the exercises into the sources; build nothing")
    options = parser.parse_args()
    chosen = [path for path in sources() if path.stem in options.names or not options.names]
    if options.refresh:
        for path in chosen:
            path.write_text(refreshed(path.read_text()))
        return subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *chosen], check=False).returncode
    executed = ["solution", "student"] if options.student else ["solution"]
    wrong = [each for path in chosen for each in build(path, executed)]
    print("\n".join(wrong) or f"{len(chosen)} notebooks in {BUILT}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
