"""How a formula of the table is held against torch, and torch against finite differences."""

import pytest
import torch
from torch import Tensor

from gradlab.explain.derivatives import derivative_of
from gradlab.explain.derivatives.stated import stated_gradients
from gradlab.explain.graph import backward, walk

LARGEST_DIFFERENCE = 1e-9


def numbers(*shape: int, low: float = 0.2, high: float = 0.9, seed: int = 0) -> Tensor:
    """Distinct numbers in double precision, far from the kinks of most functions."""
    generator = torch.Generator().manual_seed(seed)
    found = low + (high - low) * torch.rand(shape, dtype=torch.float64, generator=generator)
    return found.requires_grad_()


def stated_and_torch_s(output: Tensor) -> dict[str, list[tuple[Tensor, Tensor]]]:
    """The name of each step -> pairs of what the formula gives and what torch sends, for a random gradient."""
    graph = walk(output)
    gradient = torch.randn(output.shape, dtype=output.dtype, generator=torch.Generator().manual_seed(1))
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for step, sent in enumerate(backward(output, graph, gradient)):
        node = graph.nodes[step]
        derivative = derivative_of(node) if sent is not None else None
        if sent is None or derivative is None:
            continue
        stated = stated_gradients(derivative, node, sent.arriving)
        pairs = [(ours, theirs) for ours, theirs in zip(stated, sent.leaving, strict=True) if ours is not None]
        found.setdefault(node.name(), []).extend(pairs)
    return found


def check(node: str, function, *inputs: Tensor) -> None:
    """Torch's step agrees with finite differences, and the table's formula with torch's step."""
    outputs = function(*inputs)
    output = outputs if isinstance(outputs, Tensor) else outputs[0]
    assert torch.autograd.gradcheck(function, inputs, fast_mode=sum(tensor.numel() for tensor in inputs) > 12)
    pairs = stated_and_torch_s(output).get(node, [])
    assert pairs, f"{node} is not in the graph, or nothing flows through it"
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        assert (ours - theirs).abs().max() <= LARGEST_DIFFERENCE * max(1, theirs.abs().max())


@pytest.fixture
def agrees():
    return check


@pytest.fixture
def drawn():
    return numbers
