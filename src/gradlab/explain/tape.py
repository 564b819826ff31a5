"""Watches code while it runs: how each tensor was computed and in which line, and where the graph was cut."""

import inspect
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Self

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

KEY = "gradlab"
"""Under this name a step of the graph holds the call that made it, for as long as the step lives."""
KEPT = 4096
"""The outputs of at most so many numbers are copied, so that they can be shown after they were overwritten."""
REPLAYED = 64
"""Calls on tensors of at most so many numbers in all are kept whole, to be repeated."""

INFIX = {
    "add": "+", "__add__": "+", "__radd__": "+", "sub": "-", "__sub__": "-", "__rsub__": "-", "mul": "*",
    "__mul__": "*", "__rmul__": "*", "div": "/", "true_divide": "/", "__div__": "/", "__truediv__": "/",
    "__rdiv__": "/", "__rtruediv__": "/", "pow": "**", "__pow__": "**", "__rpow__": "**", "matmul": "@",
    "__matmul__": "@", "__rmatmul__": "@",
}  # fmt: skip
REVERSED = {"__rsub__", "__rtruediv__", "__rdiv__", "__rpow__", "__rmatmul__", "__radd__", "__rmul__"}
BACKWARD = (torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad)


@dataclass(frozen=True, slots=True)
class Operand:
    """An argument of a call: text, or where a tensor comes from: a step's output, a leaf, or outside the graph."""

    text: str
    node: Any = None
    output: int = 0
    leaf: Tensor | None = None
    outside: "weakref.ref[Tensor] | None" = None
    cut: str = ""


@dataclass(slots=True, weakref_slot=True, eq=False)
class Call:
    """One call that added a step to the graph.

    `replay` repeats it on other tensors: those that were given, by their position, as `tensors` holds them.
    """

    name: str
    operands: tuple[Operand, ...]
    line: int | None
    values: dict[int, Tensor] = field(default_factory=dict)
    replay: Callable[..., Any] | None = None
    tensors: tuple[Tensor, ...] = ()


class Tape(TorchFunctionMode):
    """A context in which computations are watched and graphs survive their backward pass.

    Args:
        file: the lines of this file are told; of any file outside torch where it is None.
    """

    def __init__(self, file: str | None = None) -> None:
        super().__init__()
        self.file = file
        self._cuts: dict[int, tuple[weakref.ref[Tensor], str]] = {}
        self._saving = torch.autograd.graph.saved_tensors_hooks(self._pack, self._unpack)
        self._open = False

    def __enter__(self) -> Self:
        """Begins to watch, and to keep the weights as they are when a computation uses them."""
        self._saving.__enter__()
        self._open = True
        super().__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        """Stops watching; graphs that were made keep what they kept."""
        super().__exit__(*problem)
        self._open = False
        self._saving.__exit__(*problem)

    def __torch_function__(
        self, func: Any, _types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Runs the call and notes on its outputs' steps how they came to be."""
        options = dict(kwargs or {})
        if func in BACKWARD:
            options["retain_graph"] = True
        name = _name(func)
        tensors = _tensors((args, options))
        asked = getattr(func, "__name__", "") in ("__get__", "__set__") and name not in ("data", "T", "mT")
        if not tensors or asked or func in BACKWARD:
            return func(*args, **options)
        call = Call(name, tuple(self._operands(func, args, options)), self._line())
        wanted = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
        if wanted and sum(tensor.numel() for tensor in tensors) <= REPLAYED:
            # Before the call, which may overwrite what it is given.
            call.replay, call.tensors = _repeater(func, args, options), tuple(t.detach().clone() for t in tensors)
        made = func(*args, **options)
        noted: list[Call] = []
        for output in _tensors(made):
            self._note(output, call, tensors, noted)
        return made

    def cut(self, tensor: Tensor) -> str:
        """How a tensor was cut off from the graph, such as "detach() in line 3"; "" where it was not."""
        held, told = self._cuts.get(id(tensor), (None, ""))
        return told if held is not None and held() is tensor else ""

    def _pack(self, tensor: Tensor) -> tuple[Tensor, int, Tensor | None]:
        """What a graph saves: a tensor, its version, and a copy of weights, which an optimiser's step overwrites.

        Without the copy a loss could not be explained any more once the step that it was for has been taken.
        """
        base = tensor if tensor._base is None else tensor._base
        kept = tensor.detach()
        return kept, kept._version, kept.clone() if base.is_leaf and base.requires_grad else None

    def _unpack(self, packed: tuple[Tensor, int, Tensor | None]) -> Tensor:
        """What was saved; torch's own error where it was overwritten, unless it is a weight and the code has run."""
        kept, version, copy = packed
        if kept._version == version:
            return kept
        if copy is not None and not self._open:
            return copy
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"{list(kept.shape)} is at version {kept._version}; expected version {version} instead"
        )

    def _note(self, output: Tensor, call: Call, inputs: Sequence[Tensor], noted: list[Call]) -> None:
        """Notes the call on the output's step, each with values of its own: a call may end in several steps."""
        node: Any = output.grad_fn
        if node is not None:
            if KEY not in node.metadata:
                node.metadata[KEY] = replace(call, values={})
                noted.append(node.metadata[KEY])
            if node.metadata[KEY] in noted and output.numel() <= KEPT:
                node.metadata[KEY].values[output.output_nr] = output.detach().clone()
        elif not output.requires_grad and not any(output is tensor for tensor in inputs):
            told = self._told_cut(call, inputs, output)
            if told:
                self._cuts[id(output)] = (weakref.ref(output), told)

    def _told_cut(self, call: Call, inputs: Sequence[Tensor], output: Tensor) -> str:
        inherited = next((told for told in map(self.cut, inputs) if told), "")
        if not any(tensor.requires_grad for tensor in inputs):
            return inherited
        where = f" in line {call.line}" if call.line else ""
        if call.name in ("detach", "data"):
            return f"{'detach()' if call.name == 'detach' else '.data'}{where}"
        if not torch.is_grad_enabled():
            return f"no_grad(){where}"
        if not (output.is_floating_point() or output.is_complex()):
            return f"{call.name}(){where}, whose {str(output.dtype).removeprefix('torch.')} numbers have no gradient"
        return inherited

    def _operands(self, func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Iterator[Operand]:
        """What was given, less what would have been taken anyway."""
        defaults = _defaults(func)
        places = list(defaults)
        for place, value in enumerate(args):
            later = place < len(places) and _is_default(value, defaults[places[place]])
            if not (later and all(_is_default(v, defaults[places[p]]) for p, v in enumerate(args) if p >= place)):
                yield self._operand(value)
        for name, value in options.items():
            if isinstance(value, Tensor):
                yield self._operand(value)
            elif not _is_default(value, defaults.get(name, None)):
                yield Operand(f"{name}={_plain(value)}")

    def _operand(self, value: Any) -> Operand:
        if not isinstance(value, Tensor):
            return Operand(_plain(value))
        if value.grad_fn is not None:
            return Operand("", node=value.grad_fn, output=value.output_nr)
        if value.requires_grad:
            return Operand("", leaf=value)
        shown = f"{value.item():.4g}" if value.numel() == 1 else f"a tensor {list(value.shape)}"
        return Operand(shown, outside=weakref.ref(value), cut=self.cut(value))

    def _line(self) -> int | None:
        frame: Any = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if name == self.file or (self.file is None and "/torch/" not in name and name != __file__):
                return frame.f_lineno
            frame = frame.f_back
        return None


def call_of(node: Any) -> Call | None:
    """The call that made a step, where a tape watched it."""
    return node.metadata.get(KEY)


def _name(func: Any) -> str:
    name = getattr(func, "__name__", "")
    return getattr(func.__self__, "__name__", name) if name == "__get__" else name


@cache
def _defaults(func: Any) -> dict[str, Any]:
    """The default value of each parameter; empty where Python does not know them."""
    try:
        parameters = inspect.signature(func).parameters
    except (TypeError, ValueError):
        return {}
    return {name: parameter.default for name, parameter in parameters.items()}


def _is_default(value: Any, default: Any) -> bool:
    return not isinstance(value, Tensor) and type(value) is type(default) and value == default


def _repeater(func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    """The same call with other tensors; everything else is as it was."""
    skeleton = [value if not isinstance(value, Tensor) else None for value in args]
    if any(isinstance(value, list | tuple) and any(isinstance(part, Tensor) for part in value) for value in args):
        joined = next(place for place, value in enumerate(args) if isinstance(value, list | tuple))
        return lambda *tensors: func(*args[:joined], list(tensors), *args[joined + 1 :], **options)

    def repeat(*tensors: Tensor) -> Any:
        given = iter(tensors)
        filled = [next(given) if isinstance(value, Tensor) else skeleton[place] for place, value in enumerate(args)]
        named = {name: next(given) if isinstance(value, Tensor) else value for name, value in options.items()}
        return func(*filled, **named)

    return repeat


def _tensors(value: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples and dictionaries, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        return [tensor for part in value.values() for tensor in _tensors(part)]
    return [tensor for part in value for tensor in _tensors(part)] if isinstance(value, list | tuple) else []


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple) and any(isinstance(part, Tensor) for part in value):
        return "[…]"
    text = f"{value:.4g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 24 else "…"
