"""Experiments and figures where the reader is: in a notebook's cells, or in the output of a plain script."""

import atexit
import dataclasses
import importlib
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from gradlab.errors import unknown
from gradlab.records import Row, RowJournal, RunFolder, write_json
from gradlab.report import Answer, Block, Bullets, Code, Details, Facts, Table, block_title, figure_png, write_documents
from gradlab.report.blocks import Figure
from gradlab.report.terminal import aligned
from gradlab.training import Run

WIDTH = 100
"""Characters of a line of text."""
PIXELS = 700
"""Width of a picture on the screen; it holds twice as many dots."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An experiment that was run, with what it left.

    Args:
        experiment: its module.
        folder: its records, kept until Python ends.
    """

    experiment: ModuleType
    folder: RunFolder

    @property
    def rows(self) -> list[Row]:
        """All measurements."""
        return self.folder.rows()

    @property
    def results(self) -> dict[str, Any]:
        """What every arm reached, with intervals: the document of `results.json`."""
        return self.folder.document("results")

    @property
    def answer(self) -> str:
        """The answer to the experiment's question, as its report words it."""
        told = [block.text for block in self.experiment.page(self.folder) if isinstance(block, Answer)]
        return textwrap.fill(" ".join(told), WIDTH)

    def page(self, *titles: str) -> list[Block]:
        """The parts of the report with these titles, in this order; all of them if none is named.

        Raises:
            UsageError: the report has no part of such a title.
        """
        blocks = self.experiment.page(self.folder)
        titled = {title: block for block in blocks if (title := block_title(block)) is not None}
        for title in titles:
            if title not in titled:
                raise unknown("part of the report", title, titled)
        return [titled[title] for title in titles] or blocks


def try_out(experiment: ModuleType, config: Any = None, *, seeds: Sequence[int] = (0,)) -> Trial:
    """Runs an experiment in this process, on one thread, seed after seed, and prints nothing.

    Args:
        experiment: a module of `gradlab.experiments`.
        config: its `Config`; None is its `QUICK` settings.
        seeds: each arm is trained once with each.
    """
    config = experiment.QUICK if config is None else config
    folder = RunFolder(Path(tempfile.mkdtemp(prefix="gradlab-")))
    atexit.register(shutil.rmtree, folder.path, ignore_errors=True)
    run = Run(seeds=tuple(seeds), together="in a row", folder=folder)
    journal, threads, begin = RowJournal(folder.rows_path), torch.get_num_threads(), time.perf_counter()
    torch.set_num_threads(1)  # more make small networks slower, and change the last bits of what is evaluated
    try:
        for row in experiment.run(config, run):
            journal.add(row)
    finally:
        torch.set_num_threads(threads)
    journal.finish()
    settings = _settings(experiment, config, seeds)
    write_json(folder.path / "config.json", settings)
    write_documents(folder, journal.rows, settings, run.facts, exact=True, seconds=time.perf_counter() - begin)
    return Trial(experiment, folder)


def show(*blocks: Block) -> None:
    """Shows figures, tables and texts of `gradlab.report`.

    A figure is a picture in a notebook, and told in words elsewhere.
    """
    display = _display()
    for block in blocks:
        if isinstance(block, Details):
            show(*block.blocks)
        elif not isinstance(block, Figure):
            print(_as_text(block))
        elif display is None:
            print(textwrap.fill(f"[{block_title(block)}] {block.alt}", WIDTH))
        else:
            picture = display.Image(data=figure_png(block, 2.0), format="png", width=PIXELS, alt=block.alt)
            display.display(display.Markdown(f"**{block.title}**"), picture)
            if block.caption:
                display.display(display.Markdown(block.caption))


def _settings(experiment: ModuleType, config: Any, seeds: Sequence[int]) -> dict[str, Any]:
    """What `config.json` of the same run from the command line would hold, as far as pages read it."""
    name, quick = experiment.__name__.rpartition(".")[2], config == experiment.QUICK
    return {
        "experiment": name,
        "question": (experiment.__doc__ or "").partition("\n")[0],
        "command": f"gradlab run {name}{' --quick' * quick} --seeds {' '.join(map(str, seeds))}",
        "quick": quick,
        "seeds": list(seeds),
        "device": "cpu",
        "precision": "float32",
        "compile": "off",
        "threads": 1,
        "config": dataclasses.asdict(config),
    }


def _display() -> Any:
    """IPython's module for display where this runs in a notebook; None elsewhere."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return None if shell is None else importlib.import_module("IPython.display")


def _as_text(block: Any) -> str:
    if isinstance(block, Table):
        return "\n".join([*aligned(block.header, block.rows), *textwrap.wrap(block.caption, WIDTH)])
    if isinstance(block, Facts):
        return "\n".join(f"{name}: {value}" for name, value in block.pairs)
    if isinstance(block, Bullets):
        return "\n".join(textwrap.fill(f"- {item}", WIDTH, subsequent_indent="  ") for item in block.items)
    return block.text if isinstance(block, Code) else textwrap.fill(block.text, WIDTH)
