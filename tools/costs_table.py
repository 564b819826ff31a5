"""Writes what each committed run cost, from the result files: docs/costs.md, and a line of each experiment's docstring.

Run: `python -m tools.costs_table`
"""

import json
import re
import shlex
import textwrap
from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from gradlab.experiments import experiment_names, source_of
from gradlab.report.wording import counted, duration

ROOT = Path(__file__).parents[1]
TOLD = re.compile(r'^Cost: [^"]*(?=""")', re.MULTILINE)
"""The end of an experiment's docstring."""
TOLD_OTHERWISE = ("--out", "--precision", "--offline", "--data-root", "--quiet", "--json")
COSTS = ROOT / "docs" / "costs.md"
HEAD = """# What the runs cost

Made by `python -m tools.costs_table` from the files in `results/`. Wall time of the whole command, training, evaluation
and report; how busy the machine was beside it stands in LOG.md, so read these as upper bounds.

| experiment | data | arms x seeds | precision | wall time | machine | file |
|---|---|---|---|---|---|---|
"""


def row(document: dict[str, Any], file: str) -> str:
    environment, arms = document["environment"], document["arms"]
    data = environment.get("data", {}).get("name", "–")
    return (
        f"| {document['experiment']} | {data} | {len(arms)} x {seeds(document)} | {environment['precision']} "
        f"| {duration(document['seconds'])} | {machine(document)} | {file} |"
    )


def seeds(document: dict[str, Any]) -> int:
    return max((len(about["seeds"]) for about in document["arms"].values()), default=0)


def machine(document: dict[str, Any]) -> str:
    environment = document["environment"]
    return counted(environment["cores"], "core") if environment["device"] == "cpu" else environment["device_name"]


def runs() -> dict[str, dict[str, Any]]:
    """File name -> the document of a run, in the order of names, `NAME.json` before `NAME-SUBSET.json`."""
    paths = sorted((ROOT / "results").glob("*.json"), key=lambda path: path.stem)
    documents = {path.name: json.loads(path.read_text()) for path in paths}
    return {name: document for name, document in documents.items() if "arms" in document}


def page() -> str:
    return HEAD + "\n".join(row(document, name) for name, document in runs().items()) + "\n"


def flags(document: Mapping[str, Any], told_otherwise: Collection[str] = TOLD_OTHERWISE) -> str:
    """The flags by which a run differed from the experiment's defaults."""
    words = shlex.split(document["command"])[3:]
    starts = [place for place, word in enumerate(words) if word.startswith("--")]
    groups = [words[start:end] for start, end in pairwise([*starts, len(words)])]
    return shlex.join(word for group in groups if group[0] not in told_otherwise for word in group)


def line(experiment: str) -> str:
    """What the docstring of an experiment says of its cost: the run nearest its defaults."""
    found = [(name, document) for name, document in runs().items() if document["experiment"] == experiment]
    if not found:
        return f"Cost: not run in full yet; `gradlab run {experiment} --dry-run` estimates it."
    file, document = min(found, key=lambda run: flags(run[1]).count("--"))
    size = f"{counted(len(document['arms']), 'arm')} x {counted(seeds(document), 'seed')}"
    where = f"{document['environment']['precision']}, {machine(document)}"
    differs = f" with `{flags(document)}`" if flags(document) else ""
    told = f"Cost: {duration(document['seconds'])}{differs} for {size}, {where} (results/{file})."
    return textwrap.fill(told, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    COSTS.write_text(page())
    for name in experiment_names():
        source = source_of(name)
        source.write_text(TOLD.sub(lambda _found, name=name: line(name) + "\n", source.read_text(), count=1))
    print(COSTS)
