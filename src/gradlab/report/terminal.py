"""The results of a run as plain text, for the end of a run on a terminal."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.report.tables import cell, missing_told, results_table, sampling_told, seeds_cell, shown_metrics
from gradlab.report.wording import is_share, metric_label

WIDTH = 100
"""No line is longer, unless a name in it is."""


def terminal_summary(results: Mapping[str, Any], metrics: Sequence[str] | None = None) -> str:
    """Returns the table of arms by metrics with intervals, aligned, at most `WIDTH` columns wide, without colours.

    Args:
        results: the document of `results.json`.
        metrics: the metrics to show; None shows those of the test split, or all where there are none.
    """
    arms = results["arms"]
    if not arms:
        return "Nothing was measured."
    names = list(metrics) if metrics is not None else shown_metrics(results)
    table = results_table(results, names)
    lines = aligned(table.header, table.rows)
    if max(map(len, lines)) > WIDTH:
        rows = [
            (arm, metric_label(name), cell(arms[arm], name), seeds_cell(arms[arm], [name]))
            for arm in arms
            for name in names
            if name in arms[arm]["metrics"]
        ]
        lines = aligned(("Arm", "Metric", "Mean", "Seeds"), rows)
    cut = ", cut off at 0 and 100 %" if any(map(is_share, names)) else ""
    note = f"Mean and 95 % interval over seeds{cut}. {sampling_told(results, names)}".rstrip()
    return "\n".join([*lines, "", wrapped(note), *missing_told(results)])


def wrapped(text: str) -> str:
    """A paragraph in lines of at most `WIDTH` columns."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table's lines: columns padded to their widest cell, a rule below the header, over-long cells cut."""
    most = max(12, WIDTH // 2)
    cells = [[_cut(str(cell), most) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(header))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
