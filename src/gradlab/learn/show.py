"""Values as a learner reads them: short, with shapes."""

import re
from typing import Any

import numpy as np

from gradlab.learn.compare import container
from gradlab.learn.wire import Numbers

MOST = 40
"""numbers shown of one value"""


def shown(value: Any) -> str:
    """One value on one or a few lines; of a large one its shape and its first numbers."""
    if isinstance(value, Numbers):
        return _numbers(value)
    if isinstance(value, dict):
        if value.keys() == {"kind"}:
            return f"a {value['kind']}"
        return "; ".join(f"{key}: {shown(part)}" for key, part in value.items())
    if isinstance(value, list):
        if all(isinstance(part, bool | int | float | str) for part in value):
            return repr([round(part, 4) if isinstance(part, float) else part for part in value])
        return f"{len(value)} values: " + "; ".join(shown(part) for part in value)
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def shape_of(value: Any) -> str:
    """A value's kind and shape, such as "tensor [2, 3]"."""
    return f"{container(value)} {list(value.values.shape)}" if isinstance(value, Numbers) else container(value)


def _numbers(value: Numbers) -> str:
    values = value.values
    if values.shape == ():
        return f"{values.item():.6g}" if values.dtype.kind == "f" else str(values.item())
    with np.printoptions(precision=4, suppress=True, threshold=10_000, linewidth=100):
        if values.size <= MOST:
            text = re.sub(r"\n\s*\n", "\n", np.array2string(values, separator=", "))
            return f"{text}  {shape_of(value)}" if values.ndim == 1 else f"{shape_of(value)}\n{text}"
        first = np.array2string(values.reshape(-1)[:8], separator=", ")
    return f"{shape_of(value)}, first numbers {first}"
