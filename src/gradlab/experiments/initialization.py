"""How large must initial weights be for signals and gradients to pass through many layers?

Expect: what theory says of wide layers. A layer multiplies the mean square by n Var(w) times what the nonlinearity
leaves: half with ReLU, so that Kaiming's 2 / n keeps the scale and Xavier's 1 / n loses a factor of 0.71 a layer; all
without a nonlinearity, so that Xavier and orthogonal weights keep it and Kaiming's gain 1.41; less with tanh, which
tames any growth. Small weights lose almost all within a few layers, and zero weights all in the first. In a recurrent
layer two such sums meet: with 2 / n the variance grows with time, with 1 / n it stays.
Source: cheat-sheet, "Parameter initialization" and "Recurrent Neural Networks".
Command: `gradlab run initialization`
Cost: 6.1 s for 17 arms x 3 seeds, float32, 2 cores (results/initialization.json).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import nn

from gradlab import rng
from gradlab.explain import NONLINEARITIES, Scales, expected_scales, signal_scales
from gradlab.nn import initialization
from gradlab.records import Row, RunFolder
from gradlab.report import Answer, Block, Heading, LineChart, Table, Text, line_chart
from gradlab.report.results import values_by_seed
from gradlab.stats import Summary, summarise
from gradlab.training import Run

SCHEMES = ("zero", "small normal", "Xavier", "Kaiming", "orthogonal")
RULES = {"2 / n": initialization.kaiming, "1 / n": initialization.recurrent}
KINDS = {"activations": "forward", "gradients": "backward"}
LOWEST_SHOWN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    depth: int = 30
    """layers"""
    width: int = 256
    """units of each layer, n"""
    samples: int = 256
    """random inputs"""
    small: float = 0.01
    """standard deviation of the small normal weights"""
    steps: int = 30
    """time steps of the recurrent layer"""


QUICK = Config(depth=20, width=96, samples=64, steps=20)


def run(config: Config, run: Run) -> Iterator[Row]:
    """Sends random inputs forward and random gradients backward through untrained networks; trains nothing."""
    for nonlinearity, scheme, seed in product(NONLINEARITIES, SCHEMES, run.seeds):
        scales = measure(config, scheme, nonlinearity, seed)
        identity: Row = {"arm": arm_of(scheme, nonlinearity), "seed": seed}
        yield from ({**identity, **row} for row in _rows(scales, scheme, nonlinearity))
        yield {**identity, "split": "forward", "growth": scales.forward_growth()}
        yield {**identity, "split": "backward", "growth": scales.backward_growth()}
    for rule, seed in product(RULES, run.seeds):
        variances = recurrent_variances(config, rule, seed)
        identity = {"arm": f"recurrent, {rule}", "seed": seed}
        for step, variance in enumerate(variances, start=1):
            yield {**identity, "rule": rule, "step": step, "variance": variance}
        yield {**identity, "split": "recurrent", "variance": variances[-1]}


def arm_of(scheme: str, nonlinearity: str) -> str:
    """The name under which a scheme's results with a nonlinearity stand."""
    return f"{scheme}, {nonlinearity}"


def measure(config: Config, scheme: str, nonlinearity: str, seed: int) -> Scales:
    """The scales in one network, in double precision, since some fall below what single precision can hold."""
    draw = {
        "zero": partial(initialization.small_normal, std=0.0),
        "small normal": partial(initialization.small_normal, std=config.small),
        "Xavier": initialization.xavier,
        "Kaiming": initialization.kaiming,
        "orthogonal": initialization.orthogonal,
    }[scheme]
    generator = rng.generator(seed, f"{scheme} weights")
    # Weights are drawn like those of any network and widened afterwards.
    layers = [draw(nn.Linear(config.width, config.width), generator=generator).double() for _ in range(config.depth)]
    drawn = rng.generator(seed, "inputs and gradients")
    inputs, gradient = torch.randn(2, config.samples, config.width, dtype=torch.float64, generator=drawn)
    return signal_scales(layers, nonlinearity, inputs, gradient)


def expect(config: Config, scheme: str, nonlinearity: str) -> Scales:
    """The scales of theory, from n Var(w) of the scheme in a square layer."""
    gain = {"zero": 0.0, "small normal": config.width * config.small**2, "Kaiming": 2.0}.get(scheme, 1.0)
    return expected_scales(gain, nonlinearity, config.depth)


def recurrent_variances(config: Config, rule: str, seed: int) -> list[float]:
    """The variance of a recurrent layer's pre-activations at each time step: ReLU units, fed with ReLU units."""
    layer = RULES[rule](nn.RNN(config.width, config.width, nonlinearity="relu"),
                        generator=rng.generator(seed, f"recurrent {rule}"))  # fmt: skip
    drawn, state, found = rng.generator(seed, "recurrent inputs"), torch.zeros(config.samples, config.width), []
    with torch.no_grad():
        for _ in range(config.steps):
            inputs = torch.randn(config.samples, config.width, generator=drawn).relu()
            summed = inputs @ layer.weight_ih_l0.T + state @ layer.weight_hh_l0.T
            found.append(float(summed.double().square().mean()))
            state = summed.relu()
    return found


def page(run: RunFolder) -> list[Block]:
    """For each nonlinearity the scales over depth and the growth a layer beside theory; the recurrent layer."""
    rows, config = run.rows(), Config(**run.document("config")["config"])
    arms = run.document("results")["arms"]
    compared = [{**row, "source": "measured"} for row in rows] + _theory(config, arms)
    blocks: list[Block] = [
        Answer(f"{_kept_told(arms, config)} {_theory_told(arms, config)}"),
        Text("Each layer is as wide as the one below, without biases. Activations start from normal inputs at layer 0, "
             "gradients from normal ones at the last layer; no weight is ever trained. Zero weights leave neither "
             "signal nor gradient behind the first layer, and have no place on a logarithmic scale."),
    ]  # fmt: skip
    for name in NONLINEARITIES:
        blocks += [Heading(f"Layers of {name}"), *(_chart(compared, name, kind) for kind in KINDS),
                   _table(arms, config, name)]  # fmt: skip
    recurrent = line_chart(
        compared, x="step", y="variance", by="rule", where={"source": ["theory", "measured"]}, log_y=True,
        title="Variance of the pre-activations over time", x_label="time step", caption=_recurrent_told(arms, config),
    )  # fmt: skip
    words = Text(
        "Each unit adds what comes from the input and what comes from the state. In an endlessly wide layer 2 / n adds "
        "1 to the variance at every step and 1 / n halves the way to 1. A real layer uses the same weights at every "
        "step, and with 2 / n it stands at the edge between dying away and exploding, so single layers stray far from "
        "the line."
    )
    return [*blocks, Heading("A recurrent layer"), words, recurrent]


def _rows(scales: Scales, scheme: str, nonlinearity: str) -> Iterator[Row]:
    for kind in KINDS:
        for layer, scale in enumerate(getattr(scales, kind)):
            yield {"scheme": scheme, "nonlinearity": nonlinearity, "kind": kind, "layer": layer, "scale": scale}


def _theory(config: Config, arms: Mapping[str, Any]) -> list[Row]:
    """What theory says, as rows of every seed, so that charts count the seeds that were measured."""
    expected = [row for name, scheme in product(NONLINEARITIES, SCHEMES)
                for row in _rows(expect(config, scheme, name), scheme, name)]  # fmt: skip
    steps = range(1, config.steps + 1)
    expected += [{"rule": "2 / n", "step": step, "variance": float(step)} for step in steps]
    expected += [{"rule": "1 / n", "step": step, "variance": 1 - 0.5**step} for step in steps]
    seeds = next(iter(arms.values()))["seeds"]
    return [{**row, "seed": seed, "source": "theory"} for seed in seeds for row in expected]


def _chart(rows: list[Any], nonlinearity: str, kind: str) -> LineChart:
    # Both are followed from where they start, so that lines part towards their ends, where their names stand.
    depth = max(row["layer"] for row in rows if isinstance(row.get("layer"), int))
    shown = [{**row, "passed": row["layer"] if kind == "activations" else depth - row["layer"]} for row in rows
             if row.get("scheme", "zero") != "zero" and row["scale"] > LOWEST_SHOWN]  # fmt: skip
    return line_chart(
        shown,
        x="passed",
        y="scale",
        by="scheme",
        where={"source": ["theory", "measured"], "nonlinearity": nonlinearity, "kind": kind},
        log_y=True,
        title=f"{kind.capitalize()} through layers of {nonlinearity}",
        x_label="layers passed" if kind == "activations" else "layers passed, from the last backward",
        y_label=f"root mean square of the {kind}",
        caption="Cut off below a millionth.",
    )


def _growth(arms: Mapping[str, Any], scheme: str, nonlinearity: str, kind: str) -> Summary:
    return summarise(list(values_by_seed(arms[arm_of(scheme, nonlinearity)], f"{KINDS[kind]}_growth").values()))


def _expected_growth(config: Config, scheme: str, nonlinearity: str, kind: str) -> float:
    scales = expect(config, scheme, nonlinearity)
    return scales.forward_growth() if kind == "activations" else scales.backward_growth()


def _table(arms: Mapping[str, Any], config: Config, nonlinearity: str) -> Table:
    rows = []
    for scheme in SCHEMES:
        cells = [(f"{_expected_growth(config, scheme, nonlinearity, kind):.3f}",
                  _interval(_growth(arms, scheme, nonlinearity, kind))) for kind in KINDS]  # fmt: skip
        rows.append((scheme, *cells[0], *cells[1]))
    header = ("weights", "theory", "activations", "theory", "gradients")
    covered = ("forward_growth", "backward_growth", "recurrent_variance")
    return Table(
        header,
        rows,
        "Factor a layer, over all layers: theory, then measured with the 95 % interval over seeds.",
        covered,
    )


def _interval(found: Summary) -> str:
    shown = f"{found.mean:.3f}"
    return shown if found.low is None or found.high is None else f"{shown} [{found.low:.3f}, {found.high:.3f}]"


def _kept_told(arms: Mapping[str, Any], config: Config) -> str:
    """Which weights keep both scales within a factor of ten over all layers."""
    told = []
    for name in NONLINEARITIES:
        factors = {scheme: [_growth(arms, scheme, name, kind).mean ** config.depth for kind in KINDS]
                   for scheme in SCHEMES}  # fmt: skip
        kept = [scheme for scheme, both in factors.items() if all(0.1 < factor < 10 for factor in both)]
        told.append(f"with {name} {' and '.join(kept) or 'none'}")
    return f"Over {config.depth} layers these weights keep both scales within a factor of ten: {'; '.join(told)}."


def _theory_told(arms: Mapping[str, Any], config: Config) -> str:
    """How far the mean measured growth is from theory where it differs most."""
    gaps = {(name, scheme, kind): _growth(arms, scheme, name, kind).mean / _expected_growth(config, scheme, name, kind)
            for name, scheme, kind in product(NONLINEARITIES, SCHEMES[1:], KINDS)}  # fmt: skip
    name, scheme, kind = max(gaps, key=lambda case: abs(gaps[case] - 1))
    gap = abs(gaps[name, scheme, kind] - 1)
    return (
        f"In all {len(gaps)} cases the measured growth a layer is within {100 * gap:.2f} % of theory "
        f"(the furthest: {kind}, {scheme} weights, {name})."
    )


def _recurrent_told(arms: Mapping[str, Any], config: Config) -> str:
    told = []
    for rule in RULES:
        values = values_by_seed(arms[f"recurrent, {rule}"], "recurrent_variance").values()
        told.append(f"from {min(values):.3g} to {max(values):.3g} with {rule}")
    return f"At step {config.steps} the variance of the seeds' layers goes {' and '.join(told)}."
