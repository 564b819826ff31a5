"""What a learner's code does with given inputs: its values as plain numbers, or what it raised.

The same function watches the learner's code in its own process and our answers in ours.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradlab.learn.sandbox.layout import ANSWER
from gradlab.learn.wire import Numbers
from gradlab.rng import global_stream

SAID = 300
"""characters kept of an error's text"""


def observe(probe: Callable[..., Any] | None, answers: Sequence[Callable[..., Any]], inputs: dict[str, Any]) -> dict:
    """Returns `{"value": tree, "changed": [names of inputs changed in place]}` or `{"raised": ..., "said": ..., ...}`.

    Args:
        probe: see `Check`.
        answers: the asked functions or classes.
        inputs: plain values as `plain` makes them; each call gets its own copies.
    """
    given = {name: alive(value) for name, value in inputs.items()}
    try:
        with global_stream(0, "learner"):
            value = answers[0](*given.values()) if probe is None else probe(*answers, **given)
        return {"value": plain(value), "changed": _changed(given, inputs)}
    except Exception as error:
        return raised(error)


def raised(error: BaseException) -> dict[str, Any]:
    """An error as plain values: its kind, its text and the learner's line that it came from (0 if none)."""
    line, trace = 0, error.__traceback__
    while trace is not None:  # the traceback module would read our own sources, which the guard forbids
        if trace.tb_frame.f_code.co_filename.endswith(ANSWER):
            line = trace.tb_lineno
        trace = trace.tb_next
    said = str(error).encode("utf-8", "backslashreplace").decode()  # a lone surrogate cannot be written
    return {"raised": type(error).__name__, "said": said[:SAID], "line": line}


def plain(value: Any) -> Any:
    """A value as numbers, texts, lists and `Numbers`; anything else as the name of its kind."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, Tensor):
        return _plain_tensor(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return Numbers(value.copy(), "array")
    return value if value is None or isinstance(value, bool | int | float | str) else {"kind": type(value).__name__}


def alive(value: Any) -> Any:
    """The tensors, arrays and lists that `plain` made plain."""
    if isinstance(value, Numbers):
        values = value.values.copy()
        return torch.from_numpy(values) if value.kind == "tensor" else values
    if isinstance(value, list):
        return [alive(part) for part in value]
    if isinstance(value, dict):
        return {key: alive(part) for key, part in value.items()}
    return value


def _plain_tensor(value: Tensor) -> Any:
    if value.layout is not torch.strided or value.is_quantized:
        return {"kind": f"tensor of layout {value.layout}"}
    value = value.detach().cpu().resolve_conj().resolve_neg()
    return Numbers((value.float() if value.dtype == torch.bfloat16 else value).numpy().copy(), "tensor")


def _changed(given: dict[str, Any], inputs: dict[str, Any]) -> list[str]:
    return [name for name, value in given.items() if not _identical(plain(value), inputs[name])]


def _identical(one: Any, other: Any) -> bool:
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return np.array_equal(one.values, other.values)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_identical, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_identical(one[key], other[key]) for key in one)
    return one == other
