"""Logistic regression for many networks and penalties at once, by L-BFGS over all samples."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

MEMORY = 5
"""Steps that the curvature is estimated from."""
ENOUGH = 1e-4
"""Share of the expected decrease that a step has to reach (Armijo's rule)."""
HALVINGS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Minimisers for R sets of features and L penalties.

    Args:
        weights: [R, L, classes, numbers].
        biases: [R, L, classes].
        gradient: [R, L], the largest entry of each gradient, in size.
        iterations: how many steps were made.
    """

    weights: Tensor
    biases: Tensor
    gradient: Tensor
    iterations: int

    def logits(self, features: Tensor) -> Tensor:
        """Logits [R, L, classes, samples] of features [R, samples, numbers]."""
        products = self.weights.flatten(1, 2) @ features.transpose(1, 2)
        return products.view(*self.weights.shape[:3], -1) + self.biases.unsqueeze(-1)


def logistic_regression(
    features: Tensor,
    labels: Tensor,
    penalties: Tensor,
    *,
    classes: int,
    tolerance: float = 1e-4,
    most_iterations: int = 500,
) -> Solution:
    """Minimises the mean cross entropy in nats + penalty / 2 * the sum of squared weights; biases are free.

    It converges soonest for columns that are centred and not correlated. All problems are solved side by side, each
    with its own step length; one that has converged waits for those with the same penalty.

    Args:
        features: [R, samples, numbers], the same samples seen by R networks.
        labels: int64 [samples].
        penalties: [L], positive.
        classes: how many there are; one without a sample gets logits that fall for ever, within the tolerance.
        tolerance: a problem is solved once no entry of its gradient is larger.
        most_iterations: gives up after so many steps.

    Source: Nocedal and Wright 2006, "Numerical optimization", algorithms 3.1, 7.4 and 7.5; the first guess of the
    curvature is the diagonal of the Hessian at weights of 0, scaled as in equation 7.20. Hager and Zhang 2005, "A new
    conjugate gradient method with guaranteed descent and an efficient line search", equation 4.2, for steps whose fall
    is lost in rounding.

    Raises:
        ValueError: a penalty is not positive, or there are not as many labels as samples.
    """
    if len(labels) != features.shape[1] or bool((penalties <= 0).any()):
        raise ValueError(
            f"positive penalties and one label a sample: got penalties {penalties.tolist()}, {features.shape[1]} "
            f"samples and {len(labels)} labels"
        )
    problem = _Problem(features, labels, penalties, classes)
    state = problem.start()
    point, largest = torch.empty_like(state.point), torch.empty_like(state.loss)
    left = torch.arange(len(penalties))
    pairs: list[_Pair] = []
    iterations = 0
    while True:
        active = state.largest > tolerance
        point[:, left], largest[:, left] = state.point, state.largest
        kept = active.any(0)
        if iterations >= most_iterations or not bool(kept.any()):
            return Solution(point[..., :-1], point[..., -1], largest, iterations)
        if not bool(kept.all()):  # penalties that are done for every network cost nothing any more
            left, active, problem, state = left[kept], active[:, kept], problem.only(kept), state.only(kept)
            pairs = [_Pair(*(part[:, kept] for part in pair)) for pair in pairs]
        after = problem.search(state, -_two_loops(state.gradient, pairs, problem.curvature), active)
        pairs = [*pairs[1 - MEMORY :], _Pair.between(state, after)]
        state, iterations = after, iterations + 1


@dataclass(slots=True, eq=False)
class _State:
    """Where every problem is: points and gradients [R, L, classes, numbers + 1], logits, losses [R, L]."""

    point: Tensor
    logits: Tensor  # [R, L, classes, samples]: with samples last, sums over classes run over whole rows
    loss: Tensor
    rounding: Tensor  # of the loss, a difference of larger numbers
    gradient: Tensor

    @property
    def largest(self) -> Tensor:
        return self.gradient.abs().amax((2, 3))

    def only(self, kept: Tensor) -> "_State":
        return _State(*(part[:, kept] for part in (self.point, self.logits, self.loss, self.rounding, self.gradient)))


class _Pair(NamedTuple):
    """A step, the change of the gradient along it, and the inverse of their product [R, L]."""

    step: Tensor
    change: Tensor
    inverse: Tensor

    @classmethod
    def between(cls, before: _State, after: _State) -> "_Pair":
        step, change = after.point - before.point, after.gradient - before.gradient
        product = _dot(step, change)
        # A problem that did not move, or moved by rounding only, learns nothing about its curvature.
        return cls(step, change, torch.where(product > torch.finfo(product.dtype).tiny, 1 / product, 0.0))


class _Problem:
    """The losses of all problems, whose biases are the weights of a last column of ones."""

    def __init__(self, features: Tensor, labels: Tensor, penalties: Tensor, classes: int) -> None:
        self.inputs = torch.cat([features, torch.ones_like(features[..., :1])], 2)
        sets, self.samples, numbers = self.inputs.shape
        # The mean logit of the right class is linear in the weights: their product with this.
        self.right = (F.one_hot(labels, classes).T.to(features) @ self.inputs / self.samples).unsqueeze(1)
        self.penalties = penalties.to(features).view(1, -1, 1, 1) * torch.ones_like(self.inputs[:1, 0])
        self.penalties[..., -1] = 0
        equal = (classes - 1) / classes**2  # p (1 - p) where all classes are equally likely
        self.curvature = equal * self.inputs.square().mean(1).view(sets, 1, 1, numbers) + self.penalties

    def start(self) -> _State:
        classes = self.right.shape[2]
        point = torch.zeros_like(self.curvature).expand(-1, -1, classes, -1).contiguous()
        return self._state(point, point.new_zeros(*point.shape[:3], self.samples))

    def only(self, kept: Tensor) -> "_Problem":
        """The problems of some penalties."""
        some = copy.copy(self)
        some.penalties, some.curvature = self.penalties[:, kept], self.curvature[:, kept]
        return some

    def search(self, state: _State, direction: Tensor, active: Tensor) -> _State:
        """The state after a step along the direction, halved for each active problem until its loss falls enough.

        Logits change linearly along a direction, so only the first trial costs a matrix product.
        """
        along = (direction.flatten(1, 2) @ self.inputs.transpose(1, 2)).view_as(state.logits)
        slope = _dot(state.gradient, direction)
        length, halvings = active.to(slope), 0
        while True:
            by = length.view(*length.shape, 1, 1)
            after = self._state(state.point + direction * by, torch.addcmul(state.logits, along, by))
            falls = after.loss <= state.loss + ENOUGH * length * slope
            # Where the fall is lost in rounding, the slope tells: it must not have turned round nearly as steep.
            level = (after.loss <= state.loss + after.rounding) & (_dot(after.gradient, direction) <= -0.8 * slope)
            short = ~(falls | level)
            if halvings == HALVINGS or not bool(short.any()):
                return after
            length, halvings = torch.where(short, length / 2, length), halvings + 1

    def _state(self, point: Tensor, logits: Tensor) -> _State:
        highest = logits.amax(2, keepdim=True)
        shares = (logits - highest).exp_()
        total = shares.sum(2, keepdim=True)
        level = (highest + total.log()).mean(3)[..., 0]
        loss = level - _dot(self.right, point) + _dot(self.penalties, point.square()) / 2
        means = (shares.div_(total).flatten(1, 2) @ self.inputs).view_as(point).div_(self.samples)
        rounding = 10 * torch.finfo(loss.dtype).eps * (1 + level.abs())
        return _State(point, logits, loss, rounding, means.sub_(self.right).addcmul_(self.penalties, point))


def _two_loops(gradient: Tensor, pairs: Sequence[_Pair], curvature: Tensor) -> Tensor:
    """The gradient times the estimated inverse Hessian of every problem."""
    rest, shares = gradient, []
    for step, change, inverse in reversed(pairs):
        share = inverse * _dot(step, rest)
        rest = rest - share.view(*share.shape, 1, 1) * change
        shares.append(share)
    found = rest / curvature
    if pairs:
        _step, change, inverse = pairs[-1]
        scale = torch.where(inverse > 0, 1 / (inverse * _dot(change, change / curvature)), 1.0)
        found = found * scale.view(*scale.shape, 1, 1)
    for (step, change, inverse), share in zip(pairs, reversed(shares), strict=True):
        found = found + (share - inverse * _dot(change, found)).view(*share.shape, 1, 1) * step
    return found


def _dot(first: Tensor, second: Tensor) -> Tensor:
    """The inner product of each problem, [R, L]."""
    return (first * second).sum((2, 3))
