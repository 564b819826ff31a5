"""Writes the README's table of results from the committed result files. Run: `python -m tools.results_table`"""

import json
from pathlib import Path
from typing import Any

from gradlab.stats import format_interval, summarise

ROOT = Path(__file__).parents[1]
FIRST, LAST = "<!-- results: made by tools/results_table.py -->", "<!-- end of results -->"


def reached(metrics: dict[str, Any]) -> str | None:
    """What an arm reached on the test split: its accuracy, or else its evidence lower bound; None without either."""
    if (accuracy := metrics.get("test_accuracy")) is not None:
        return format_interval(summarise(accuracy["values"], share=True), percent=True)
    if (bound := metrics.get("test_elbo")) is not None:
        return f"ELBO {format_interval(summarise(bound['values']))}, nats".replace("-", "−")
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
                lines.append(f"| {name} | {arm} | {data} | {told} | {about['parameters']:,} | {path.name} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    before, _, rest = text.partition(FIRST)
    after = rest.partition(LAST)[2]
    return f"{before}{FIRST}\n{table()}\n{LAST}{after}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text()))
    print(readme)
