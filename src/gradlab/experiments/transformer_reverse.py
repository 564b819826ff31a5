"""Can a transformer's encoder write a sequence backwards, and does its attention look where it should?

Expect: yes, without a mistake, with a single head in a single layer: each position looks most at its mirror image, so
an antidiagonal stands out of the attention map. With two layers of two heads one antidiagonal is enough, and the other
heads are free. Without positions a token cannot tell where it stands, and no training helps.
Source: cheat-sheet, "Transformer"; the solved tutorial 6, "Sequence to sequence"; Vaswani et al. 2017, "Attention is
all you need".
Command: `gradlab run transformer_reverse`
Cost: 7 min 41 s for 3 arms x 3 seeds, float32, 2 cores (results/transformer_reverse.json).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from gradlab import rng
from gradlab.data import reversing_sequences
from gradlab.models import TransformerPredictor
from gradlab.nn import one_hot
from gradlab.objectives import token_classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Heading,
    HeatMaps,
    Table,
    Text,
    accuracies_sentence,
    line_chart,
    percent,
)
from gradlab.stats import format_interval, summarise
from gradlab.training import Recipe, Run, Selection, schedules

ARMS = {"one head": (1, 1), "two layers": (2, 2), "no positions": (1, 1)}
"""Layers of each arm, and heads of each layer."""
MAPPED = 500
"""Test sequences over which attention is averaged."""
LONGEST_DRAWN = 64
"""Maps of longer sequences are told, not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    arms: tuple[Literal["one head", "two layers", "no positions"], ...] = ("one head", "two layers", "no positions")
    """one head in one layer, two heads in each of two layers, and one head that is told no positions"""
    length: int = 16
    """symbols of a sequence"""
    symbols: int = 10
    """how many different symbols there are"""
    train_sequences: int = 20000
    """sequences to learn from"""
    validation_sequences: int = 1000
    """sequences that choose the epoch"""
    test_sequences: int = 10000
    """sequences that are read once"""
    model_dim: int = 32
    """numbers of a token inside"""
    epochs: int = 10
    """passes over the training sequences"""
    batch_size: int = 128
    """sequences a step"""
    learning_rate: float = 0.001
    """highest learning rate of Adam, after the warm-up and before it falls along a cosine"""
    warm_up: int = 50
    """steps over which the learning rate rises"""
    clip_norm: float = 5.0
    """2-norm to which longer gradients are shortened"""


QUICK = Config(length=6, symbols=5, train_sequences=1280, validation_sequences=250, test_sequences=500, epochs=8,
               batch_size=64, learning_rate=0.005, warm_up=20)  # fmt: skip


def network(config: Config, arm: str, shape: tuple[int, ...], classes: int) -> TransformerPredictor:
    """The network of an arm, for sequences of [length, symbols]."""
    length, symbols = shape
    layers, heads = ARMS[arm]
    model = TransformerPredictor(symbols, classes, config.model_dim, num_heads=heads, num_layers=layers, max_len=length)
    if arm == "no positions":
        model.positional_encoding.table.zero_()
    return model


def draw_sequences(config: Config) -> dict[str, tuple[Tensor, Tensor]]:
    """The three parts, each from a stream of its own, the same for every seed."""
    sizes = {"train": config.train_sequences, "validation": config.validation_sequences, "test": config.test_sequences}
    return {part: reversing_sequences(size, length=config.length, symbols=config.symbols,
                                      generator=rng.generator(0, f"reverse {part}"))
            for part, size in sizes.items()}  # fmt: skip


def measure(model: nn.Module, examples: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Cross entropy in nats, the share of right symbols, and the share of sequences without a mistake."""
    device = next(model.parameters()).device
    sequences, targets = (tensor.to(device) for tensor in examples)
    with torch.no_grad():
        loss, _ = token_classification(model, sequences, targets)
        right = model(sequences).argmax(-1) == targets
    return {"loss": float(loss), "accuracy": right.double().mean().item(),
            "sequence_accuracy": right.all(-1).double().mean().item()}  # fmt: skip


def mean_maps(model: TransformerPredictor, sequences: Tensor) -> np.ndarray:
    """Attention weights, a mean over sequences, [layers, heads, length, length]: a row writes, a column is seen."""
    maps = model.get_attention_maps(sequences.to(next(model.parameters()).device))
    return torch.stack([layer.double().mean(0) for layer in maps]).cpu().numpy()


def antidiagonal(attention: np.ndarray) -> float:
    """The share of a map's weight [length, length] that lies where each position looks at its mirror image."""
    return float(np.trace(attention[:, ::-1]) / attention.sum())


def looks_at_mirror(attention: np.ndarray) -> float:
    """The share of a map's rows [length, length] whose largest weight is on the mirror image."""
    return float((attention[:, ::-1].argmax(1) == np.arange(len(attention))).mean())


def best_without_order(sequences: Tensor, symbols: int) -> float:
    """The accuracy to expect of whoever knows its own symbol and how often each occurs, but nothing of the order."""
    counts = one_hot(sequences, symbols).sum(1, keepdim=True)
    others = counts - one_hot(sequences, symbols)
    return (others.amax(-1) / max(sequences.shape[1] - 1, 1)).double().mean().item()


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every arm as the tutorial does, selects on validation, reads the test sequences and its attention once."""
    parts = draw_sequences(config)
    shape = (config.length, config.symbols)
    run.describe_data("random sequences", kind="sequences", shape=shape,
                      classes=[str(symbol) for symbol in range(config.symbols)],
                      sizes={part: len(examples[0]) for part, examples in parts.items()})  # fmt: skip
    steps = config.epochs * (config.train_sequences // config.batch_size)
    recipe = Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.Adam, lr=config.learning_rate, fused=True),
        schedule=schedules.warm_up(schedules.cosine(steps=max(steps, 1)), steps=config.warm_up),
        clip_norm=config.clip_norm,
        drop_last=True,
        select=Selection(metric="loss", best="smallest"),
    )
    for arm in config.arms:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, shape, config.symbols),
            parts["train"],
            token_classification,
            recipe,
            measure={"validation": partial(measure, examples=parts["validation"])},
        )
        models = {seed: model for seed, model in trained.models.items() if isinstance(model, TransformerPredictor)}
        maps = {seed: mean_maps(model, parts["test"][0][:MAPPED]) for seed, model in models.items()}
        blind = best_without_order(parts["test"][0], config.symbols)
        run.keep_arrays(arm, {**{f"maps_{seed}": found for seed, found in maps.items()}, "blind": np.array([blind])})
        for seed, model in models.items():
            yield {"arm": arm, "seed": seed, "split": "test", **measure(model, parts["test"])}
            shares = [antidiagonal(head) for layer in maps[seed] for head in layer]
            yield {"arm": arm, "seed": seed, "split": "test", "antidiagonal_attention": max(shares)}


def page(run: RunFolder) -> list[Block]:
    """Who can turn a sequence round, how that was learnt, and where each layer and head looks."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    maps = {arm: _maps(run.arrays(arm)) for arm in results["arms"]}
    told = "; ".join(_antidiagonal_told(arm, found) for arm, found in maps.items() if found)
    blocks: list[Block] = [
        Answer(f"{accuracies_sentence(results)} Weight of the attention on the antidiagonal, where each position looks "
               f"at its mirror image: {told or 'not measured'}."),
        line_chart(rows, where={"split": ["train", "validation"]}, percent=True, title="Accuracy over epochs",
                   y_label="symbols right",
                   caption="Training accuracy is a running mean over the epoch."),
    ]  # fmt: skip
    blind = run.arrays("no positions").get("blind")
    if blind is not None:
        blocks.append(Text(
            "Without positions a sequence is a bag of symbols. Whoever knows only what is in the bag, and their own "
            "symbol, does best with the symbol that is most frequent among the others: that is right for "
            f"{percent(blind[0], 1)} of the test symbols."))  # fmt: skip
    blocks.append(Heading("Where attention looks"))
    blocks.append(Text(
        f"Each row is the position that is written, each column the position that is looked at; a row adds up to "
        f"100 %. The maps are means over {min(MAPPED, config.test_sequences):,} test sequences. Weight on the "
        f"antidiagonal is what reversing needs; attention spread evenly would leave "
        f"{percent(1 / config.length, 1)} there."
    ))  # fmt: skip
    for arm, found in maps.items():
        if found:
            blocks += [_pictures(arm, found)] if config.length <= LONGEST_DRAWN else []
            blocks.append(_table(arm, found))
    return blocks


def _maps(arrays: Mapping[str, np.ndarray]) -> dict[int, np.ndarray]:
    return {int(name.removeprefix("maps_")): found for name, found in arrays.items() if name.startswith("maps_")}


def _shares(maps: Mapping[int, np.ndarray]) -> dict[str, list[float]]:
    """Layer and head -> the share on the antidiagonal, one a seed."""
    layers, heads = next(iter(maps.values())).shape[:2]
    return {f"layer {layer + 1}, head {head + 1}": [antidiagonal(found[layer, head]) for found in maps.values()]
            for layer in range(layers) for head in range(heads)}  # fmt: skip


def _antidiagonal_told(arm: str, maps: Mapping[int, np.ndarray]) -> str:
    best = [max(shares) for shares in zip(*_shares(maps).values(), strict=True)]
    whose = " in the head that has most" if len(_shares(maps)) > 1 else ""
    return f"{arm} {format_interval(summarise(best), percent=True)}{whose}"


def _pictures(arm: str, maps: Mapping[int, np.ndarray]) -> HeatMaps:
    """Every head of the first seed, or of every seed where there is only one head."""
    shares = _shares(maps)
    if len(shares) == 1:
        shown = {f"seed {seed}": found[0, 0] for seed, found in maps.items()}
        told = "The only head, for each seed."
    else:
        seed, found = next(iter(maps.items()))
        shown = dict(zip(shares, found.reshape(-1, *found.shape[2:]), strict=True))
        told = f"Seed {seed}."
    positions = [str(place + 1) for place in range(next(iter(shown.values())).shape[-1])]
    return HeatMaps(
        list(shown.values()),
        list(shown),
        f"Attention of {arm}",
        row_labels=positions,
        column_labels=positions,
        row_name="written",
        column_name="looked at",
        label="weight",
        limits=(0, 1),
        percent=True,
        caption=told,
    )


def _table(arm: str, maps: Mapping[int, np.ndarray]) -> Table:
    mirrored = np.array([[looks_at_mirror(head) for layer in found for head in layer] for found in maps.values()])
    cells = [(head, format_interval(summarise(found), percent=True), percent(rows, 1))
             for (head, found), rows in zip(_shares(maps).items(), mirrored.mean(0), strict=True)]  # fmt: skip
    header = (arm, "weight on the antidiagonal", "positions that look there most")
    return Table(header, cells, "Means over seeds.", ("test_antidiagonal_attention",))
