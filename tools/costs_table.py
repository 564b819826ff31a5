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

from gradlab.experiments import GROUPS, experiment_names, source_of
from gradlab.report.wording import counted, duration

ROOT = Path(__file__).parents[1]
TOLD = re.compile(r'^Cost: [^"]*(?=""")', re.MULTILINE)
"""The end of an experiment's docstring."""
TOLD_OTHERWISE = ("--out", "--precision", "--offline", "--data-root", "--quiet", "--json")
COSTS = ROOT / "docs" / "costs.md"
HEAD = """# What the runs cost

Made by `python -m tools.costs_table` from the files in `results/`. Wall time of the whole command, training, evaluation
and report; how busy the machine was beside it stands in LOG.md, so read these as upper bounds.

"""
COLUMNS = """| experiment | data | arms x seeds | precision | wall time | machine | file |
|---|---|---|---|---|---|---|
"""
ABOUT = {"core": "What practicals 1 to 3 are about, at the handbook's short settings."}
"""The groups that were run in one go, each with a folder of its own in `results/`, and what they are."""
OF_GROUP = "A training that two of its experiments have in common is made once and counted where it was made."


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
    """File name -> the document of a run, `NAME.json` before `NAME-SUBSET.json`, and those of groups at the end."""
    folder = ROOT / "results"
    paths = [*sorted(folder.glob("*.json"), key=lambda path: path.stem), *sorted(folder.glob("*/*.json"))]
    documents = {path.relative_to(folder).as_posix(): json.loads(path.read_text()) for path in paths}
    return {name: document for name, document in documents.items() if "arms" in document}


def page() -> str:
    """The page: a table of the runs of single experiments, and one for each group that was run in one go."""
    every = runs()
    alone = {name: document for name, document in every.items() if "/" not in name}
    parts = [HEAD + COLUMNS + "\n".join(row(document, name) for name, document in alone.items()) + "\n"]
    for group in sorted({name.partition("/")[0] for name in every.keys() - alone.keys()}):
        found = {f"{group}/{name}.json": every[f"{group}/{name}.json"] for name in GROUPS[group]}
        total = duration(sum(document["seconds"] for document in found.values()))
        where = machine(next(iter(found.values())))
        about = textwrap.fill(f"{ABOUT[group]} In one go on {where}: {total}. {OF_GROUP}", 120)
        rows = "\n".join(row(document, name) for name, document in found.items())
        parts.append(f"## `gradlab run {group}`\n\n{about}\n\n{COLUMNS}{rows}\n")
    return "\n".join(parts)


def flags(document: Mapping[str, Any], told_otherwise: Collection[str] = TOLD_OTHERWISE) -> str:
    """The flags by which a run differed from the experiment's defaults, or by which it would in a group's place."""
    _gradlab, _run, name, *asked = shlex.split(document["command"])
    given = GROUPS[name][document["experiment"]] if name in GROUPS else {}
    by_group = [(f"--{key.replace('_', '-')}", value if isinstance(value, tuple) else (value,))
                for key, value in given.items()]  # fmt: skip
    words = [*(str(word) for flag, values in by_group for word in (flag, *values)), *asked]
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
    taken = [arm for arm, about in document["environment"].get("arms", {}).items() if about.get("taken_from")]
    less = f", without the training of {' and '.join(taken)}, which another experiment had made" if taken else ""
    told = f"Cost: {duration(document['seconds'])}{differs} for {size}{less}, {where} (results/{file})."
    return textwrap.fill(told, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    COSTS.write_text(page())
    for name in experiment_names():
        source = source_of(name)
        source.write_text(TOLD.sub(lambda _found, name=name: line(name) + "\n", source.read_text(), count=1))
    print(COSTS)
