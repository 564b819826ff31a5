"""`gradlab summary`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gradlab.cli.arguments import JSON, Flag, parse, positive_number, word
from gradlab.cli.network import FLAGS, build_network

BYTES = 4
"""Of a number in single precision."""


def main(words: Sequence[str]) -> int:
    """Prints a network's layers with sizes, parameters, operations and memory."""
    flags = [
        Flag(name="model", help="a network of gradlab.models, such as LeNet", convert=word),
        *FLAGS,
        Flag(name="--batch-size", help="for the memory of a training step [64]", convert=positive_number, default=64),
        JSON,
    ]
    options = parse("summary", "A network layer by layer.", flags, words)
    model, shape = build_network(options["model"], options["input"], options["classes"], options["with"])
    from gradlab.explain import layer_table, training_memory

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
    what = "image" if len(document["input"]) == 3 else "input"
    lines += [
        "",
        f"operations: multiplications and additions, counted separately; memory: weights and one {what}'s output",
        f"{document['model']} for {what}s of {size}: {document['parameters']:,} trainable parameters, "
        f"{document['operations']:,} operations an {what}",
        f"a training step of {batch_size} {what}s with Adam needs at least {document['training_bytes'] / 1e6:,.1f} MB",
    ]
    return "\n".join(lines)
