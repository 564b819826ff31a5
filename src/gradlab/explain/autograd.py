"""Tells what autograd does for one computation: the graph, the local derivatives, and what flows back."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gradlab.errors import UsageError
from gradlab.explain.derivatives import Derivative, derivative_of
from gradlab.explain.derivatives.stated import input_shapes, stated_gradients
from gradlab.explain.graph import Edge, Graph, Sent, backward, keeping_gradients, walk
from gradlab.explain.jacobian import Jacobian, jacobians
from gradlab.explain.names import Names
from gradlab.explain.notes import grad_note, leaf_notes, step_notes, whole_notes
from gradlab.explain.steps import Explanation, Flow, Leaf, Step
from gradlab.explain.tape import Tape, call_of
from gradlab.explain.values import Value, shape_text, value_of


def explain(
    output: Tensor,
    *,
    gradient: Tensor | None = None,
    names: Mapping[str, Any] | None = None,
    tape: Tape | None = None,
    name: str = "",
    jacobian: bool = False,
) -> Explanation:
    """The graph of a tensor told step by step, each formula held against what torch's backward pass really sends.

    A backward pass runs on the graph, which is kept. No `.grad` changes, but for those that `retain_grad()` asked for
    on tensors that are not among `names`. Values are those that torch kept for its backward pass, that variables hold,
    or that a `Tape` watched.

    Args:
        output: what was computed.
        gradient: what arrives at the output, of its shape; ones by default.
        names: what tensors and networks are called, such as `locals()`.
        tape: the context that the computation ran in; it knows the code and where the graph was cut.
        name: of the output; found among `names` by default.
        jacobian: adds the Jacobians of small steps.

    Raises:
        UsageError: nothing leads from the output to a tensor that requires a gradient, the graph's tensors were freed
            by a backward pass, or `gradient` has another shape.
    """
    _refuse_without_graph(output, name, tape)
    start = _start(output, gradient)
    graph = walk(output)
    labels = Names(graph, names or {})
    label = name or labels.of(graph.nodes[0], output.output_nr) or "the output"
    try:
        with keeping_gradients([output, *(names or {}).values()]):
            sent, fault = backward(output, graph, start), ""
    except RuntimeError as error:
        sent, fault = [None] * len(graph.nodes), _fault(error, label)
    teller = _Teller(graph, labels, sent, tape, jacobian=jacobian)
    count = next((step for step in range(len(graph.nodes)) if graph.is_leaf(step)), len(graph.nodes))
    return Explanation(
        name=label,
        output=value_of(output),
        gradient=value_of(start),
        steps=tuple(teller.step(place) for place in range(count)),
        leaves=tuple(teller.leaf(place) for place in range(count, len(graph.nodes))),
        notes=tuple(whole_notes(output, label, given=gradient is not None)),
        fault=fault,
    )


def _refuse_without_graph(output: Tensor, name: str, tape: Tape | None) -> None:
    label = name or "the tensor"
    if output.grad_fn is not None:
        return
    if output.requires_grad:
        raise UsageError(f"{label} is a leaf: nothing was computed to get it; explain a result that depends on it")
    cut = tape.cut(output) if tape else ""
    if cut:
        raise UsageError(f"{label} has no graph: it was cut off by {cut}")
    if not (output.is_floating_point() or output.is_complex()):
        kind = str(output.dtype).removeprefix("torch.")
        raise UsageError(f"{label} holds {kind} numbers, which have no gradient; explain a result of real numbers")
    raise UsageError(
        f"{label} has no graph: nothing that it was computed from has requires_grad=True, or it was detached or "
        "computed under no_grad(); create an input with requires_grad=True"
    )


def _start(output: Tensor, gradient: Tensor | None) -> Tensor:
    if gradient is None:
        return torch.ones_like(output)
    if gradient.shape != output.shape:
        shapes = f"{shape_text(output.shape)} and {shape_text(gradient.shape)}"
        raise UsageError(f"the gradient needs the output's shape: got {shapes}")
    return gradient.to(output.dtype)


def _fault(error: RuntimeError, label: str) -> str:
    text = str(error).split(". Hint")[0].splitlines()[0]
    if "second time" in text or "freed" in text:
        raise UsageError(
            f"the graph of {label} was freed by a backward pass: call backward(retain_graph=True), or explain before it"
        ) from error
    if "inplace" in text:
        text += "; something that backward() needs was overwritten since, as optimizer.step() does with the weights"
    return text


class _Teller:
    """Turns the places of a graph into steps and leaves."""

    def __init__(
        self, graph: Graph, names: Names, sent: Sequence[Sent | None], tape: Tape | None, *, jacobian: bool
    ) -> None:
        self.graph, self.names, self.sent, self.tape, self.jacobian = graph, names, sent, tape, jacobian

    def step(self, place: int) -> Step:
        """One operation with everything that flows through it."""
        node, sent = self.graph.nodes[place], self.sent[place]
        derivative = _derivative(node)
        call = call_of(node)
        number_of_outputs = len(node._input_metadata)
        arriving = sent.arriving if sent else (None,) * number_of_outputs
        code = self.names.written(call) if call else ""
        return Step(
            number=place + 1,
            node=node.name().rpartition("::")[2],
            variable=self.names.of(node),
            code=code,
            line=call.line if call else None,
            operation=derivative.operation if derivative else "",
            outputs=tuple(self._value(place, output) for output in range(number_of_outputs)),
            arriving=tuple(None if gradient is None else value_of(gradient) for gradient in arriving),
            flows=tuple(self._flows(place, derivative, sent)),
            notes=tuple(
                [*step_notes(self.graph, place, self.names, derivative, arriving), *self._grad_notes(node, place)]
            ),
        )

    def leaf(self, place: int) -> Leaf:
        """A leaf with what it receives."""
        variable = self.graph.nodes[place].variable
        users = self.graph.users(place)
        parts = [self.sent[user].leaving[position] for user, position in users if self.sent[user]]  # type: ignore[union-attr]
        there = [part for part in parts if part is not None]
        total = torch.stack(there).sum(0) if there else None
        return Leaf(
            number=place + 1,
            name=self.names.of(self.graph.nodes[place]),
            value=value_of(variable),
            gradient=None if total is None else value_of(total),
            held=None if variable.grad is None else value_of(variable.grad),
            senders=tuple(user + 1 for user, _position in users),
            notes=tuple(leaf_notes(variable, len(there))),
        )

    def _flows(self, place: int, derivative: Derivative | None, sent: Sent | None) -> list[Flow]:
        node = self.graph.nodes[place]
        leaving = sent.leaving if sent else (None,) * len(self.graph.edges[place])
        stated = _stated(derivative, node, sent)
        wholes: list[Jacobian | None] = [None] * len(leaving)
        if self.jacobian and sent:
            wholes = jacobians(node, derivative, sent.arriving, sent.leaving)
        flows = []
        for position, edge in enumerate(self.graph.edges[place]):
            if edge is None:
                continue
            entry = derivative.at(position) if derivative else None
            gradient = leaving[position]
            flows.append(
                Flow(
                    name=entry.name if entry else "",
                    target=edge.step + 1,
                    output=edge.output,
                    told=self._told(edge),
                    local=entry.local if entry else "",
                    vjp=entry.vjp if entry else "",
                    gradient=None if gradient is None else value_of(gradient),
                    summed=self._summed(node, derivative, position),
                    difference=_difference(stated[position], gradient),
                    jacobian=wholes[position],
                )
            )
        return flows

    def _told(self, edge: Edge) -> str:
        node = self.graph.nodes[edge.step]
        part = f"[output {edge.output}]" if len(node._input_metadata) > 1 else ""
        return self.names.of(node, edge.output) or f"#{edge.step + 1}{part}"

    def _summed(self, node: Any, derivative: Derivative | None, position: int) -> str:
        shape, made = input_shapes(node)[position], torch.Size(node._input_metadata[0].shape)
        spread = derivative is not None and derivative.elementwise and shape is not None and shape != made
        return shape_text(made) if spread else ""

    def _value(self, place: int, output: int) -> Value | None:
        node = self.graph.nodes[place]
        held = self.names.tensor(node, output)
        if held is not None:
            return value_of(held)
        call = call_of(node)
        if call is not None and output in call.values:
            return value_of(call.values[output])
        kept = self._kept(place, output)
        return None if kept is None else value_of(kept)

    def _kept(self, place: int, output: int) -> Tensor | None:
        """The output as this step or one that uses it saved it for the backward pass."""
        node = self.graph.nodes[place]
        shape = torch.Size(node._input_metadata[output].shape)
        wanted = [(node, "result")] if output == 0 else []
        for user, position in self.graph.users(place):
            edge, derivative = self.graph.edges[user][position], _derivative(self.graph.nodes[user])
            kept = derivative.at(position).kept if derivative else ""
            if edge is not None and edge.output == output and kept:
                wanted.append((self.graph.nodes[user], kept))
        for holder, attribute in wanted:
            try:
                saved = getattr(holder, f"_saved_{attribute}", None)
            except RuntimeError:
                continue
            if isinstance(saved, Tensor) and saved.shape == shape:
                return saved
        return None

    def _grad_notes(self, node: Any, place: int) -> list[str]:
        held = self.names.tensor(node)
        return [] if held is None else [grad_note(self.names.of(node), held, root=place == 0)]


def _derivative(node: Any) -> Derivative | None:
    """The table's entry, also where a saved tensor cannot be read any more and the entry's variant stays open."""
    try:
        return derivative_of(node)
    except RuntimeError:
        return None


def _stated(derivative: Derivative | None, node: Any, sent: Sent | None) -> list[Tensor | None]:
    nothing: list[Tensor | None] = [None] * len(node.next_functions)
    if derivative is None or sent is None or all(gradient is None for gradient in sent.arriving):
        return nothing
    try:
        return stated_gradients(derivative, node, sent.arriving)
    except LookupError:
        return nothing


def _difference(stated: Tensor | None, sent: Tensor | None) -> float | None:
    if stated is None or sent is None:
        return None
    if not sent.numel():
        return 0.0
    difference, largest = (stated - sent).abs().max(), sent.abs().max()
    if not difference.isfinite():  # where both are infinite or not a number alike, they agree
        same = (stated == sent) | (stated.isnan() & sent.isnan())
        difference = torch.where(same, 0, stated - sent).abs().max()
        largest = torch.where(sent.isfinite(), sent, 0).abs().max()
    return float(difference / largest.clamp(min=1))
