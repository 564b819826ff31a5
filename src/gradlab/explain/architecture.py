"""How data flows through a network, watched on one forward pass: layers, joins, and how far each number sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gradlab.equivariance import CosetPooling, GroupPooling, Restriction
from gradlab.explain.passing import empty_image, pass_once
from gradlab.explain.summary import WHOLE, for_one_image
from gradlab.explain.windows import Window, window_of
from gradlab.nn import DotProductAttention

PASSING = (
    nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.modules.dropout._DropoutNd, nn.Identity, nn.Flatten,
    nn.Unflatten, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid,
)  # fmt: skip
"""Layers that change numbers one by one, or only their scale: a drawing leaves them out."""
EVERYTHING = (
    nn.Linear, nn.modules.pooling._AdaptiveAvgPoolNd, nn.modules.pooling._AdaptiveMaxPoolNd, DotProductAttention,
    nn.MultiheadAttention, nn.modules.rnn.RNNBase,
)  # fmt: skip
"""Layers that may see all that enters."""
OVER_THE_GROUP = (GroupPooling, CosetPooling, Restriction)
"""Layers that stay at their place of the plane."""
WINDOWED = ("conv1d", "conv2d", "conv3d", "conv_transpose2d", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d",
            "adaptive_avg_pool2d", "adaptive_max_pool2d", "interpolate", "unfold", "grid_sample")  # fmt: skip
"""Functions that mix neighbours: called outside a layer, nothing is claimed of what they see."""
JOINS = {"add": "+", "__add__": "+", "add_": "+", "iadd": "+", "__iadd__": "+", "cat": "concatenate", "mul": "×",
         "__mul__": "×", "sub": "−", "__sub__": "−", "stack": "stack", "matmul": "matrix product"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A layer or a join in a network's drawing.

    Args:
        name: its path in the network, or how a join is written, such as "+"; "input" for the first.
        kind: its class; "" for joins and the input.
        sources: the positions of the parts that it takes numbers from.
        output: the size of its output for one input.
        window: of a convolution or pooling: how its size comes about; None for all others.
        field: rows and columns of the input that one number of its output can see; None where that may be all of it,
            empty where it is not known.
        jump: rows and columns of the input from one number to the next.
    """

    name: str
    kind: str
    sources: tuple[int, ...]
    output: tuple[int, ...]
    window: Window | None
    field: tuple[int, ...] | None
    jump: tuple[int, ...]


def architecture(model: nn.Module, shape: Sequence[int]) -> list[Part]:
    """The parts of a network in the order of a forward pass over one input of `shape`, without the batch axis.

    Raises:
        UsageError: the network does not take inputs of this shape.
    """
    image = empty_image(model, shape)
    watch = _Watch(image)
    inside = {inner for module in model.modules() if isinstance(module, WHOLE) for inner in module.modules()
              if inner is not module}  # fmt: skip
    handles = []
    for name, module in model.named_modules():
        own = isinstance(module, WHOLE) or next(module.children(), None) is None
        if own and module not in inside and not isinstance(module, PASSING):
            handles.append(module.register_forward_pre_hook(watch.enter))
            handles.append(module.register_forward_hook(watch.layer(name or type(model).__name__)))
    try:
        pass_once(model, image, watch)
    finally:
        for handle in handles:
            handle.remove()
    return watch.parts


class _Watch(TorchFunctionMode):
    """Knows of every tensor which part it comes from; keeps all tensors, since they are told apart by identity."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        spatial = image.ndim - 2 if image.ndim > 2 else 0
        first = Part("input", "", (), tuple(image.shape[1:]), None, (1,) * spatial, (1,) * spatial)
        self.parts = [first]
        self._sources: dict[int, tuple[int, ...]] = {id(image): (0,)}
        self._kept = [image]
        self._depth = 0

    def __torch_function__(
        self, func: Any, _types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Passes on where tensors come from; several sources are a join."""
        made = func(*args, **(kwargs or {}))
        given = [*_tensors(args), *_tensors(list((kwargs or {}).values()))]
        found = dict.fromkeys(source for tensor in given for source in self._sources.get(id(tensor), ()))
        sources = tuple(found)
        outputs = _tensors(made)
        name = getattr(func, "__name__", "")
        if sources and outputs and not self._depth:
            if name in WINDOWED:
                sources = (self._add(name, None, sources, outputs[0]),)
            elif len(sources) > 1 and name in JOINS:
                sources = (self._add(JOINS[name], None, sources, outputs[0]),)
        for output in outputs:
            self._know(output, sources)
        return made

    def enter(self, _module: nn.Module, _inputs: Any) -> None:
        """A hook for the beginning of a layer: what happens inside is the layer's own affair."""
        self._depth += 1

    def layer(self, name: str) -> Any:
        """A hook that adds a layer."""

        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            self._depth -= 1
            given = _tensors(inputs)
            sources = tuple(dict.fromkeys(source for tensor in given for source in self._sources.get(id(tensor), ())))
            outputs = _tensors(output)
            if not outputs:
                return
            place = self._add(name, module, sources, outputs[0], given[0] if given else None)
            for tensor in outputs:
                self._know(tensor, (place,))

        return hook

    def _know(self, tensor: Tensor, sources: tuple[int, ...]) -> None:
        self._sources[id(tensor)] = sources
        self._kept.append(tensor)

    def _add(
        self, name: str, module: nn.Module | None, sources: tuple[int, ...], output: Tensor, given: Tensor | None = None
    ) -> int:
        window = None if module is None or given is None else window_of(module, given.shape, output.shape)
        known = name in JOINS.values() or window is not None or isinstance(module, OVER_THE_GROUP)
        field, jump = self._seen(module, window, sources, known=known)
        kind = "" if module is None else type(module).__name__
        self.parts.append(Part(name, kind, sources, tuple(for_one_image(output.shape)), window, field, jump))
        return len(self.parts) - 1

    def _seen(
        self, module: nn.Module | None, window: Window | None, sources: tuple[int, ...], *, known: bool
    ) -> tuple[tuple[int, ...] | None, tuple[int, ...]]:
        """A window of K places, D apart, adds (K - 1) D jumps to what its input sees."""
        before = [self.parts[source] for source in sources] or self.parts[:1]
        jump = max((part.jump for part in before), key=len)
        fields = [part.field for part in before]
        if isinstance(module, EVERYTHING) or any(field is None for field in fields):
            return None, jump
        sizes = [field for field in fields if field is not None]
        field = tuple(max(numbers) for numbers in zip(*sizes, strict=False))
        if not known or any(not size for size in sizes) or (window and len(window.kernel) != len(field)):
            return (), jump
        if window is None:
            return field, jump
        reach = zip(field, window.kernel, window.dilation, jump, strict=True)
        field = tuple(size + (kernel - 1) * dilation * step for size, kernel, dilation, step in reach)
        return field, tuple(step * stride for step, stride in zip(jump, window.stride, strict=True))


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [tensor for part in value for tensor in _tensors(part)] if isinstance(value, list | tuple) else []
