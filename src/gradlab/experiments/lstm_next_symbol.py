"""Does an LSTM that foretells the next symbol learn to count, and how far beyond the words that it has seen?

Expect: in words a^n b^n nobody can know when the first b comes, but from there on every symbol is determined, up to the
end. An LSTM foretells those for every n within the range it was trained on, n that it has never seen among them; its
cell counts up at each a and down at each b. Beyond the range it goes on for a while, then its count drifts.
The n of training, validation and test differ; the weights are those with the smallest validation loss over determined
symbols.
Source: cheat-sheet, "LSTM"; Gers and Schmidhuber 2001, "LSTM recurrent networks learn simple context-free and
context-sensitive languages".
Command: `gradlab run lstm_next_symbol`
Cost: 1 min 18 s for 1 arm x 3 seeds, float32, 2 cores (results/lstm_next_symbol.json).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.data import COUNTING_SYMBOLS, counting_words
from gradlab.errors import UsageError
from gradlab.models import MyRecurrentNet
from gradlab.objectives import token_classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Heading,
    Table,
    Text,
    accuracy_of,
    line_chart,
    percent,
)
from gradlab.report.results import values_by_seed
from gradlab.training import Recipe, Run, Selection, schedules

ARM = "LSTM"
READ_B = COUNTING_SYMBOLS.index("b")
"""Whoever has just read a b knows what comes next."""
END = COUNTING_SYMBOLS.index("end")
COUNTERS = 3
"""Cells that are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    largest: int = 32
    """largest n to learn; of every three even n the second is kept for validation and the third for test"""
    reach: int = 96
    """largest n that is tried"""
    hidden: int = 50
    """numbers in the hidden and in the cell state"""
    epochs: int = 100
    """passes over the training words"""
    copies: int = 8
    """how often an epoch holds each training word"""
    batch_size: int = 16
    """words a step"""
    learning_rate: float = 0.01
    """highest learning rate of Adam along the one cycle"""
    clip_norm: float = 1.0
    """2-norm to which longer gradients are shortened"""


QUICK = Config(largest=12, reach=36, hidden=24, epochs=40)


def network(config: Config, _arm: str, shape: tuple[int, ...], _classes: int) -> MyRecurrentNet:
    """The network of the only arm, for sequences of [steps, symbols]."""
    return MyRecurrentNet(shape[-1], config.hidden)


def parts(config: Config) -> dict[str, list[int]]:
    """The n of each part: "train", "validation" and "test" up to `largest`, and "longer" from there to `reach`.

    Raises:
        UsageError: nothing is left for one of them.
    """
    if config.largest < 6 or config.reach <= config.largest:
        raise UsageError(
            f"largest must be at least 6, so that there are n to validate and to test with, and reach larger than it: "
            f"got {config.largest} and {config.reach}"
        )
    within = range(1, config.largest + 1)
    return {
        "train": [n for n in within if n % 6 not in (0, 4)],
        "validation": [n for n in within if n % 6 == 4],
        "test": [n for n in within if n % 6 == 0],
        "longer": list(range(config.largest + 1, config.reach + 1)),
    }


@torch.no_grad()
def foretell(model: nn.Module, pairs: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """What a network says of the words with these n.

    Returns:
        Logits [words, steps, symbols] and targets [words, steps] on the CPU, and where symbols are determined, bool
        [words, steps].
    """
    sequences, targets = counting_words(torch.tensor(pairs))
    logits = model(sequences.to(next(model.parameters()).device)).cpu().double().unflatten(0, targets.shape)
    return logits, targets, sequences == READ_B


def measure(model: nn.Module, pairs: Sequence[int]) -> dict[str, float]:
    """Over the determined symbols: cross entropy in nats and share right; and the share of words without a mistake."""
    logits, targets, determined = foretell(model, pairs)
    right = (logits.argmax(-1) == targets) & determined
    return {
        "loss": F.cross_entropy(logits[determined], targets[determined]).item(),
        "accuracy": right.sum().item() / determined.sum().item(),
        "word_accuracy": (right == determined).all(1).double().mean().item(),
    }


@torch.no_grad()
def ends_after(model: nn.Module, n: int) -> int:
    """After how many b a network first expects the end of a word with n times a; 2n + 1 if not after 2n of them."""
    sequence = torch.tensor([[COUNTING_SYMBOLS.index("a")] * n + [READ_B] * 2 * n])
    expected = model(sequence.to(next(model.parameters()).device))[n:].argmax(-1).tolist()
    return expected.index(END) + 1 if END in expected else 2 * n + 1


def right_up_to(shares: Mapping[int, float]) -> int:
    """The n up to which every word is without a mistake, given the share of right symbols for n = 1, 2, ..."""
    return next((n for n, share in shares.items() if share < 1), len(shares) + 1) - 1


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains on all symbols of the training words, selects by validation n, then tries every n once."""
    split = parts(config)
    words = torch.tensor(split["train"]).repeat(config.copies)
    run.describe_data("a^n b^n", kind="words", shape=(2 * config.largest, len(COUNTING_SYMBOLS)),
                      classes=COUNTING_SYMBOLS, sizes={part: len(pairs) for part, pairs in split.items()})  # fmt: skip
    steps = config.epochs * -(-len(words) // config.batch_size)
    recipe = Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.Adam, lr=config.learning_rate, fused=True),
        schedule=schedules.one_cycle(steps=max(steps, 2)),
        clip_norm=config.clip_norm,
        select=Selection(metric="loss", best="smallest"),
    )
    trained = yield from run.fit(
        ARM,
        lambda: network(config, ARM, (2 * config.largest, len(COUNTING_SYMBOLS)), len(COUNTING_SYMBOLS)),
        counting_words(words, steps=2 * config.largest),
        token_classification,
        recipe,
        measure={"validation": partial(measure, pairs=split["validation"])},
    )
    shown = split["test"][-1]
    run.keep_arrays(ARM, {f"cells_{seed}": cells(model, shown) for seed, model in trained.models.items()
                          if isinstance(model, MyRecurrentNet)})  # fmt: skip
    for seed, model in trained.models.items():
        identity: Row = {"arm": ARM, "seed": seed}
        for part in ("validation", "test", "longer"):
            yield {**identity, "split": part, **measure(model, split[part])}
        shares = {n: measure(model, [n])["accuracy"] for n in range(1, config.reach + 1)}
        yield {**identity, "split": "longer", "right_up_to": float(right_up_to(shares))}
        for n, share in shares.items():
            counted = float(ends_after(model, n) - n)
            yield {**identity, "split": "every n", "n": n, "accuracy": share, "miscounted": counted}
        yield from ({**identity, **row} for row in probabilities(model, shown))


def cells(model: MyRecurrentNet, n: int) -> np.ndarray:
    """The cell states [2n, hidden] after each symbol of a^n b^n."""
    sequences, _ = counting_words(torch.tensor([n]))
    weights = model.l_out.weight
    features = F.one_hot(sequences, len(COUNTING_SYMBOLS)).to(weights.device, weights.dtype)
    states, found = None, []
    with torch.no_grad():
        for step in features.unbind(1):
            _, states = model.lstm(step.unsqueeze(1), states)
            found.append(states[1].flatten().cpu())
    return torch.stack(found).numpy()


def probabilities(model: nn.Module, n: int) -> Iterator[Row]:
    """The probability of each symbol after each symbol of a^n b^n."""
    logits, _, _ = foretell(model, [n])
    for read, shares in enumerate(logits[0].softmax(-1).tolist(), start=1):
        for symbol, share in zip(COUNTING_SYMBOLS, shares, strict=True):
            yield {"split": "test", "read": read, "symbol": symbol, "probability": share}


def page(run: RunFolder) -> list[Block]:
    """Whether the count is right within and beyond the range, what the network expects along a word, and its cells."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    shown = parts(config)["test"][-1]
    read = f"symbols read: a up to {shown}, then b"
    return [
        Answer(f"{_within_told(results, config)} {_beyond_told(results, config)} {_miscount_told(rows, config)}"),
        line_chart(rows, x="n", where={"split": "every n"}, percent=True, title="Determined symbols right, by n",
                   y_label="determined symbols right",
                   caption=f"Trained on n up to {config.largest}. Whoever always says b is right for all of them but "
                           f"the end: for {percent(1 - 1 / config.largest)} at n = {config.largest}."),
        line_chart(rows, x="n", y="miscounted", where={"split": "every n"}, title="Where the end is expected, by n",
                   y_label="b too many (below 0: too few)",
                   caption="After how many b the network first expects the end, less n."),
        _reach_table(results, config),
        Heading("Along a word"),
        Text(f"A word with n = {shown}, which was neither trained on nor used to choose. While a is read, the network "
             "can only weigh how likely the next b is among the words that it knows; after the first b nothing is left "
             "to chance."),
        line_chart(rows, x="read", y="probability", by="symbol", percent=True, title="What the network expects next",
                   x_label=read, y_label="probability of the next symbol"),
        *_counters(run.arrays(ARM), read),
        Heading("Learning"),
        line_chart(rows, y="loss", where={"split": "validation"}, log_y=True, title="Validation loss over epochs",
                   y_label="cross entropy of determined symbols, nats"),
        Text(f"Training learns every symbol of the words with n = {_listed(parts(config)['train'])}; "
             f"n = {_listed(parts(config)['validation'])} choose the epoch; n = {_listed(parts(config)['test'])} are "
             "the test words."),
    ]  # fmt: skip


def _counters(arrays: Mapping[str, np.ndarray], x_label: str) -> list[Block]:
    """The cells of the first seed's network that move the furthest along the word, and by how much at each symbol."""
    if not arrays:
        return []
    name, states = next(iter(arrays.items()))
    seed = int(name.removeprefix("cells_"))
    furthest = np.argsort(-np.ptp(states, axis=0), kind="stable")[:COUNTERS]
    rows: list[Row] = [{"cell": f"cell {unit}", "seed": seed, "read": read, "state": float(value)}
                       for unit in furthest for read, value in enumerate(states[:, unit], start=1)]  # fmt: skip
    chart = line_chart(rows, x="read", y="state", by="cell", title="The cells that move most", x_label=x_label,
                       y_label="cell state", caption=f"Seed {seed}.")  # fmt: skip
    steps = np.diff(states, axis=0)
    middle = len(states) // 2
    told = "; ".join(f"cell {unit} by {steps[: middle - 1, unit].mean():+z.2f} at an a and by "
                     f"{steps[middle - 1 :, unit].mean():+z.2f} at a b" for unit in furthest)  # fmt: skip
    words = Text(f"In the mean these cells move: {told.replace('-', '−')}. A cell state is a sum, so it can hold a "
                 "count; a plain recurrent state is squeezed through tanh at every step.")  # fmt: skip
    return [chart, words]


def _within_told(results: Mapping[str, Any], config: Config) -> str:
    whole = values_by_seed(results["arms"][ARM], "test_word_accuracy")
    perfect = sum(value == 1 for value in whole.values())
    return (
        f"Of the determined symbols of words with n up to {config.largest} that it has not seen, the LSTM foretells "
        f"{accuracy_of(results, ARM)} right; {perfect} of {len(whole)} seeds make no mistake."
    )


def _beyond_told(results: Mapping[str, Any], config: Config) -> str:
    reached = values_by_seed(results["arms"][ARM], "longer_right_up_to")
    told = ", ".join(f"{value:.0f} (seed {seed})" for seed, value in reached.items())
    unbroken = sum(value == config.reach for value in reached.values())
    tried = f"; {config.reach} is the longest tried" if unbroken else ""
    return f"From n = 1 on, every word is right up to n = {told}{tried}."


def _miscount_told(rows: Sequence[Row], config: Config) -> str:
    off = [f"{row['miscounted']:+z.0f}".replace("-", "−") for row in rows
           if row.get("n") == config.reach and "miscounted" in row]  # fmt: skip
    return f"At n = {config.reach} its count is off by {', '.join(off)} b."


def _reach_table(results: Mapping[str, Any], config: Config) -> Table:
    names = ("longer_right_up_to", "longer_accuracy", "longer_word_accuracy")
    found = [values_by_seed(results["arms"][ARM], name) for name in names]
    cells = [(str(seed), f"{found[0][seed]:.0f}", percent(found[1][seed], 2), percent(found[2][seed], 2))
             for seed in found[0]]  # fmt: skip
    header = ("seed", "every word right up to n =", "determined symbols right", "words right")
    told = f"The last two columns: n from {config.largest + 1} to {config.reach}, beyond everything trained on."
    return Table(header, cells, told, names)


def _listed(pairs: Sequence[int]) -> str:
    return ", ".join(map(str, pairs))
