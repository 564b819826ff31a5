"""`gradlab summary`."""

import inspect
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gradlab.cli.arguments import JSON, Flag, parse, positive_number, word
from gradlab.errors import UsageError, unknown

BYTES = 4
"""Of a number in single precision."""


def main(words: Sequence[str]) -> int:
    """Prints a network's layers with sizes, parameters, operations and memory."""
    flags = [
        Flag(name="model", help="a network of gradlab.models, such as LeNet", convert=word),
        Flag(
            name="--input",
            help="size of one image, channels x height x width [1x28x28]",
            convert=image_size,
            shown="CxHxW",
        ),
        Flag(name="--classes", help="number of classes [10]", convert=positive_number, default=10, shown="N"),
        Flag(name="--batch-size", help="for the memory of a training step [64]", convert=positive_number, default=64),
        JSON,
    ]
    options = parse("summary", "A network layer by layer.", flags, words)
    shape = options["input"] or (1, 28, 28)
    from gradlab.explain import layer_table, training_memory

    model = build_model(options["model"], shape, options["classes"])
    layers = layer_table(model, shape)
    document = {
        "model": options["model"],
        "input": list(shape),
        "layers": [asdict(layer) | {"bytes": BYTES * (layer.parameters + layer.output_numbers)} for layer in layers],
        "parameters": sum(layer.parameters for layer in layers),
        "operations": sum(layer.operations or 0 for layer in layers),
        "training_bytes": training_memory(layers, batch_size=options["batch_size"]),
    }
    print(json.dumps(document, indent=2) if options["json"] else _as_text(document, options["batch_size"]))
    return 0


def image_size(flag: str, text: str) -> tuple[int, ...]:
    """Channels, height and width."""
    try:
        sizes = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        sizes = ()
    if len(sizes) != 3 or min(sizes) < 1:
        raise UsageError(f"{flag} takes channels x height x width, such as 1x28x28: got '{text}'")
    return sizes


def build_model(name: str, shape: tuple[int, ...], classes: int) -> Any:
    """A network of `gradlab.models` for this input size: its constructor says in its own words which sizes it wants.

    Raises:
        UsageError: there is no such network, or it needs more than sizes, or other sizes.
    """
    from gradlab import models

    if name not in models.__all__:
        raise unknown("model", name, models.__all__)
    kind: Any = getattr(models, name)
    channels, height, width = shape
    known = {
        "input_size": channels * height * width,
        "in_channels": channels,
        "num_channels": channels,
        "image_size": height,
        "num_classes": classes,
    }
    wanted = inspect.signature(kind).parameters
    if {"patch_size", "num_patches"} <= set(wanted):
        patch = wanted["patch_size"].default
        known["num_patches"] = (height // patch) * (width // patch)
    if "image_size" in wanted and height != width:
        raise UsageError(f"{kind.__name__} takes square images: got {height}x{width}")
    missing = [name for name, value in wanted.items() if value.default is value.empty and name not in known]
    if missing:
        raise UsageError(f"{kind.__name__} needs more than sizes of images and classes: {', '.join(missing)}")
    try:
        return kind(**{name: value for name, value in known.items() if name in wanted})
    except ValueError as error:
        raise UsageError(str(error)) from error


def _as_text(document: dict[str, Any], batch_size: int) -> str:
    header = ("layer", "kind", "filters", "output", "parameters", "operations", "memory")
    rows = [
        (
            layer["name"],
            layer["kind"],
            str(layer["filters"] or "-"),
            layer["output"],
            f"{layer['parameters']:,}",
            "unknown" if layer["operations"] is None else f"{layer['operations']:,}",
            f"{layer['bytes'] / 1e3:,.1f} kB",
        )
        for layer in document["layers"]
    ]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(w) if c < 4 else cell.rjust(w) for c, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in [header, *rows]
    ]
    lines.insert(1, "-" * len(lines[0]))
    size = "x".join(map(str, document["input"]))
    lines += [
        "",
        "operations: multiplications and additions, counted separately; memory: weights and one image's output",
        f"{document['model']} for images of {size}: {document['parameters']:,} trainable parameters, "
        f"{document['operations']:,} operations an image",
        f"a training step of {batch_size} images with Adam needs at least {document['training_bytes'] / 1e6:,.1f} MB",
    ]
    return "\n".join(lines)
