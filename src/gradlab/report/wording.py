"""Numbers and names as a reader wants them."""

import math
import re
from collections.abc import Iterable, Sequence

from gradlab.stats.formatting import EVERYWHERE, decimals, is_steady

NOTHING = "–"
"""What stands where nothing was measured."""

_SPLITS = ("train", "validation", "test")
_SHARES = ("accuracy", "error_rate", "recall", "precision")
_BETTER_SMALL = re.compile(
    r"(^|_)(loss|error|nll|negative_log_likelihood|cross_entropy|perplexity|mse|mae|rmse|fid|ece|bits|distance|seconds|brier)(_|$)"
)
_BETTER_LARGE = re.compile(
    r"(^|_)(accuracy|auc|precision|recall|f1|score|elbo|log_likelihood|psnr|ssim|iou|purity|nmi|top\d+)(_|$)"
)

_SPOKEN = {"log_px": "log p(x|z)", "elbo": "ELBO", "kl": "KL divergence"}


def is_share(metric: str) -> bool:
    """Whether a metric is a fraction that readers expect in percent, such as an accuracy."""
    return any(re.search(rf"(^|_){share}(_|$)", metric) for share in _SHARES)


def larger_is_better(metric: str) -> bool | None:
    """True for an accuracy or likelihood, False for a loss or error, None where the name does not tell."""
    # "negative_log_likelihood" and "error_rate" hold words of both kinds, so the smaller-is-better words go first.
    if _BETTER_SMALL.search(metric):
        return False
    return True if _BETTER_LARGE.search(metric) else None


def metric_label(metric: str) -> str:
    """A metric's name in words, such as "test accuracy" or "test ELBO"."""
    for name, spoken in _SPOKEN.items():
        metric = re.sub(rf"(?<![^_]){name}(?![^_])", spoken, metric)
    return metric.replace("_", " ")


def metric_title(metric: str) -> str:
    """A metric's name in words with a capital at the beginning, such as "Test accuracy"."""
    label = metric_label(metric)
    return label[:1].upper() + label[1:]


def split_of(metric: str) -> str:
    """The split that a metric name such as `test_accuracy` starts with; empty where there is none."""
    first = metric.partition("_")[0]
    return first if first in _SPLITS else ""


def number(value: float, *, percent: bool = False) -> str:
    """One number without an interval: four significant digits, or a percentage with two decimals."""
    if not math.isfinite(value):
        return "not finite"
    if percent:
        return f"{100 * value:z.2f} %".replace("-", "−")
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def percent(share: float, places: int = 0) -> str:
    """A share in percent with so many decimals, such as "73.7 %"."""
    return f"{100 * share:z.{places}f} %".replace("-", "−")


def interval_text(mean: float, low: float | None, high: float | None, *, percent: bool = False) -> str:
    """The mean and its interval with the digits that the interval supports, such as "98.6 % [98.4, 98.8]".

    Equal values on all seeds make no interval: "100.00 % on every seed".
    """
    if low is None or high is None:
        return number(mean, percent=percent)
    scale, unit = (100.0, " %") if percent else (1.0, "")
    places = decimals(scale * mean, scale * low, scale * high, percent=percent)
    middle, lower, upper = (f"{scale * value:z,.{places}f}" for value in (mean, low, high))
    interval = EVERYWHERE if is_steady(mean, low, high) else f"[{lower}, {upper}]"
    return f"{middle}{unit} {interval}".replace("-", "−")


def counted(count: int, noun: str) -> str:
    """A count with its noun, such as "1 seed" or "3 seeds"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def joined(parts: Iterable[str], by: str) -> str:
    """The parts that are not empty, put together."""
    return by.join(part for part in parts if part)


def seed_list(seeds: Sequence[int]) -> str:
    """Seeds as a reader says them: "0 to 4" for a run of three or more, else "0, 3"."""
    ordered = sorted(seeds)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]} to {ordered[-1]}"
    return ", ".join(str(seed) for seed in ordered)


def duration(seconds: float) -> str:
    """A time span in the two units that matter, such as "3 min 20 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours = whole // 60, whole // 3600
    if whole < 60:
        return f"{whole} s"
    return f"{minutes} min {whole % 60} s" if hours == 0 else f"{hours} h {minutes % 60} min"


def value_text(value: object) -> str:
    """A configuration or environment value in words: nested mappings and lists are written out in one line."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {value_text(item)}" for key, item in value.items() if item is not None) or "none"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(value_text(item) for item in value) or "none"
    return str(value)
