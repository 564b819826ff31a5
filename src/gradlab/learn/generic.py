"""Faults that any exercise can have, found by comparing the numbers: sign, scale, axes, shape, kind."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.learn.compare import Difference, Tolerance, as_array, container, kind_of
from gradlab.learn.show import shape_of

Named = tuple[str, str]
"""(name, advice)"""
OTHER = ("the values differ", "Compare the numbers below, smallest case first; follow one of them by hand.")


def name_generic(found: Sequence[Difference], tolerance: Tolerance) -> Named:
    """The name and the advice for what the first difference of each wrong case has in common."""
    for rule in (_nothing, _structure, _shape, _kind, _not_finite, _sign, _scale):
        named = [rule(difference, tolerance) for difference in found]
        if named[0] is not None and all(each is not None and each[0] == named[0][0] for each in named):
            return named[0]
    return OTHER


def input_changed(names: Sequence[str]) -> Named:
    """The fault of writing into what was handed in."""
    return (
        f"the input {', '.join(names)} is changed in place",
        "Whoever calls the function still needs the input: make a new tensor (`x + 1`, `x.clone()`), no `+=`, no `_`.",
    )


def _nothing(difference: Difference, _tolerance: Tolerance) -> Named | None:
    if difference.got is None and difference.expected is not None:
        return "nothing is returned", "A function without `return` gives None: is the last line missing?"
    return None


def _structure(difference: Difference, _tolerance: Tolerance) -> Named | None:
    got, expected = container(difference.got), container(difference.expected)
    if as_array(difference.got) is not None and as_array(difference.expected) is not None and got == expected:
        return None
    if got == expected:
        count = f"{len(difference.got)} instead of {len(difference.expected)} values" if got in ("list", "dict") else ""
        return "another value is returned", count or "Compare what is returned with what is asked for."
    if "number" in (got, expected) and "truth value" not in (got, expected) and _single(difference.got):
        return None
    return f"{_a(got)} is returned instead of {_a(expected)}", f"The statement asks for {_a(expected)}."


def _shape(difference: Difference, tolerance: Tolerance) -> Named | None:
    got, expected = as_array(difference.got), as_array(difference.expected)
    if got is None or expected is None:
        return None
    if got.ndim == expected.ndim and got.size == expected.size and 1 < got.ndim <= 5:
        for axes in itertools.permutations(range(got.ndim)):
            if list(axes) != sorted(axes) and _close(got.transpose(axes), expected, tolerance):
                return (
                    "the axes are in another order",
                    f"Numbers are right, but axes are swapped: permute them to {axes}.",
                )
    if got.shape == expected.shape:
        return None
    asked = f"{shape_of(difference.got)} instead of {shape_of(difference.expected)}"
    if got.size == expected.size and _close(got.reshape(expected.shape), expected, tolerance):
        return "the right numbers in another shape", f"{asked}: check `keepdim`, `squeeze` and `view`."
    return "the shape is wrong", f"{asked}: which axis does each step work along?"


def _kind(difference: Difference, _tolerance: Tolerance) -> Named | None:
    got, expected = as_array(difference.got), as_array(difference.expected)
    if got is None or expected is None or kind_of(got) == kind_of(expected) or () in (got.shape, expected.shape):
        return None
    return (
        f"{kind_of(got)} instead of {kind_of(expected)}",
        "The numbers have another dtype: look for a comparison, a `//`, or a missing `.float()` or `.long()`.",
    )


def _not_finite(difference: Difference, _tolerance: Tolerance) -> Named | None:
    got, expected = as_array(difference.got), as_array(difference.expected)
    if got is None or expected is None or got.dtype.kind not in "fc":
        return None
    if np.isfinite(expected).all() and not np.isfinite(got).all():
        return "nan or inf comes out", "Look for a logarithm of 0, a division by 0 or an exponential of a large number."
    return None


def _sign(difference: Difference, tolerance: Tolerance) -> Named | None:
    got, expected = _floats(difference)
    if got is not None and expected is not None and expected.any() and _close(-got, expected, tolerance):
        return "the sign is flipped", "Everything has the opposite sign: look for a missing or an extra minus."
    return None


def _scale(difference: Difference, tolerance: Tolerance) -> Named | None:
    got, expected = _floats(difference)
    if got is None or expected is None or not expected.any() or not np.isfinite(got).all():
        return None
    factor = float((got * expected).sum() / (expected * expected).sum())
    if factor > 0 and _close(got, factor * expected, tolerance):
        return (
            "the scale is wrong",
            f"Everything is {factor:.4g} times what it should be: a mean instead of a sum, or a missing factor?",
        )
    return None


def _floats(difference: Difference) -> tuple[np.ndarray | None, np.ndarray | None]:
    got, expected = as_array(difference.got), as_array(difference.expected)
    fits = got is not None and expected is not None and got.shape == expected.shape and got.size > 1
    if not fits or got is None or expected is None or got.dtype.kind != "f":
        return None, None
    return got.astype(np.float64), expected.astype(np.float64)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else noun if noun == "None" else f"a {noun}"


def _single(part: Any) -> bool:
    values = as_array(part)
    return values is not None and values.shape == ()


def _close(got: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> bool:
    return got.shape == expected.shape and bool(
        np.allclose(got, expected, rtol=tolerance.relative, atol=tolerance.absolute)
    )
