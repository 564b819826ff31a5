"""Two or more runs beside each other: which metrics and seeds they share, and what the pairs can show."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.errors import UsageError
from gradlab.report.blocks import Answer, Block, Text
from gradlab.report.results import compared, metric_names, values_by_seed
from gradlab.report.tables import comparisons_table, results_table, shown, shown_metrics, verdicts
from gradlab.report.terminal import aligned
from gradlab.report.wording import counted, larger_is_better, seed_list

Arms = dict[str, Mapping[str, Any]]
"""label -> an arm of `results.json`, in the order of the runs."""


def compare_runs(
    documents: Sequence[Mapping[str, Any]],
    names: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    *,
    settings: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Returns every arm of the runs on the metrics they share, and the comparisons paired by seed.

    An arm of which the first run has one of the same name is compared with that one. Where the runs share no name, the
    first arm of the first run is the baseline of every other arm. p-values are adjusted by Holm's method within each
    metric.

    Args:
        documents: the `results.json` of two runs or more.
        names: a name for each run; the experiments' names where None, numbered where they are equal.
        metrics: the metrics to compare; None takes the shared metrics of the test split, or else all shared ones.
        settings: setting -> its value in each run, for those that differ; see `differing_settings`.

    Returns:
        {"schema", "runs", "settings", "baselines", "seeds", "metrics", "arms", "comparisons"}; "arms" as in
        `results.json` under "<arm> (<run>)", "baselines" arm -> the arm it is compared with.

    Raises:
        UsageError: there are fewer than two runs, they are on different data, they share no such metric, or fewer
            than two seeds.
    """
    if len(documents) < 2:
        raise UsageError(f"a comparison needs two runs or more: got {len(documents)}")
    labels = list(names) if names is not None else _run_names(documents)
    _refuse_other_data(documents, labels)
    arms = _arms(documents, labels)
    shared = _shared_metrics(documents, labels, metrics)
    baselines = _baselines(documents, labels)
    seeds = _shared_seeds(arms)
    comparisons = []
    for metric in shared:
        direction = larger_is_better(metric)
        if direction is not None:
            values = {label: values_by_seed(arm, metric) for label, arm in arms.items()}
            comparisons += compared(values, baselines=baselines, metric=metric, larger=direction)
    return {
        "schema": 2,
        "runs": labels,
        "settings": {name: dict(zip(labels, values, strict=True)) for name, values in (settings or {}).items()},
        "baselines": baselines,
        "seeds": seeds,
        "metrics": shared,
        "arms": arms,
        "comparisons": comparisons,
    }


def comparison_text(document: Mapping[str, Any]) -> str:
    """A comparison of runs as plain text for a terminal."""
    table = results_table(document, document["metrics"], "")
    told = [_told(document), *_settings_told(document), "", *verdicts(document["comparisons"]).items]
    return "\n".join([*aligned(table.header, table.rows), "", *told])


def comparison_blocks(document: Mapping[str, Any]) -> list[Block]:
    """A comparison of runs as blocks for a page; the answer is what the first metric shows."""
    comparisons = document["comparisons"]
    table = results_table(document, document["metrics"])
    told = Text(" ".join([_told(document), *_settings_told(document)]))
    first = [entry for entry in comparisons if entry["metric"] == comparisons[0]["metric"]]
    answer = Answer(" ".join(verdicts(first).items) or "The runs share no metric of which the better side is known.")
    return [answer, table, told, comparisons_table(comparisons), verdicts(comparisons)]


def named(arm: str, run: str) -> str:
    """What an arm of a run is called beside those of other runs."""
    return f"{arm} ({run})"


def _run_names(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    names = [str(document["experiment"]) for document in documents]
    if len(set(names)) == len(names):
        return names
    return [f"{name} {place}" for place, name in enumerate(names, start=1)]


def _refuse_other_data(documents: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> None:
    """A difference between runs on different data says nothing about what was changed."""
    found = [document.get("environment", {}).get("data", {}) for document in documents]
    digests = {data["sha256"] for data in found if data.get("sha256")}
    if len(digests) > 1:
        told = ", ".join(
            f"{label} on {data.get('name')} of {'x'.join(map(str, data.get('shape', [])))}"
            for label, data in zip(labels, found, strict=True)
        )
        raise UsageError(f"the runs are on different data, or of different size, so their seeds are no pairs: {told}")


def _arms(documents: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Arms:
    arms: Arms = {}
    for label, document in zip(labels, documents, strict=True):
        if not document["arms"]:
            raise UsageError(f"{label} has no result of selected weights to compare")
        arms |= {named(arm, label): found for arm, found in document["arms"].items()}
    return arms


def _baselines(documents: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> dict[str, str]:
    """Which arm each arm is compared with: like with like, or all with the first where nothing is alike."""
    (first, *others), known = zip(labels, documents, strict=True), documents[0]["arms"]
    alike = {
        named(arm, label): named(arm, first[0])
        for label, document in others
        for arm in document["arms"]
        if arm in known
    }
    base, *rest = _arms(documents, labels)
    return alike or dict.fromkeys(rest, base)


def _shared_metrics(
    documents: Sequence[Mapping[str, Any]], labels: Sequence[str], wanted: Sequence[str] | None
) -> list[str]:
    measured = [metric_names(document["arms"]) for document in documents]
    shared = [name for name in measured[0] if all(name in names for names in measured)]
    if wanted is not None:
        shared = [name for name in wanted if name in shared]
    if not shared:
        lists = "; ".join(f"{label} has {', '.join(names)}" for label, names in zip(labels, measured, strict=True))
        raise UsageError(f"the runs share no metric{' that was asked for' if wanted is not None else ''}: {lists}")
    if wanted is not None:
        return shared
    return [name for name in shared if name in shown_metrics(documents[0])] or shared


def _shared_seeds(arms: Arms) -> list[int]:
    """The seeds that all arms have."""
    lists = {label: set(arm["seeds"]) for label, arm in arms.items()}
    shared = sorted(set.intersection(*lists.values()))
    if len(shared) < 2:
        told = "; ".join(
            f"{label} has {counted(len(seeds), 'seed')} ({seed_list(list(seeds))})" for label, seeds in lists.items()
        )
        raise UsageError(f"a comparison needs 2 seeds that all runs share, these share {len(shared)}: {told}")
    return shared


def _told(document: Mapping[str, Any]) -> str:
    """How the runs were paired; how small p can get, unless a verdict says so."""
    comparisons = document["comparisons"]
    least = max((entry["smallest_p"] for entry in comparisons), default=1.0)
    few = any(shown(entry) == "too few seeds" for entry in comparisons)
    limit = "" if few else f" The smallest p that these pairs can reach is {least:.3g}."
    baselines = document["baselines"]
    bases = list(dict.fromkeys(baselines.values()))
    against = bases[0] if len(bases) == 1 else f"the arm of the same name of {document['runs'][0]}"
    alone = [arm for arm in document["arms"] if arm not in baselines and arm not in bases]
    rest = f" Without an arm of the same name, so not compared: {', '.join(alone)}." if alone else ""
    return f"Paired by seed against {against}; shared seeds: {seed_list(document['seeds'])}.{rest}{limit}"


def _settings_told(document: Mapping[str, Any]) -> list[str]:
    """A sentence with the settings in which the runs differ; none where they do not, or nothing is known of them."""
    told = [
        f"{name} {', '.join(f'{value} in {run}' for run, value in values.items())}"
        for name, values in document["settings"].items()
    ]
    return [f"Settings that differ: {'; '.join(told)}."] if told else []
