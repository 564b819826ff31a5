"""Write a test yourself.

You are handed somebody's `loss(z, temperature)`, which should be the InfoNCE loss of vectors z [2 N, d] (rows i and
i + N belong together, cosine similarities divided by the temperature, each row classified among all others). Write
`judge_the_loss(loss)`, which returns True if the loss is right and False if it is wrong. Several wrong losses are
tried: think of inputs for which you know what comes out, and of changes that must (or must not) change it.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 5: create some test cases yourself for the InfoNCE loss"
HINTS = (
    "The surest test compares with a slow and simple version: two loops over rows, written from the formula.",
    "If all vectors are equal, every other row is as similar as the partner: the loss is log(2 N - 1).",
    "Also: scaling z changes nothing; swapping rows 0 and 1 changes it; another temperature changes it.",
)


def judge_the_loss(loss: Callable[[Tensor, float], Tensor]) -> bool:
    """Returns whether `loss` is the InfoNCE loss."""
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(1)
    for n, temperature in ((2, 0.5), (3, 0.1), (5, 2.0)):
        z = torch.randn(2 * n, 4, generator=generator)
        unit = z / z.norm(dim=1, keepdim=True)
        total = 0.0
        for i in range(2 * n):
            scores = [float(unit[i] @ unit[k]) / temperature for k in range(2 * n)]
            others = sum(math.exp(score) for k, score in enumerate(scores) if k != i)
            total += math.log(others) - scores[(i + n) % (2 * n)]
        if abs(float(loss(z, temperature)) - total / (2 * n)) > 1e-3:
            return False
    return True
    ### END SOLUTION


def _probe(trusts: Any, flaws: list[str]) -> dict[str, Any]:
    def made(flaw: str) -> Callable[[Tensor, float], Tensor]:
        def loss(z: Tensor, temperature: float) -> Tensor:
            unit = z if flaw == "no unit vectors" else functional.normalize(z, dim=1)
            scores = unit @ unit.T / {"no temperature": 1.0, "multiplied": 1 / temperature}.get(flaw, temperature)
            if flaw != "itself":
                scores = scores.masked_fill(torch.eye(len(z), dtype=torch.bool), -math.inf)
            rows = torch.arange(len(z))
            partners = rows ^ 1 if flaw == "neighbours" else rows.roll(len(z) // 2)
            told = functional.cross_entropy(scores, partners, reduction="sum" if flaw == "sum" else "mean")
            return -told if flaw == "sign" else told * 2 if flaw == "twice" else told

        return loss

    return {flaw or "the right loss": bool(trusts(made(flaw))) for flaw in flaws}


FLAWS = ["no unit vectors", "no temperature", "multiplied", "itself", "neighbours", "sum", "sign", "twice"]


def _case(draw: Draw) -> dict[str, Any]:
    return {"flaws": ["", *FLAWS]}


def _accepts(*flaws: str) -> Callable[[Any], bool]:
    """A test that takes losses with these flaws for right: it compares with each of them."""

    def trusts(loss: Any) -> bool:
        z = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
        told = float(loss(z, 0.5))
        return any(abs(told - _value(z, 0.5, flaw)) < 1e-3 for flaw in ("", *flaws))

    return trusts


def _value(z: Tensor, temperature: float, flaw: str) -> float:
    unit = z if flaw == "no unit vectors" else functional.normalize(z, dim=1)
    scores = unit @ unit.T / {"no temperature": 1.0, "multiplied": 1 / temperature}.get(flaw, temperature)
    if flaw != "itself":
        scores = scores.masked_fill(torch.eye(len(z), dtype=torch.bool), -math.inf)
    partners = torch.arange(len(z)) ^ 1 if flaw == "neighbours" else torch.arange(len(z)).roll(len(z) // 2)
    told = functional.cross_entropy(scores, partners).item()
    return {"sum": told * len(z), "sign": -told, "twice": 2 * told}.get(flaw, told)


CHECK = Check(
    probe=_probe,
    case=_case,
    cases=1,
    faults=(
        Fault("every loss is taken for right", "A test that cannot fail tests nothing.", lambda loss: True),
        Fault("the right loss is refused", "Compute by hand what it should be for a small z.", lambda loss: False),
        Fault(
            "every loss but one without unit vectors is taken for right",
            "Check values as well, not only scaling.",
            _accepts(*FLAWS[1:]),
        ),
        Fault(
            "temperatures are not tested", "Try another temperature than 1.", _accepts("no temperature", "multiplied")
        ),
        Fault("a missing temperature is not noticed", "Try another temperature than 1.", _accepts("no temperature")),
        Fault(
            "vectors of other lengths are not tested",
            "Scaling z must not change the loss.",
            _accepts("no unit vectors"),
        ),
        Fault(
            "a row compared with itself is not noticed",
            "Equal vectors give log(2 N - 1), not log(2 N).",
            _accepts("itself"),
        ),
        Fault("wrong partners are not noticed", "Swapping rows 0 and 1 must change the loss.", _accepts("neighbours")),
        Fault("the number of rows is not tested", "The mean: try different N.", _accepts("sum")),
        Fault(
            "sum and factor are not noticed", "Compare values, not only their order or sign.", _accepts("sum", "twice")
        ),
        Fault(
            "only the sign is tested",
            "Compare with a value computed by hand.",
            _accepts(*[flaw for flaw in FLAWS if flaw != "sign"]),
        ),
    ),
)
