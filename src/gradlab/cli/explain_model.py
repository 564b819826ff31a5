"""What `gradlab explain MODEL` tells: how data flows, how sizes come about, how far each number sees."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gradlab.report import Answer, Arrow, Block, Box, GraphChart, Heading, Page, Table, Text
from gradlab.report.graph_chart import LARGEST

FORMULA = "(W − K + 2P)/S + 1, rounded down, for a side of W, a kernel of K, padding P and stride S"


def explained_model(
    name: str, shape: tuple[int, ...] | None, classes: int, given: Sequence[str] = ()
) -> tuple[str, dict[str, Any], Page]:
    """(text, document, page) of a network, built as `network.build_network` says.

    Raises:
        UsageError: there is no such network, or it does not take images of this size.
    """
    from gradlab.cli.network import build_network
    from gradlab.explain import architecture, layer_table

    model, shape = build_network(name, shape, classes, given)
    parts, layers = architecture(model, shape), layer_table(model, shape)
    size = "x".join(map(str, shape))
    title = f"{name} for {'images' if len(shape) == 3 else 'inputs'} of {size}"
    rows = [_row(part) for part in parts]
    text = _as_text(title, rows, parts)
    document = {"model": name, "input": list(shape), "parts": [_as_json(part) for part in parts]}
    return text, document, _page(name, title, parts, layers, rows)


def _as_json(part: Any) -> dict[str, Any]:
    formulas = _formulas(part) if part.window else []
    return asdict(part) | {"formulas": formulas, "field": _field_text(part)}


def _row(part: Any) -> tuple[str, str, str, str, str]:
    formulas = "; ".join(_formulas(part)) if part.window else "-"
    return part.name, part.kind or "-", _size(part.output), formulas, _field_text(part)


def _formulas(part: Any) -> list[str]:
    """The size worked out: once where all sides are alike."""
    window = part.window
    return [window.formula(axis) for axis in range(1 if window.same_on_all_axes else len(window.kernel))]


def _field_text(part: Any) -> str:
    if part.field is None:
        return "all"
    return _size(part.field) if part.field else "unknown"


def _size(numbers: Sequence[int]) -> str:
    return " x ".join(map(str, numbers))


_HEADER = ("part", "kind", "output", "side of the output", "sees of the input")


def _as_text(title: str, rows: Sequence[tuple[str, ...]], parts: Sequence[Any]) -> str:
    widths = [max(len(row[column]) for row in [_HEADER, *rows]) for column in range(len(_HEADER))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [_HEADER, *rows]
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([f"{title}, in the order of the forward pass", "", *lines, "", f"side of the output: {FORMULA}"])


def _page(name: str, title: str, parts: Sequence[Any], layers: Sequence[Any], rows: Sequence[tuple[str, ...]]) -> Page:
    blocks: list[Block] = [Answer(_answer(name, parts, layers))]
    if len(parts) <= LARGEST:
        blocks.append(_drawing(name, parts, rows))
    blocks += [
        Heading("How the sizes come about"),
        Text(
            f"The side of a convolution's or a pooling's output is {FORMULA}. A window sees K places, D apart, so each "
            "layer adds (K − 1) · D jumps to what its input sees, a jump being the product of all strides before."
        ),
        Table(_HEADER, rows, "One number can see more than the image is wide: the rest is padding."),
        Heading("What it costs"),
        Table(("layer", "kind", "filters", "output", "parameters", "operations"), [_cost(layer) for layer in layers],
              "For one image; multiplications and additions are counted separately."),
    ]  # fmt: skip
    return Page(title=title, question=f"What is {name}, and what does each layer see?", blocks=blocks, brief=True)


def _cost(layer: Any) -> tuple[str, ...]:
    done = "unknown" if layer.operations is None else f"{layer.operations:,}"
    return layer.name, layer.kind, str(layer.filters or "-"), layer.output, f"{layer.parameters:,}", done


def _answer(name: str, parts: Sequence[Any], layers: Sequence[Any]) -> str:
    parameters, done = sum(layer.parameters for layer in layers), sum(layer.operations or 0 for layer in layers)
    windows = [part for part in parts if part.window and part.field]
    widest = max(windows, key=lambda part: part.field, default=None)
    seen = f" Of its windows {widest.name} sees most: {_size(widest.field)} pixels." if widest else ""
    return f"{name} has {parameters:,} trainable parameters and does {done:,} operations for one image.{seen}"


def _drawing(name: str, parts: Sequence[Any], rows: Sequence[tuple[str, ...]]) -> GraphChart:
    boxes = []
    for place, (part, row) in enumerate(zip(parts, rows, strict=True)):
        kind = "leaf" if place == 0 else "output" if place == len(parts) - 1 else "step"
        tip = f"{part.name} {part.kind}\noutput {row[2]}\nsees {row[4]} of the input"
        if part.window:
            tip += f"\nside {row[3]}"
        title = f"{part.name}: {part.kind}" if part.kind else part.name
        boxes.append(Box(title, _size(part.output), kind, tip))
    arrows = [Arrow(source, place) for place, part in enumerate(parts) for source in part.sources]
    caption = (
        "Data flows along the arrows. Below each name the size of its output for one image. Activations, norms and "
        "dropout, which change no size, are left out."
    )
    return GraphChart(boxes, arrows, f"The architecture of {name}", caption)
