"""Torch's own graph of a computation, walked from the output back, and the gradients that a backward pass sends."""

import contextlib
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ACCUMULATE = "torch::autograd::AccumulateGrad"


@dataclass(frozen=True, slots=True)
class Edge:
    """Where an input of a step comes from: an output of another step."""

    step: int
    output: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in the order of the backward pass, each after all that use its outputs; leaves stand last.

    `edges[i][k]` is where input k of step i comes from, None where that input wants no gradient.
    """

    nodes: tuple[Any, ...]
    edges: tuple[tuple[Edge | None, ...], ...]

    def is_leaf(self, step: int) -> bool:
        """Whether a step stands for a leaf: what arrives there is added to a tensor's `.grad`."""
        return self.nodes[step].name() == ACCUMULATE

    def users(self, step: int) -> list[tuple[int, int]]:
        """(step, position) of every input that this step's outputs are."""
        return [
            (user, position)
            for user, edges in enumerate(self.edges)
            for position, edge in enumerate(edges)
            if edge is not None and edge.step == step
        ]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a step received and sent on in a backward pass: one for each output, one for each input."""

    arriving: tuple[Tensor | None, ...]
    leaving: tuple[Tensor | None, ...]


def walk(output: Tensor) -> Graph:
    """The graph below an output that requires a gradient."""
    root = output.grad_fn if output.grad_fn is not None else _leaf_node(output)
    waiting = _uses(root)
    ready, order = [(_place(root), 0, root)], []
    tie = 0
    while ready:
        *_, node = heapq.heappop(ready)
        order.append(node)
        for before, _output in node.next_functions:
            if before is None:
                continue
            waiting[before] -= 1
            if waiting[before] == 0:
                tie += 1
                heapq.heappush(ready, (_place(before), tie, before))
    order.sort(key=lambda node: node.name() == ACCUMULATE)  # stable: leaves last, all else as it was
    places = {node: place for place, node in enumerate(order)}
    edges = tuple(
        tuple(None if before is None else Edge(places[before], number) for before, number in node.next_functions)
        for node in order
    )
    return Graph(tuple(order), edges)


def backward(output: Tensor, graph: Graph, gradient: Tensor) -> list[Sent | None]:
    """Runs torch's backward pass and returns what each step received and sent.

    No `.grad` of a leaf changes; those that `retain_grad()` asks for fill up, see `keeping_gradients`. Leaves and
    steps that the pass does not reach have None.

    Args:
        output: the graph's output.
        graph: of that output.
        gradient: of the output's shape.
    """
    seen: dict[int, Sent] = {}

    def watch(step: int):
        def hook(leaving: Sequence[Tensor | None], arriving: Sequence[Tensor | None]) -> None:
            seen[step] = Sent(_detached(arriving), _detached(leaving))

        return hook

    steps = [step for step in range(len(graph.nodes)) if not graph.is_leaf(step)]
    handles = [graph.nodes[step].register_hook(watch(step)) for step in steps]
    leaves = [graph.nodes[step].variable for step in range(len(graph.nodes)) if graph.is_leaf(step)]
    try:
        torch.autograd.grad(output, leaves, gradient, retain_graph=True, allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
    return [seen.get(step) for step in range(len(graph.nodes))]


@contextlib.contextmanager
def keeping_gradients(tensors: Iterable[object]) -> Iterator[None]:
    """Puts the `.grad` of intermediate tensors back that `retain_grad()` was called on."""
    kept = [tensor for tensor in tensors if isinstance(tensor, Tensor) and not tensor.is_leaf and tensor.retains_grad]
    before = [None if tensor.grad is None else tensor.grad.clone() for tensor in kept]
    try:
        yield
    finally:
        for tensor, gradient in zip(kept, before, strict=True):
            tensor.grad = gradient


def _leaf_node(tensor: Tensor) -> Any:
    """The step that adds to a leaf's `.grad`."""
    return tensor.view_as(tensor).grad_fn.next_functions[0][0]  # type: ignore[union-attr]


def _place(node: Any) -> int:
    """Torch's own order: what was computed last goes first."""
    return -node._sequence_nr()


def _uses(root: Any) -> dict[Any, int]:
    """How many inputs each step below the root is; reading them all keeps them alive while they are counted."""
    uses, stack = {root: 0}, [root]
    while stack:
        for before, _output in stack.pop().next_functions:
            if before is None:
                continue
            if before not in uses:
                uses[before] = 0
                stack.append(before)
            uses[before] += 1
    return uses


def _detached(gradients: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
    """Copies, since torch may reuse the memory of a gradient once a step is done with it."""
    return tuple(None if gradient is None else gradient.detach().clone() for gradient in gradients)
