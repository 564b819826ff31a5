"""Networks by name, for the commands that tell what a network is."""

import inspect
from collections.abc import Sequence
from typing import Any

from gradlab.cli.arguments import Flag, positive_number, word
from gradlab.errors import UsageError, unknown

PICTURE = (1, 28, 28)
WITHOUT_IMAGES: dict[str, tuple[int, ...]] = {
    "SimpleClassifier": (2,),
    "RNNModel": (28, 28),
    "MyRecurrentNet": (14, 4),
    "TransformerPredictor": (16, 10),
}
"""Networks that read no images, and their input in the handbook's or the cheat-sheet's example: time x numbers."""
SIZES: dict[str, dict[str, Any]] = {
    "SimpleClassifier": {"num_hidden": 4, "num_outputs": 1},
    "RNNModel": {"hidden_size": 128},
    "VariationalAutoencoder": {"latent_features": 2},
    "BaseNetwork": {"c_hid": 32, "output_dim": 512},
    "CNN": {"kernel_size": 5, "num_hidden": 4, "hidden_channels": 32},
    "GroupEquivariantCNN": {"group": "C4", "kernel_size": 5, "num_hidden": 4, "hidden_channels": 16},
}
"""What a network wants to know beyond its images and classes, as in the handbook's or the cheat-sheet's example."""


def input_size(flag: str, text: str) -> tuple[int, ...]:
    """One to three sizes, such as 3x32x32."""
    try:
        sizes = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        sizes = ()
    if not 1 <= len(sizes) <= 3 or min(sizes) < 1:
        raise UsageError(f"{flag} takes channels x height x width, such as 1x28x28: got '{text}'")
    return sizes


FLAGS = [
    Flag(
        name="--input",
        help="size of one input: channels x height x width, time x numbers, or numbers [1x28x28 for images]",
        convert=input_size,
        shown="CxHxW",
    ),
    Flag(name="--classes", help="number of classes [10]", convert=positive_number, default=10, shown="N"),
    Flag(
        name="--with",
        help="arguments of the network, such as num_hidden=4, c_hidden=16x24x32 or group=C8",
        convert=word,
        many=True,
        default=(),
        shown="NAME=VALUE",
    ),
]


def build_network(
    name: str, shape: tuple[int, ...] | None, classes: int, given: Sequence[str] = ()
) -> tuple[Any, tuple[int, ...]]:
    """A network of `gradlab.models` and the input that it is told for.

    Its constructor says in its own words which sizes it wants: those of the input come first, then what was `given` as
    NAME=VALUE, then the sizes of the handbook's example.

    Raises:
        UsageError: there is no such network, or it takes no such argument, or not this input.
    """
    from gradlab import models

    if name not in models.__all__:
        raise unknown("model", name, models.__all__)
    kind: Any = getattr(models, name)
    wanted = inspect.signature(kind).parameters
    shape = shape or WITHOUT_IMAGES.get(name, PICTURE)
    known = {**SIZES.get(name, {}), **_sizes_of(name, shape, classes, wanted), **_given(name, given, list(wanted))}
    if "encoder" in wanted and "encoder" not in known:
        width = {"output_dim": known["feature_dim"]} if "feature_dim" in known else {}
        known["encoder"], _shape = build_network("BaseNetwork", shape, classes, [f"{n}={v}" for n, v in width.items()])
    if isinstance(known.get("group"), str):
        known["group"] = group_named(known["group"])
    missing = [each for each, value in wanted.items() if value.default is value.empty and each not in known]
    if missing:
        raise UsageError(f"{name} wants to know {', '.join(missing)}: say --with {missing[0]}=VALUE")
    try:
        return kind(**{each: value for each, value in known.items() if each in wanted}), shape
    except ValueError as error:
        raise UsageError(str(error)) from error
    except (TypeError, RuntimeError) as error:
        raise UsageError(f"{name} does not take these arguments: {error}") from error


def group_named(name: str) -> Any:
    """C8 or D4: rotations, or rotations and reflections, of that many angles.

    Raises:
        UsageError: it is not such a name.
    """
    from gradlab.equivariance import CyclicGroup, DihedralGroup

    kinds = {"C": CyclicGroup, "D": DihedralGroup}
    if name[:1] not in kinds or not name[1:].isdigit() or int(name[1:]) < 1:
        raise UsageError(f"a group is named C or D and its number of rotations, such as C8: got '{name}'")
    return kinds[name[0]](int(name[1:]))


def _sizes_of(name: str, shape: tuple[int, ...], classes: int, wanted: Any) -> dict[str, Any]:
    """What the input and the number of classes say, under every name that constructors have for it."""
    outputs = {"num_classes": classes, "output_size": classes}
    if name in WITHOUT_IMAGES:
        numbers = shape[-1]
        return {**outputs, "num_inputs": numbers, "input_size": numbers, "input_dim": numbers, "vocab_size": numbers}
    if len(shape) != 3:
        raise UsageError(f"{name} reads images: --input takes channels x height x width, such as 1x28x28")
    channels, height, width = shape
    if "image_size" in wanted and height != width:
        raise UsageError(f"{name} takes square images: got {height}x{width}")
    known = {
        **outputs,
        "input_size": channels * height * width,
        "input_shape": shape,
        "in_channels": channels,
        "num_channels": channels,
        "num_input_channels": channels,
        "image_size": height,
    }
    if "hidden_channels" in wanted:
        known["out_channels"] = classes
    if {"patch_size", "num_patches"} <= set(wanted):
        patch = wanted["patch_size"].default
        known["num_patches"] = (height // patch) * (width // patch)
    return known


def _given(name: str, words: Sequence[str], wanted: list[str]) -> dict[str, Any]:
    """NAME=VALUE words as arguments.

    Raises:
        UsageError: a word has another form, or the network takes no such argument.
    """
    arguments = {}
    for text in words:
        key, equals, value = text.partition("=")
        if not equals or not value:
            raise UsageError(f"--with takes NAME=VALUE, such as num_hidden=4: got '{text}'")
        if key not in wanted:
            raise unknown(f"argument of {name}", key, wanted)
        arguments[key] = _value(value)
    return arguments


def _value(text: str) -> Any:
    """A whole number, a number, sizes such as 16x24x32, true or false, or else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    parts = text.split("x")
    return tuple(map(int, parts)) if len(parts) > 1 and all(part.isdigit() for part in parts) else text
