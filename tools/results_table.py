"""Writes docs/results.md, what every committed run reached, and the README's short table, from the result files.

Run: `python -m tools.results_table`
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gradlab.stats import format_interval, summarise
from tools.costs_table import TOLD_OTHERWISE, flags, runs

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results.md"
BY_LABELS = re.compile(r"test_(?:probe_)?(\d+)_(?:labels_)?accuracy")
"""Accuracy by the number of labels of each class."""
FIRST, LAST = "<!-- results: made by tools/results_table.py -->", "<!-- end of results -->"
NAMED: Mapping[str, tuple[str, ...]] = {
    "augmentation_strength": ("all", "crop only", "colour only"),
    "mlp_improvements": ("baseline", "best combination"),
    "mlp_mnist": ("linear", "300+100", "500+150"),
    "regularization": ("none", "L2", "dropout"),
    "rnn_rows": ("RNN", "LSTM"),
    "rotation_robustness": ("MLP", "ResNet", "ViT"),
    "transformer_reverse": ("one head", "no positions"),
    "vae": ("10 dimensions", "2 dimensions"),
    "vit": ("handbook", "recommended", "CNN"),
}
"""Experiment -> the arms of the README, chosen for what the experiment asks, never for what they reached.

Others show their first two: an experiment lists its arms before anything is measured, the baseline first.
"""
SEVERAL: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "group_equivariance": {
        "group_equivariance-c4.json": ("CNN", "C4"),
        "group_equivariance-10000.json": ("CNN", "C4", "C8", "D4"),
    },
    "pixel_shuffle": {
        "core/pixel_shuffle.json": (
            "MLP, no shuffle",
            "MLP, fixed shuffle",
            "ResNet, no shuffle",
            "ResNet, fixed shuffle",
        ),
        "pixel_shuffle-2-epochs.json": ("ViT, no shuffle", "ViT, fixed shuffle"),
    },
    "rotated_mnist": {
        "rotated_mnist.json": ("Z2CNN", "P4CNN"),
        "rotated_mnist-strided.json": ("StridedC8",),
        "rotated_mnist-separable.json": ("SeparableC16-augmented",),
    },
}
"""Experiment -> file -> its arms of the README, where no single file holds what the experiment asks."""
TOLD_BY_COLUMNS = ("--arms", "--data", "--models", "--networks", "--recipes", "--seeds", "--together")
"""Flags that say which arms, data and seeds there are, or how seeds share the machine."""
HEAD = """# What every committed run reached

Made by `python -m tools.results_table` from the files in `results/`. Mean and 95 % interval over seeds; the test split
is read once, for the selected weights. The settings are the flags by which a run differed from the experiment's
default, such as fewer epochs or images. What the runs cost, and in which precision: [costs](costs.md).

| experiment | arm | data | test accuracy, or as named | parameters | settings | file |
|---|---|---|---|---|---|---|
"""
SHORT_HEAD = """| experiment | data | test accuracy, or as named | settings | file |
|---|---|---|---|---|
"""

Documents = Mapping[str, Mapping[str, Any]]
"""File -> the document of its `results.json`."""


def reached(metrics: Mapping[str, Any]) -> str | None:
    """What an arm reached on the test split: accuracy, a probe's, evidence lower bound, accuracy by labels."""
    if (accuracy := metrics.get("test_accuracy")) is not None:
        return format_interval(summarise(accuracy["values"], share=True), percent=True)
    if (probe := metrics.get("test_probe_accuracy")) is not None:
        return f"{format_interval(summarise(probe['values'], share=True), percent=True)} by a linear probe"
    if (bound := metrics.get("test_elbo")) is not None:
        return f"ELBO {format_interval(summarise(bound['values']))}, nats".replace("-", "−")
    counted = {int(match[1]): found for name, found in metrics.items() if (match := BY_LABELS.fullmatch(name))}
    if counted:
        shares = {count: summarise(counted[count]["values"], share=True) for count in (min(counted), max(counted))}
        told = "; ".join(f"{format_interval(share, percent=True)} from {count}" for count, share in shares.items())
        return f"{told} labels a class"
    return None


def page(found: Documents) -> str:
    """The page of all arms of all files."""
    rows = [
        f"| {document['experiment']} | {arm} | {_data(document)} | {told} | {_parameters(about)} "
        f"| {settings(document)} | {name} |"
        for name, document in found.items()
        for arm, about in document["arms"].items()
        if (told := reached(about["metrics"])) is not None
    ]
    return HEAD + "\n".join(rows) + "\n"


def settings(document: Mapping[str, Any]) -> str:
    """The flags by which a run trained or measured something else than the experiment's default."""
    told = flags(document, (*TOLD_OTHERWISE, *TOLD_BY_COLUMNS))
    return f"`{told}`" if told else "default"


def short_table(found: Documents) -> str:
    """Rows for each experiment: the files and arms named in advance, or else the file of its own name, or its first."""
    rows = []
    for name, named in _shown(found):
        document = found[name]
        told = "<br>".join(f"{arm} {reached(document['arms'][arm]['metrics'])}" for arm in named)
        rows.append(f"| {document['experiment']} | {_data(document)} | {told} | {settings(document)} | {name} |")
    return SHORT_HEAD + "\n".join(rows)


def with_table(text: str, found: Documents) -> str:
    """The text of the README with its table made anew."""
    before, _, rest = text.partition(FIRST)
    after = rest.partition(LAST)[2]
    return f"{before}{FIRST}\n{short_table(found)}\n{LAST}{after}"


def _shown(found: Documents) -> Iterator[tuple[str, tuple[str, ...]]]:
    measured = {
        name: document
        for name, document in found.items()
        if any(reached(about["metrics"]) is not None for about in document["arms"].values())
    }
    for experiment in dict.fromkeys(document["experiment"] for document in measured.values()):
        if experiment in SEVERAL:
            yield from SEVERAL[experiment].items()
            continue
        files = [name for name, document in measured.items() if document["experiment"] == experiment]
        name = f"{experiment}.json" if f"{experiment}.json" in files else files[0]
        yield name, NAMED.get(experiment, tuple(measured[name]["arms"])[:2])


def _data(document: Mapping[str, Any]) -> str:
    return document["environment"]["data"].get("name", "–")


def _parameters(about: Mapping[str, Any]) -> str:
    return f"{about['parameters']:,}" if about["parameters"] else "–"


if __name__ == "__main__":
    committed = runs()
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text(), committed))
    RESULTS.write_text(page(committed))
    print(f"{readme}\n{RESULTS}")
