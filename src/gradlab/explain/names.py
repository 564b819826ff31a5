"""What the tensors of a computation are called in the code that made them."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from gradlab.explain.graph import Graph
from gradlab.explain.tape import INFIX, REVERSED, Call, Operand


class Names:
    """The names of a graph's tensors: variables of the code, parameters of its networks, steps otherwise.

    Args:
        graph: the graph whose steps are named.
        variables: name -> anything; tensors and networks among them are used. Two names of one tensor: the first.
    """

    def __init__(self, graph: Graph, variables: Mapping[str, Any]) -> None:
        self.graph = graph
        self._numbers = {node: step for step, node in enumerate(graph.nodes)}
        self._tensors: dict[tuple[Any, int], tuple[str, Tensor]] = {}
        self._outside: dict[int, str] = {}
        for name, value in variables.items():
            for told, tensor in _named(name, value):
                self._add(told, tensor)
        self._name_leaves()

    def of(self, node: Any, output: int = 0) -> str:
        """The variable that holds an output of a step; "" where none does."""
        return self._tensors.get((node, output), ("", None))[0]

    def tensor(self, node: Any, output: int = 0) -> Tensor | None:
        """The tensor itself where a variable holds it."""
        return self._tensors.get((node, output), ("", None))[1]

    def written(self, call: Call) -> str:
        """A call as it might stand in the code, such as "a ** 2"."""
        words = [self.word(operand) for operand in call.operands]
        if call.name in INFIX and len(words) == 2:
            first, second = reversed(words) if call.name in REVERSED else words
            return f"{first} {INFIX[call.name]} {second}"
        if call.name == "__getitem__":
            return f"{words[0]}[{', '.join(words[1:])}]"
        if call.name in ("T", "mT", "data"):
            return f"{words[0]}.{call.name}"
        return f"{call.name}({', '.join(words)})"

    def word(self, operand: Operand) -> str:
        """An argument as it might stand in the code: a variable, a number, or the step it comes from."""
        if operand.leaf is not None:
            return next((name for name, tensor in self._tensors.values() if tensor is operand.leaf), "a leaf")
        if operand.node is not None:
            number = self._numbers.get(operand.node)
            return self.of(operand.node, operand.output) or ("…" if number is None else f"#{number + 1}")
        if operand.outside is not None:
            return self._outside.get(id(operand.outside()), operand.text)
        return operand.text

    def _add(self, name: str, tensor: Tensor) -> None:
        if tensor.grad_fn is not None:
            self._tensors.setdefault((tensor.grad_fn, tensor.output_nr), (name, tensor))
        elif tensor.requires_grad:
            node = next((node for node in self.graph.nodes if getattr(node, "variable", None) is tensor), None)
            if node is not None:
                self._tensors.setdefault((node, 0), (name, tensor))
        else:
            self._outside.setdefault(id(tensor), name)

    def _name_leaves(self) -> None:
        nameless = [
            node
            for step, node in enumerate(self.graph.nodes)
            if self.graph.is_leaf(step) and (node, 0) not in self._tensors
        ]
        for place, node in enumerate(nameless, start=1):
            self._tensors[node, 0] = (f"leaf {place}" if len(nameless) > 1 else "the leaf", node.variable)


def _named(name: str, value: Any) -> list[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        return [(name, value)]
    if isinstance(value, nn.Module):
        return [(f"{name}.{inner}", parameter) for inner, parameter in value.named_parameters()]
    return []
