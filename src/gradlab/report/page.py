"""One experiment's page: what it says itself, and the record that follows by itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradlab.report.blocks import Answer, Block, Bullets, Code, Details, Facts, Heading, Table
from gradlab.report.recipes import recipe_blocks
from gradlab.report.results import metric_names
from gradlab.report.tables import comparisons_table, missing_told, results_table, shown_metrics, verdicts
from gradlab.report.wording import duration, seed_list, value_text

_LABELS = {"sha256": "SHA-256", "memory_bytes": "memory", "processor": "processor", "seconds": "wall time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one experiment contributes to a report."""

    title: str
    question: str
    """What was asked, in a sentence or a paragraph."""
    blocks: Sequence[Block]
    """What the experiment shows, in order; its `Answer` is lifted to the top."""
    results: Mapping[str, Any] = field(default_factory=dict)
    """The document of `results.json`."""
    command: str = ""
    """The command line that repeats the run; the one in `results` where empty."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Name -> value of the experiment's configuration."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Name -> default value: what differs is shown first."""
    changed: Sequence[str] = ()
    """Names of values that differ from a default that is not known here."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    """Versions, hardware, threads, how the seeds ran; the one in `results` where empty."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What was learned from, such as {"name": "MNIST", "sha256": ..., "images": ...}."""
    recipes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Arm -> how it learned, such as {"optimiser": "SGD: lr 0.1", ...}."""
    files: Sequence[str] = ()
    """Files that the run left behind, relative to its folder, in order."""
    brief: bool = False
    """Shows the question and the blocks only, as they are: for pages that no single run stands behind."""


def whole_page(page: Page) -> list[Block]:
    """Every block below the question: the answer, the experiment's own blocks, then results and record."""
    if page.brief:
        return list(page.blocks)
    answers = [block for block in page.blocks if isinstance(block, Answer)]
    own = [block for block in page.blocks if not isinstance(block, Answer)]
    if not page.results.get("arms"):
        answers.append(Answer("Nothing was measured: the run left no result of selected weights."))
    return [*answers, *own, *_numbers(page), *_record(page)]


def _numbers(page: Page) -> Iterator[Block]:
    """The results table, what the seeds support, and the metrics that no table has shown yet."""
    results = page.results
    if not results.get("arms"):
        return
    covered = {name for block in page.blocks if isinstance(block, Table) for name in block.metrics}
    shown = shown_metrics(results)
    rest = [name for name in metric_names(results["arms"]) if name not in covered and name not in shown]
    lost, comparisons = missing_told(results), results.get("comparisons")
    if covered.issuperset(shown) and not (lost or comparisons or rest):
        return
    yield Heading("Results")
    if not covered.issuperset(shown):
        yield results_table(results, shown)
    if lost:
        yield Bullets(tuple(lost))
    if comparisons:
        yield comparisons_table(comparisons)
        yield Details("The comparisons in sentences", [verdicts(comparisons)])
    if rest:
        yield Details("Other metrics", [results_table(results, rest)])


def _record(page: Page) -> Iterator[Block]:
    """How to repeat the run, and where it happened."""
    yield Heading("How to repeat it")
    if command := page.command or page.results.get("command", ""):
        yield Code(command)
    yield from _configuration(page)
    if recipes := recipe_blocks(page.recipes):
        yield Details("Recipes", recipes)
    if page.data:
        yield Facts(fact_pairs(page.data), "Data")
    environment = page.environment or page.results.get("environment", {})
    pairs = [*_seeds(page.results), *fact_pairs(environment)]
    if "seconds" in page.results:
        pairs.append(("wall time", duration(page.results["seconds"])))
    if pairs:
        yield Details("Environment", [Facts(pairs)])
    if page.files:
        yield Details("Files left behind", [Bullets(tuple(page.files))])


def _configuration(page: Page) -> Iterator[Block]:
    """The values that were changed, in the open, and the others folded."""
    differs = {name for name, value in page.config.items() if page.defaults.get(name, value) != value}
    changed = [name for name in page.config if name in differs or name in page.changed]
    kept = [(name, value_text(value)) for name, value in page.config.items() if name not in changed]
    if changed:
        told = [(name, _changed(name, page)) for name in changed]
        yield Facts(told, "Configuration, where it differs from the default")
    if kept:
        known = page.defaults or page.changed
        yield Details("Configuration at its default values" if known else "Configuration", [Facts(kept)])


def _changed(name: str, page: Page) -> str:
    value = value_text(page.config[name])
    return f"{value} (default {value_text(page.defaults[name])})" if name in page.defaults else value


def _seeds(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    lists = {tuple(arm["seeds"]) for arm in results.get("arms", {}).values()}
    return [("seeds", seed_list(seeds)) for seeds in lists] if len(lists) == 1 else []


def fact_pairs(mapping: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of a record as a reader reads them."""
    return [(_LABELS.get(name, name.replace("_", " ")), _fact(name, value)) for name, value in mapping.items()]


def _fact(name: str, value: object) -> str:
    if name.endswith("_bytes") and isinstance(value, int):
        return f"{value / 2**30:.1f} GiB" if value >= 2**30 else f"{value / 2**20:.1f} MiB"
    return value_text(value)
