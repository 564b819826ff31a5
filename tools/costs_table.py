"""Writes docs/costs.md, what each committed run cost, from the result files. Run: `python -m tools.costs_table`"""

import json
from pathlib import Path
from typing import Any

from gradlab.report.wording import duration

ROOT = Path(__file__).parents[1]
COSTS = ROOT / "docs" / "costs.md"
HEAD = """# What the runs cost

Made by `python -m tools.costs_table` from the files in `results/`. Wall time of the whole command, training, evaluation
and report; how busy the machine was beside it stands in LOG.md, so read these as upper bounds.

| experiment | data | arms x seeds | precision | wall time | machine | file |
|---|---|---|---|---|---|---|
"""


def row(document: dict[str, Any], file: str) -> str:
    environment, arms = document["environment"], document["arms"]
    seeds = max((len(about["seeds"]) for about in arms.values()), default=0)
    data = environment.get("data", {}).get("name", "–")
    machine = (
        f"{environment['cores']} core{'s' * (environment['cores'] > 1)}"
        if environment["device"] == "cpu"
        else environment["device_name"]
    )
    return (
        f"| {document['experiment']} | {data} | {len(arms)} x {seeds} | {environment['precision']} "
        f"| {duration(document['seconds'])} | {machine} | {file} |"
    )


def page() -> str:
    documents = {path.name: json.loads(path.read_text()) for path in sorted((ROOT / "results").glob("*.json"))}
    rows = [row(document, name) for name, document in documents.items() if "arms" in document]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    COSTS.write_text(page())
    print(COSTS)
