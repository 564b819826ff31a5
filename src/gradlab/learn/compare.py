"""Whether two outcomes of `observe` are the same, and where they differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.learn.wire import Numbers

KINDS = {"b": "truth values", "i": "whole numbers", "u": "whole numbers", "f": "floating-point numbers", "c": "complex"}


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two numbers may lie apart."""

    relative: float
    absolute: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two trees differ.

    Args:
        where: the path to the part, such as "output" or "[1]"; empty for the whole.
        got: the learner's part.
        expected: ours.
    """

    where: str
    got: Any
    expected: Any


def same(one: dict[str, Any], other: dict[str, Any], tolerance: Tolerance) -> bool:
    """Whether two outcomes are the same: both raised the same kind of error, or equal values and changed inputs."""
    if "raised" in one or "raised" in other:
        return one.get("raised") == other.get("raised")
    return (
        one["changed"] == other["changed"] and next(differences(one["value"], other["value"], tolerance), None) is None
    )


def differences(got: Any, expected: Any, tolerance: Tolerance, where: str = "") -> Iterator[Difference]:
    """The parts in which two trees differ, first to last; shape, kind and structure count as well as values."""
    if isinstance(expected, list) and isinstance(got, list) and len(got) == len(expected):
        for position, (one, other) in enumerate(zip(got, expected, strict=True)):
            yield from differences(one, other, tolerance, f"{where}[{position}]")
    elif isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys():
        for key, other in expected.items():
            yield from differences(got[key], other, tolerance, f"{where}.{key}" if where else str(key))
    elif not _equal(got, expected, tolerance):
        yield Difference(where, got, expected)


def _equal(got: Any, expected: Any, tolerance: Tolerance) -> bool:
    one, other = as_array(got), as_array(expected)
    if one is None or other is None:
        return type(got) is type(expected) and got == expected
    if one.shape != other.shape or not _same_kind(got, expected):
        return False
    return bool(np.allclose(one, other, rtol=tolerance.relative, atol=tolerance.absolute, equal_nan=True))


def _same_kind(got: Any, expected: Any) -> bool:
    """A single number may come as an int, a float or a tensor without axes, but not as a truth value."""
    kinds = [kind_of(values) for part in (got, expected) if (values := as_array(part)) is not None]
    if "number" in (container(got), container(expected)):
        return (kinds[0] == KINDS["b"]) == (kinds[1] == KINDS["b"])
    return kinds[0] == kinds[1] and container(got) == container(expected)


def as_array(part: Any) -> np.ndarray | None:
    """The numbers of a leaf, or None where it holds none, or a whole number beyond 64 bits."""
    if isinstance(part, Numbers):
        return part.values
    values = np.asarray(part) if isinstance(part, bool | int | float) else None
    return values if values is not None and values.dtype.kind != "O" else None


def kind_of(values: np.ndarray) -> str:
    """Truth values, whole or floating-point numbers."""
    return KINDS.get(values.dtype.kind, "something else")


def container(part: Any) -> str:
    """What a leaf or a tree is, in a word."""
    if isinstance(part, Numbers):
        return part.kind
    if isinstance(part, dict):
        return str(part["kind"]) if part.keys() == {"kind"} else "dict"
    names = {bool: "truth value", int: "number", float: "number", str: "text", list: "list", type(None): "None"}
    return names.get(type(part), type(part).__name__)
