"""Runs with made-up results, as small as answers need them."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gradlab.records import RunFolder
from gradlab.report import summarise_rows

MakeRun = Callable[..., RunFolder]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    def make(
        name: str,
        arms: Mapping[str, Mapping[str, Sequence[float]]],
        *,
        quick: bool = False,
        classes: int = 10,
        **config: Any,
    ) -> RunFolder:
        folder = tmp_path / f"{name}{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        seeds = list(range(max(len(values) for metrics in arms.values() for values in metrics.values())))
        settings = {
            "experiment": name,
            "quick": quick,
            "seeds": seeds,
            "config": config,
            "command": f"gradlab run {name}",
        }
        data = {"name": "made-up", "classes": [str(label) for label in range(classes)]}
        rows = [
            {"arm": arm, "seed": seed, "split": metric.partition("_")[0], metric.partition("_")[2]: value}
            for arm, metrics in arms.items()
            for metric, values in metrics.items()
            for seed, value in enumerate(values)
        ]
        summary, comparisons = summarise_rows(rows, seeds=seeds)
        documents = {
            "config": settings,
            "environment": {"data": data, "arms": {}},
            "results": {"arms": summary, "comparisons": comparisons},
        }
        for document, content in documents.items():
            (folder / f"{document}.json").write_text(json.dumps(content))
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return RunFolder(folder)

    return make
