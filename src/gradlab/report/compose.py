"""Turns pages into one document of plain values, which the HTML and the PDF template then lay out alike."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any

from gradlab.records import slug
from gradlab.report.blocks import (
    Answer,
    Block,
    Bullets,
    Code,
    ConfusionMatrix,
    Details,
    Facts,
    Figure,
    Heading,
    LineChart,
    Pictures,
    PointChart,
    Table,
    Text,
)
from gradlab.report.draw_graph import NODE
from gradlab.report.draw_pictures import is_small, picture_png
from gradlab.report.figures import figure_csv, figure_sheet, is_empty
from gradlab.report.graph_chart import GraphChart
from gradlab.report.page import Page, whole_page
from gradlab.report.palette import LIGHT, stand_ins
from gradlab.report.plane_charts import FieldChart, HeatMaps, ScatterChart, SurfaceChart
from gradlab.report.sheet import NARROW, WIDE, as_png, as_svg, drawing

_NUMBER = re.compile(
    r"[+−-]?\d[\d.,e+−-]*(?: %| points| of \d+| nats| s| min \d+ s)?(?: \[.*\]| on every seed)?(?: \(.*\))?"
)
"""A number with its unit, its interval, its n: what a table aligns to the right. An arm such as "10 layers" is none."""

Node = dict[str, Any]
"""A block as plain values: its `kind` says which part of a template lays it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure in every form it is needed in."""

    slug: str
    alt: str
    svg: str
    """For a page's width, in the stand-in colours."""
    narrow_svg: str
    """For a phone's width; empty for pictures, which flow by themselves."""
    png: bytes
    csv: str
    """The numbers behind the figure."""
    parts: tuple[tuple[str, str, str], ...] = ()
    """Of what can be pointed at: its name in the drawing, what is then told, the anchor it leads to."""


@dataclass(frozen=True, slots=True)
class Section:
    """One experiment's part of the document."""

    slug: str
    title: str
    question: str
    nodes: tuple[Node, ...]
    brief: bool
    """Whether its figures are small on paper."""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report: sections of nodes, and the figures that the nodes name by slug."""

    title: str
    sections: tuple[Section, ...]
    figures: dict[str, Drawn]


def compose(pages: Sequence[Page], title: str = "") -> Document:
    """Returns the document of some pages, every figure drawn."""
    composer = _Composer()
    sections = []
    taken: set[str] = set()
    for page in pages:
        name = _fresh(page.title, taken)
        composer.prefix = f"{name}-" if len(pages) > 1 else ""
        nodes = _with_depths([composer.node(block) for block in whole_page(page)])
        sections.append(Section(name, page.title, page.question, nodes, page.brief))
    whole = title or (pages[0].title if len(pages) == 1 else f"{len(pages)} experiments")
    return Document(whole, tuple(sections), composer.figures)


def _with_depths(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes with the `depth` of their own titles: 0 before the first heading and for headings, 1 below one.

    Titles then never skip a level, as readers that speak (and PDF/UA) need.
    """
    depth, settled = 0, []
    for node in nodes:
        if node["kind"] == "heading":
            depth = 1
        inner = {"nodes": [part | {"depth": depth} for part in node["nodes"]]} if node["kind"] == "details" else {}
        settled.append(node | {"depth": depth} | inner)
    return tuple(settled)


class _Composer:
    """Collects the figures of a document while its blocks become nodes."""

    def __init__(self) -> None:
        self.figures: dict[str, Drawn] = {}
        self.prefix = ""

    @singledispatchmethod
    def node(self, block: Block) -> Node:
        """Returns the block as plain values."""
        raise TypeError(f"a page is made of blocks: got {type(block).__name__}")

    @node.register
    def _(self, block: Answer) -> Node:
        return {"kind": "answer", "text": block.text}

    @node.register
    def _(self, block: Heading) -> Node:
        return {"kind": "heading", "text": block.text}

    @node.register
    def _(self, block: Text) -> Node:
        paragraphs = [part.strip() for part in re.split(r"\n\s*\n", block.text) if part.strip()]
        return {"kind": "text", "heading": block.heading or "", "paragraphs": paragraphs}

    @node.register
    def _(self, block: Bullets) -> Node:
        return {"kind": "bullets", "entries": list(block.items)}

    @node.register
    def _(self, block: Code) -> Node:
        return {"kind": "code", "text": block.text}

    @node.register
    def _(self, block: Facts) -> Node:
        pairs = [[str(name), str(value)] for name, value in block.pairs]
        return {"kind": "facts", "heading": block.heading or "", "pairs": pairs, "anchor": block.anchor}

    @node.register
    def _(self, block: Table) -> Node:
        rows = [[str(cell) for cell in row] for row in block.rows]
        numeric = [bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(len(block.header))]
        header = [str(cell) for cell in block.header]
        return {"kind": "table", "header": header, "rows": rows, "numeric": numeric, "caption": block.caption}

    @node.register
    def _(self, block: Details) -> Node:
        return {"kind": "details", "summary": block.summary, "nodes": [self.node(inner) for inner in block.blocks]}

    @node.register
    def _(self, block: LineChart | PointChart | ScatterChart | HeatMaps | GraphChart) -> Node:
        if is_empty(block):
            return {"kind": "text", "heading": block.title, "paragraphs": ["Nothing was measured for this chart."]}
        return self._figure(block, self._draw(block))

    @node.register
    def _(self, block: ConfusionMatrix | FieldChart | SurfaceChart) -> Node:
        return self._figure(block, self._draw(block))

    @node.register
    def _(self, block: Pictures) -> Node:
        if len(block.images) == 0:
            return {"kind": "text", "heading": block.title, "paragraphs": ["There are no pictures to show."]}
        drawn = self._draw(block)
        encoded = [base64.b64encode(picture_png(pixels)).decode() for pixels in block.images]
        height, width = block.images.shape[1:3]
        pictures = [{"png": png, "caption": caption} for png, caption in zip(encoded, block.captions, strict=True)]
        further = {"pictures": pictures, "width": width, "height": height, "small": is_small(block)}
        return self._figure(block, drawn) | {"kind": "pictures", "columns": block.columns} | further

    def _figure(self, block: Figure, drawn: Drawn) -> Node:
        caption = _matrix_caption(block) if isinstance(block, ConfusionMatrix) else block.caption
        return {"kind": "figure", "slug": drawn.slug, "title": block.title, "alt": block.alt, "caption": caption}

    def _draw(self, block: Figure) -> Drawn:
        name = _fresh(self.prefix + (block.title or "figure"), self.figures)
        with drawing():
            drawn = Drawn(
                slug=name,
                alt=block.alt,
                svg=as_svg(figure_sheet(block, WIDE, stand_ins())),
                narrow_svg="" if isinstance(block, Pictures) else as_svg(figure_sheet(block, NARROW, stand_ins())),
                png=as_png(figure_sheet(block, WIDE, LIGHT.tokens())),
                csv=figure_csv(block),
                parts=_parts(block),
            )
        self.figures[name] = drawn
        return drawn


def _parts(block: Figure) -> tuple[tuple[str, str, str], ...]:
    if not isinstance(block, GraphChart):
        return ()
    return tuple((NODE.format(place), box.tip, box.anchor) for place, box in enumerate(block.boxes) if box.tip)


def _matrix_caption(block: ConfusionMatrix) -> str:
    mistakes = ", ".join(f"{true} taken for {given} ({often:g})" for true, given, often in block.most_confused())
    told = f"Most frequent mistakes: {mistakes}." if mistakes else "No mistakes."
    scale = (
        "Blue is right, orange is wrong; stronger for a larger share of the true class, mistakes on their own scale."
    )
    return " ".join(part for part in (block.caption, told, scale) if part)


def _fresh(title: str, taken: set[str] | dict[str, Any]) -> str:
    """Returns a slug of the title that is not taken yet; a set of taken ones learns it."""
    base = slug(title).lower()[:100]
    candidates = [base, *(f"{base}-{count}" for count in range(2, 1000))]
    name = next(candidate for candidate in candidates if candidate not in taken)
    if isinstance(taken, set):
        taken.add(name)
    return name


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) or text in ("–", "-")
