"""Writes the README's table of results from the committed result files. Run: `python -m tools.results_table`"""

import json
import re
from pathlib import Path
from typing import Any

from gradlab.stats import format_interval, summarise

ROOT = Path(__file__).parents[1]
BY_LABELS = re.compile(r"test_(?:probe_)?(\d+)_(?:labels_)?accuracy")
"""Accuracy by the number of labels of each class."""
FIRST, LAST = "<!-- results: made by tools/results_table.py -->", "<!-- end of results -->"


def reached(metrics: dict[str, Any]) -> str | None:
    """What an arm reached on the test split: accuracy, evidence lower bound, accuracy by labels, or None."""
    if (accuracy := metrics.get("test_accuracy")) is not None:
        return format_interval(summarise(accuracy["values"], share=True), percent=True)
    if (bound := metrics.get("test_elbo")) is not None:
        return f"ELBO {format_interval(summarise(bound['values']))}, nats".replace("-", "−")
    counted = {int(match[1]): found for name, found in metrics.items() if (match := BY_LABELS.fullmatch(name))}
    if counted:
        shares = {count: summarise(counted[count]["values"], share=True) for count in (min(counted), max(counted))}
        told = "; ".join(f"{format_interval(share, percent=True)} from {count}" for count, share in shares.items())
        return f"{told} labels a class"
    return None


def table() -> str:
    lines = [
        "| experiment | arm | data | test accuracy, or as named | parameters | file |",
        "|---|---|---|---|---|---|",
    ]
    for path in sorted((ROOT / "results").glob("*.json")):
        document = json.loads(path.read_text())
        if "arms" not in document:
            continue
        data = document["environment"]["data"].get("name", "–")
        for arm, about in document["arms"].items():
            told = reached(about["metrics"])
            if told is not None:
                name = document["experiment"]
                parameters = f"{about['parameters']:,}" if about["parameters"] else "–"
                lines.append(f"| {name} | {arm} | {data} | {told} | {parameters} | {path.name} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    before, _, rest = text.partition(FIRST)
    after = rest.partition(LAST)[2]
    return f"{before}{FIRST}\n{table()}\n{LAST}{after}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text()))
    print(readme)
