"""The handbook's, the cheat-sheet's and the slides' computations, to be explained by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from gradlab.explain.autograd import explain
from gradlab.explain.steps import Explanation
from gradlab.explain.tape import Tape


@dataclass(frozen=True, slots=True)
class Example:
    """A computation: `run` returns its variables, the last of which is explained."""

    told: str
    source: str
    run: Callable[[], Mapping[str, Any]]


def handbook() -> Mapping[str, Any]:
    """The mean of (x + 2)² + 3 at x = [0, 1, 2], whose gradient is 2 (x + 2)/3."""
    x = torch.arange(3, dtype=torch.float32, requires_grad=True)
    a = x + 2
    b = a**2
    c = b + 3
    y = c.mean()
    return {"x": x, "a": a, "b": b, "c": c, "y": y}


def cheatsheet() -> Mapping[str, Any]:
    """The mean of 3 y², y = x + 2, at ones: 4.5 everywhere, for y as well since it retains its gradient."""
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    y.retain_grad()
    return {"x": x, "y": y, "z": z, "out": out}


def cheatsheet_sum() -> Mapping[str, Any]:
    """The sum of 2 x: 2 for the leaf, 1 for the intermediate result, nothing for the sum itself."""
    my_tensor = torch.tensor([[0.3858, 0.2446, 0.4414], [0.7755, 0.0104, 0.1654]], requires_grad=True)
    x = my_tensor.multiply(2)
    my_sum = x.sum()
    x.retain_grad()
    return {"my_tensor": my_tensor, "x": x, "my_sum": my_sum}


def slides() -> Mapping[str, Any]:
    """The product of w = [5, 3] and x = [7, 1]: each is the other's gradient."""
    w = torch.tensor([5, 3], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([7, 1], dtype=torch.float64, requires_grad=True)
    y = torch.dot(w, x)
    return {"w": w, "x": x, "y": y}


def broadcast() -> Mapping[str, Any]:
    """A bias added to each row of a batch: its gradient is summed over the rows."""
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    bias = torch.tensor([0.5, -1.0], requires_grad=True)
    shifted = rows + bias
    loss = (shifted**2).sum()
    return {"rows": rows, "bias": bias, "shifted": shifted, "loss": loss}


def detach() -> Mapping[str, Any]:
    """x² with one factor detached: half of the gradient is gone."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    frozen = x.detach()
    y = (x * frozen).sum()
    return {"x": x, "frozen": frozen, "y": y}


def second_order() -> Mapping[str, Any]:
    """The gradient of x³, made with create_graph=True: its own gradient is 6 x."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    cubes = (x**3).sum()
    (slope,) = torch.autograd.grad(cubes, x, create_graph=True)
    total = slope.sum()
    return {"x": x, "cubes": cubes, "slope": slope, "total": total}


def classifier() -> Mapping[str, Any]:
    """A linear layer, cross-entropy and two samples: the logits receive softmax minus one-hot, divided by two."""
    samples = torch.tensor([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]])
    labels = torch.tensor([0, 1])
    weight = torch.tensor([[0.2, -0.1, 0.4], [-0.3, 0.5, 0.1]], requires_grad=True)
    bias = torch.tensor([0.1, -0.2], requires_grad=True)
    logits = functional.linear(samples, weight, bias)
    loss = functional.cross_entropy(logits, labels)
    return {"samples": samples, "labels": labels, "weight": weight, "bias": bias, "logits": logits, "loss": loss}


EXAMPLES = {
    "handbook": Example("y = mean((x + 2)² + 3)", "the handbook's introduction to PyTorch", handbook),
    "cheatsheet": Example("out = mean(3 (x + 2)²), with retain_grad", "the cheat-sheet, Autograd", cheatsheet),
    "cheatsheet_sum": Example("my_sum = Σ 2 x, with retain_grad", "the cheat-sheet, Autograd", cheatsheet_sum),
    "slides": Example("y = w · x", "the slides, Autograd", slides),
    "broadcast": Example("a bias for every row: summed back", "", broadcast),
    "detach": Example("a factor that was cut off", "", detach),
    "second_order": Example("the gradient of a gradient", "", second_order),
    "classifier": Example("a linear layer and cross-entropy", "", classifier),
}
"""Name -> computation."""


def explain_example(name: str, *, jacobian: bool = False) -> Explanation:
    """Runs one of `EXAMPLES` and explains its last variable."""
    with Tape(file="") as tape:
        variables = EXAMPLES[name].run()
    label, output = list(variables.items())[-1]
    return explain(output, names=variables, tape=tape, name=label, jacobian=jacobian)
