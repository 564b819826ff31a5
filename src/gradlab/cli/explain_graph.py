"""What `gradlab explain` makes of a computation: a page, and a document for `--json`."""

from dataclasses import asdict
from typing import Any

from gradlab.report import Answer, Arrow, Block, Box, Bullets, Details, Facts, GraphChart, Heading, Page, Text
from gradlab.report.graph_chart import LARGEST

FOLDED = 24
"""A page with more steps keeps them folded."""


def graph_page(explanation: Any, title: str) -> Page:
    """The page of an explanation: the leaves' gradients, the graph, and every step in the order of the backward pass.

    Args:
        explanation: of `gradlab.explain.explain`.
        title: of the page.
    """
    from gradlab.explain.telling import LEGEND

    steps = [_step_facts(step) for step in explanation.steps]
    blocks: list[Block] = [Answer(_answer(explanation))]
    if len(explanation.steps) + len(explanation.leaves) <= LARGEST:
        blocks.append(graph_chart(explanation))
    else:
        blocks.append(Text(f"A graph of more than {LARGEST} boxes is not drawn.", "The graph"))
    blocks += [Heading("Step by step, as backward() goes"), Text(f"{LEGEND[0].upper()}{LEGEND[1:]}.")]
    if explanation.notes:
        blocks.append(Bullets(tuple(explanation.notes)))
    blocks += [Details("Every step", steps)] if len(steps) > FOLDED else steps
    blocks += [Heading("Leaves: where gradients are kept"), Text(_LEAVES)]
    blocks += [_leaf_facts(leaf) for leaf in explanation.leaves]
    question = f"How does a gradient get from {explanation.name} back to what it was computed from?"
    return Page(title=title, question=question, blocks=blocks, brief=True)


_LEAVES = (
    "A leaf is a tensor that was not computed. backward() adds what arrives there to the leaf's .grad; every other "
    "tensor's gradient is dropped as soon as it has been sent on, unless retain_grad() was called for it."
)


def graph_chart(explanation: Any) -> GraphChart:
    """The graph with the output on top and the leaves at the end of its arrows, which go as the gradients go."""
    boxes = [_step_box(step, first=place == 0) for place, step in enumerate(explanation.steps)]
    boxes += [_leaf_box(leaf) for leaf in explanation.leaves]
    carried: dict[tuple[int, int], list[str]] = {}
    for step in explanation.steps:
        for flow in step.flows:
            carried.setdefault((step.number - 1, flow.target - 1), []).append(_short(flow.gradient))
    arrows = [
        Arrow(start, end, labels[0] if len(labels) == 1 else f"{len(labels)} gradients")
        for (start, end), labels in carried.items()
    ]
    caption = (
        "Each arrow goes from a step to one of its inputs, with the gradient that it carries; values go the other way. "
        "Point at a box, or reach it with the Tab key, for its numbers; it leads to its step below."
    )
    return GraphChart(boxes, arrows, f"The graph of {explanation.name}", caption)


def graph_document(explanation: Any) -> dict[str, Any]:
    """The explanation as plain values, Jacobians as nested lists."""
    document = asdict(explanation)
    for step, told in zip(explanation.steps, document["steps"], strict=True):
        for flow, entry in zip(step.flows, told["flows"], strict=True):
            if flow.jacobian is not None:
                entry["jacobian"]["matrix"] = flow.jacobian.matrix.tolist()
    return document


def _answer(explanation: Any) -> str:
    if explanation.fault:
        return f'It does not: backward() fails with "{explanation.fault}".'
    told = [
        f"{leaf.name}.grad receives {leaf.gradient.numbers}"
        for leaf in explanation.leaves[:6]
        if leaf.gradient is not None
    ]
    more = len(explanation.leaves) - 6
    rest = f"; and {more} more leaves" if more > 0 else ""
    steps = len(explanation.steps)
    return f"In {steps} step{'s' if steps > 1 else ''}: {'; '.join(told) or 'nothing arrives at any leaf'}{rest}."


def _step_box(step: Any, *, first: bool) -> Box:
    value = step.outputs[0].numbers if step.outputs[0] is not None else step.node
    kind = "output" if first else "step" if step.operation else "unknown"
    lines = [f"Step {step.number}: {step.title}", f"value {value}"]
    lines += [f"g = {gradient.numbers}" for gradient in step.arriving if gradient is not None]
    lines += [f"to {flow.told}: {flow.vjp or 'unknown formula'}" for flow in step.flows]
    return Box(step.title, value, kind, "\n".join(lines), f"step-{step.number}")


def _leaf_box(leaf: Any) -> Box:
    receives = "nothing arrives" if leaf.gradient is None else f".grad += {leaf.gradient.numbers}"
    tip = f"Leaf {leaf.name}\nvalue {leaf.value.numbers}\n{receives}"
    return Box(leaf.name, leaf.value.numbers, "leaf", tip, f"step-{leaf.number}")


def _short(value: Any) -> str:
    if value is None:
        return ""
    return value.numbers if len(value.numbers) <= 26 else f"g {value.size}"


def _step_facts(step: Any) -> Facts:
    from gradlab.explain.telling import checked, product_lines

    where = f"{step.node}, line {step.line}" if step.line else step.node
    pairs = [("node", where), ("operation", f"y = {step.operation}" if step.operation else "unknown")]
    pairs += [
        (f"value{_part(number, step.outputs)}", "not kept" if value is None else f"{value.numbers} ({value.size})")
        for number, value in enumerate(step.outputs)
    ]
    pairs += [
        (f"g{_part(number, step.arriving)}", value.numbers) for number, value in enumerate(step.arriving) if value
    ]
    for flow in step.flows:
        if flow.local:
            pairs.append(("local derivative", flow.local))
        sent = "" if flow.gradient is None else f" = {flow.gradient.numbers}"
        pairs.append((f"to {flow.told}", f"{flow.vjp or 'unknown formula'}{sent}"))
        if flow.summed:
            pairs.append(("broadcast", f"the input was repeated to {flow.summed}, so the gradient is summed back"))
        if checked(flow):
            pairs.append(("check", checked(flow)))
        if flow.jacobian is not None:
            pairs += [("Jacobian", line) for line in product_lines(flow.jacobian)]
    pairs += [("note", note) for note in step.notes]
    return Facts(pairs, f"Step {step.number}: {step.title}", f"step-{step.number}")


def _part(number: int, whole: Any) -> str:
    return f"[{number}]" if len(whole) > 1 else ""


def _leaf_facts(leaf: Any) -> Facts:
    pairs = [("value", f"{leaf.value.numbers} ({leaf.value.size})")]
    if leaf.held is not None:
        pairs.append((".grad before", leaf.held.numbers))
    pairs.append((".grad receives", "nothing" if leaf.gradient is None else leaf.gradient.numbers))
    pairs.append(("from", ", ".join(f"step {number}" for number in leaf.senders)))
    pairs += [("note", note) for note in leaf.notes]
    return Facts(pairs, f"{leaf.name}", f"step-{leaf.number}")
