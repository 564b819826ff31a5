"""Values as bytes and back, for what crosses from a learner's process: numbers, texts, lists and arrays, never objects.

A message is a length, a JSON header and the bytes of its arrays. Nothing in it can name code.
"""

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
LARGEST = 64_000_000
DEEPEST = 50
"""lists within lists; what reads a message calls itself for each"""
LENGTH = struct.Struct("<QI")


class WireError(ValueError):
    """The bytes are no message: cut short, too large or of unknown content."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The values of a tensor or an array.

    Args:
        values: the numbers.
        kind: "tensor" or "array".
    """

    values: np.ndarray
    kind: str = "tensor"


def pack(tree: Any) -> bytes:
    """A tree of None, bool, int, float, str, list, dict (with text keys) and `Numbers` as bytes.

    Raises:
        WireError: it holds something else, more than 64 MB, or is nested more than 50 deep.
    """
    arrays: list[bytes] = []
    header = json.dumps(_down(tree, arrays)).encode()
    body = b"".join(arrays)
    if len(body) + len(header) > LARGEST:
        raise WireError(f"a message holds at most {LARGEST:,} bytes: got {len(body) + len(header):,}")
    return LENGTH.pack(len(header) + len(body), len(header)) + header + body


def unpack(content: bytes) -> tuple[Any, bytes]:
    """The first message's tree, and the bytes that follow it.

    Raises:
        WireError: the bytes do not begin with a whole message.
    """
    if len(content) < LENGTH.size:
        raise WireError(f"a message has at least {LENGTH.size} bytes: got {len(content)}")
    total, header_bytes = LENGTH.unpack_from(content)
    end = LENGTH.size + total
    if total > LARGEST or header_bytes > total or end > len(content):
        raise WireError(f"the message is cut short or too large: {len(content)} bytes of {end}")
    header = content[LENGTH.size : LENGTH.size + header_bytes]
    try:
        tree = _up(json.loads(header), content[LENGTH.size + header_bytes : end])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WireError(f"the message's header is damaged: {error}") from error
    return tree, content[end:]


def _down(tree: Any, arrays: list[bytes], depth: int = 0) -> Any:
    _refuse_deep(depth)
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, list):
        return [_down(part, arrays, depth + 1) for part in tree]
    if isinstance(tree, dict):
        return {"dict": {str(key): _down(part, arrays, depth + 1) for key, part in tree.items()}}
    if isinstance(tree, Numbers) and tree.values.dtype.name in DTYPES:
        arrays.append(np.asarray(tree.values, order="C").tobytes())
        return {"numbers": [tree.kind, tree.values.dtype.name, list(tree.values.shape)]}
    raise WireError(f"a message cannot hold a {type(tree).__name__}")


def _refuse_deep(depth: int) -> None:
    if depth > DEEPEST:
        raise WireError(f"a message is nested at most {DEEPEST} deep")


def _up(tree: Any, body: bytes) -> Any:
    offset = 0

    def rise(part: Any, depth: int = 0) -> Any:
        nonlocal offset
        _refuse_deep(depth)
        if isinstance(part, list):
            return [rise(each, depth + 1) for each in part]
        if not isinstance(part, dict):
            return part
        if "dict" in part:
            return {str(key): rise(each, depth + 1) for key, each in part["dict"].items()}
        kind, dtype, shape = part["numbers"]
        if dtype not in DTYPES or kind not in ("tensor", "array") or any(side < 0 for side in shape):
            raise WireError(f"unknown numbers: {kind} of {dtype}, {shape}")
        count = math.prod(shape)
        size = np.dtype(dtype).itemsize * count
        if offset + size > len(body):
            raise WireError(f"numbers of shape {shape} are cut short")
        values = np.frombuffer(body, dtype=dtype, count=count, offset=offset).reshape(shape)
        offset += size
        return Numbers(values.copy(), kind)

    return rise(tree)
