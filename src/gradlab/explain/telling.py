"""An explanation as text, fit for a terminal."""

from collections.abc import Iterator

from gradlab.explain.jacobian import Jacobian
from gradlab.explain.steps import Explanation, Flow, Leaf, Step
from gradlab.explain.values import Value, numbers_text

AGREES = 1e-4
"""A formula and torch agree when they differ by no more than this, relative to the largest number: rounding."""
AGREES_IN_HALF = 2e-2
"""The same for numbers of 16 bits."""
LEGEND = (
    "in the formulas g is the gradient that arrives at a step and y its output, whatever the code calls them; "
    "[condition] is 1 where it holds and 0 elsewhere"
)
SHOWN = 64
"""Jacobians of at most so many numbers are printed."""


def told(explanation: Explanation) -> str:
    """The whole explanation, from the output back to the leaves."""
    steps, leaves = len(explanation.steps), len(explanation.leaves)
    lines = [
        f"{explanation.name} = {explanation.output.numbers} ({_kind(explanation.output)})",
        f"computed in {_counted(steps, 'step')} from {_counted(leaves, 'leaf', 'leaves')}; told from the output back, "
        "as backward() goes",
        LEGEND,
    ]
    if explanation.fault:
        lines += ["", f"backward() fails: {explanation.fault}"]
    lines += [*explanation.notes]
    for step in explanation.steps:
        lines += ["", *_step(step)]
    for leaf in explanation.leaves:
        lines += ["", *_leaf(leaf)]
    return "\n".join(lines)


def checked(flow: Flow) -> str:
    """Whether the formula gives what torch sends, in words."""
    if flow.difference is None:
        return ""
    if agrees(flow):
        return "formula = torch" + (f", to {flow.difference:.0e} of its largest number" if flow.difference else "")
    return f"the formula does not hold here: it differs from torch by {flow.difference:.2g} of the largest number"


def agrees(flow: Flow) -> bool:
    """Whether formula and torch differ by rounding only; False also where there is nothing to compare."""
    limit = AGREES_IN_HALF if flow.gradient and "16" in flow.gradient.dtype else AGREES
    return flow.difference is not None and flow.difference <= limit


def product_lines(jacobian: Jacobian) -> Iterator[str]:
    """The Jacobian where it is small, and both proofs in words."""
    rows, columns = jacobian.matrix.shape
    if jacobian.matrix.numel() <= SHOWN:
        yield f"J = {numbers_text(jacobian.matrix)}"
    else:
        yield f"J has {rows} rows (numbers of y) and {columns} columns (numbers of the input)"
    yield f"vᵀJ with v = g gives what torch sent: largest difference {jacobian.product_error:.1g}"
    if jacobian.difference_error is not None:
        yield f"J by central differences of the operation itself: largest difference {jacobian.difference_error:.1g}"


def _step(step: Step) -> Iterator[str]:
    place = f"   line {step.line}" if step.line else ""
    yield f"step {step.number}   {step.title}   ({step.node}){place}"
    if step.operation and step.code:
        yield f"    operation    y = {step.operation}"
    for number, value in enumerate(step.outputs):
        part = f"[{number}]" if len(step.outputs) > 1 else ""
        yield f"    value{part}".ljust(17) + ("not kept" if value is None else f"{value.numbers}   {_kind(value)}")
    for number, value in enumerate(step.arriving):
        part = f"[{number}]" if len(step.arriving) > 1 else ""
        if value is not None:
            yield f"    g{part}".ljust(17) + value.numbers
    for flow in step.flows:
        yield from _flow(flow)
    for note in step.notes:
        yield f"    - {note}"


def _flow(flow: Flow) -> Iterator[str]:
    if flow.local:
        yield f"    derivative   {flow.local}"
    product = flow.vjp or "unknown formula"
    sent = "" if flow.gradient is None else f" = {flow.gradient.numbers}"
    yield f"    to {flow.told}  ".ljust(17) + product + sent
    if flow.summed:
        shape = flow.gradient.size if flow.gradient else "the input's shape"
        yield f"                 broadcast to {flow.summed} on the way here, so summed back to {shape}"
    if checked(flow):
        yield f"                 {checked(flow)}"
    if flow.jacobian is not None:
        yield from (f"                 {line}" for line in product_lines(flow.jacobian))


def _leaf(leaf: Leaf) -> Iterator[str]:
    yield f"leaf {leaf.name} = {leaf.value.numbers}   {_kind(leaf.value)}"
    senders = ", ".join(f"#{number}" for number in leaf.senders)
    if leaf.gradient is not None:
        before = "" if leaf.held is None else f" (it holds {leaf.held.numbers})"
        yield f"    {leaf.name}.grad   += {leaf.gradient.numbers}   from {senders}{before}"
    else:
        yield f"    {leaf.name}.grad   nothing arrives"
    for note in leaf.notes:
        yield f"    - {note}"


def _kind(value: Value) -> str:
    return f"{value.size}, {value.dtype}"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
