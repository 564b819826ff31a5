"""Two arms on the same seeds: how far apart, how sure, and an honest verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.stats.formatting import EVERYWHERE, decimals, is_steady
from gradlab.stats.sign_flip import pairs_needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The difference treatment - baseline over paired seeds, its interval, its test and its verdict."""

    names: tuple[str, str]
    """The treatment's and the baseline's name."""
    n: int
    """How many paired seeds there are, at least 1."""
    seeds: tuple[int, ...]
    """The paired seeds, ascending; positions where sequences were given."""
    left_out: tuple[int, ...]
    """Seeds that only one of the two arms has, ascending."""
    mean_difference: float
    """Mean of treatment - baseline over the paired seeds."""
    low: float | None
    """Lower end of the paired t interval; None below two seeds, the mean where all differences are equal."""
    high: float | None
    """Upper end of the paired t interval; None below two seeds, the mean where all differences are equal."""
    confidence: float
    """Share of such intervals that hold the true difference; the test's level is what is left to 1."""
    p_value: float
    """Two-sided p-value of the paired sign-flip test, in (0, 1]."""
    smallest_p: float
    """The smallest p-value that n seeds can reach."""
    wins: int
    """Seeds on which the treatment is better."""
    ties: int
    """Seeds on which the two are equal up to rounding."""
    losses: int
    """Seeds on which the baseline is better."""
    larger_is_better: bool
    """True for an accuracy, False for a loss."""
    percent: bool
    """Whether sentences print the values, which are fractions, in percentage points."""
    p_adjusted: float | None = None
    """Holm's p-value within a family of comparisons; None for a comparison on its own."""
    smallest_p_adjusted: float | None = None
    """The smallest adjusted p-value that the family's seeds can reach; None for a comparison on its own."""
    family: int = 1
    """How many comparisons were made together."""

    @property
    def significant(self) -> bool:
        """Whether the p-value, adjusted where there is a family, is at most 1 - confidence."""
        p = self.p_value if self.p_adjusted is None else self.p_adjusted
        # 1 - 0.9 is a rounding error below 0.1, which a p-value can equal.
        return p <= (1 - self.confidence) * (1 + 1e-12)

    @property
    def verdict(self) -> str:
        """A sentence or two with numbers, which name a better arm only where the test shows one."""
        return _verdict(self)

    def as_json(self) -> dict[str, Any]:
        """Returns the comparison as `results.json` holds it; the interval's key names its confidence."""
        interval = None if self.low is None or self.high is None else [self.low, self.high]
        return {
            "treatment": self.names[0],
            "baseline": self.names[1],
            "n": self.n,
            "seeds": list(self.seeds),
            "left_out": list(self.left_out),
            "mean_difference": self.mean_difference,
            f"ci{100 * self.confidence:g}": interval,
            "p_value": self.p_value,
            "p_adjusted": self.p_adjusted,
            "smallest_p": self.smallest_p,
            "smallest_p_adjusted": self.smallest_p_adjusted,
            "family": self.family,
            "wins": self.wins,
            "ties": self.ties,
            "losses": self.losses,
            "larger_is_better": self.larger_is_better,
            "significant": self.significant,
            "verdict": self.verdict,
        }


def verdicts_told(comparisons: Sequence[Comparison]) -> str:
    """The verdicts of several comparisons, one after another; that their seeds are too few is said once."""
    few = [found for found in comparisons if _too_few(found)]
    limits = {_limit(found) for found in few}
    if len(few) < 2 or len(limits) > 1:
        return " ".join(found.verdict for found in comparisons)
    shown = "; ".join(f"{_difference(found)}{_left_out(found)}" for found in few)
    rest = [found.verdict for found in comparisons if not _too_few(found)]
    return " ".join([f"{limits.pop()}; {_remedy(few[0])}. {shown}.", *rest])


def limit_told(pairs: int, smallest_p: float, family: int = 1, confidence: float = 0.95) -> tuple[str, str]:
    """That so few pairs cannot tell, and what would: two parts of a sentence.

    Args:
        pairs: how many paired seeds there are.
        smallest_p: the smallest p-value that they can reach, adjusted for the family.
        family: how many comparisons were made together.
        confidence: the test's level is what is left to 1.
    """
    level = (1 - confidence) * (1 + 1e-12)
    holm = f" after Holm's correction for {family} comparisons" if family > 1 else ""
    return (
        f"{_counted(pairs)} {'is' if pairs == 1 else 'are'} too few to tell: no difference can reach "
        f"p ≤ {1 - confidence:.3g}{holm} (smallest possible {smallest_p:.3g})",
        f"run at least {pairs_needed(level / family)} seeds",
    )


def _too_few(found: Comparison) -> bool:
    return found.ties < found.n and _smallest_p(found) > (1 - found.confidence) * (1 + 1e-12)


def _limit(found: Comparison) -> str:
    return limit_told(found.n, _smallest_p(found), found.family, found.confidence)[0]


def _remedy(found: Comparison) -> str:
    return limit_told(found.n, _smallest_p(found), found.family, found.confidence)[1]


def _counted(pairs: int) -> str:
    return f"{pairs} paired {'seed' if pairs == 1 else 'seeds'}"


def _verdict(found: Comparison) -> str:
    seeds = _counted(found.n)
    first, second = found.names
    if found.ties == found.n:
        return f"{first} and {second} are equal on each of {seeds}{_left_out(found)}."
    if _too_few(found):
        return f"{_difference(found)}{_left_out(found)}. {_limit(found)}; {_remedy(found)}."
    if not found.significant:
        return f"No difference shown with {seeds}: {_difference(found)}, {_p_value(found)}{_left_out(found)}."
    better, worse = (first, second) if (found.mean_difference > 0) == found.larger_is_better else (second, first)
    counts = f"{first} ahead on {found.wins}, equal on {found.ties}, behind on {found.losses}"
    return (
        f"{better} is better than {worse}: {_difference(found)}, {_p_value(found)} "
        f"({seeds}: {counts}){_left_out(found)}."
    )


def _smallest_p(found: Comparison) -> float:
    return found.smallest_p if found.smallest_p_adjusted is None else found.smallest_p_adjusted


def _difference(found: Comparison) -> str:
    scale, unit = (100.0, " points") if found.percent else (1.0, "")
    mean = scale * found.mean_difference
    label = f"{found.names[0]} − {found.names[1]} ="
    if found.low is None or found.high is None:
        numbers = f"{mean:+z.{decimals(mean, mean, mean, percent=found.percent)}f}{unit} (no interval)"
    else:
        low, high = scale * found.low, scale * found.high
        places = decimals(mean, low, high, percent=found.percent)
        steady = is_steady(mean, low, high)
        interval = f" {EVERYWHERE}" if steady else f" [{low:z.{places}f}, {high:z.{places}f}]"
        numbers = f"{mean:+z.{places}f}{unit}{interval}"
    return f"{label} {numbers.replace('-', '−')}"


def _p_value(found: Comparison) -> str:
    if found.p_adjusted is None or found.family == 1:
        return f"p = {found.p_value:.3g}"
    return f"p = {found.p_adjusted:.3g} after Holm's correction for {found.family} comparisons"


def _left_out(found: Comparison) -> str:
    return left_out_told(found.left_out)


def left_out_told(seeds: Sequence[int]) -> str:
    """The seeds that only one of two arms has, in brackets after a blank; empty without any."""
    if not seeds:
        return ""
    listed = ", ".join(str(seed) for seed in seeds)
    return f" ({'seed' if len(seeds) == 1 else 'seeds'} {listed} left out: not in both arms)"
