"""The report as a PDF: A4, tagged for readers that speak, the same bytes for the same report."""

import json
from functools import cache
from importlib import resources

import typst

from gradlab.report.compose import Document, Node
from gradlab.report.palette import LIGHT
from gradlab.report.sheet import standing_alone

_SERIF = "Libertinus Serif"
"""The text font of the page; it comes with typst, so that a PDF does not depend on the fonts of a machine."""


def as_pdf(document: Document) -> bytes:
    """Returns the PDF/UA file of a document.

    All text reaches the template as data, never as markup, so that no title or name can change the layout.
    """
    sections = [
        {
            "title": section.title,
            "question": section.question,
            "brief": section.brief,
            "nodes": [_with_svg(node, document, section.brief) for node in section.nodes],
        }
        for section in document.sections
    ]
    inputs = {"title": document.title, "colours": LIGHT.tokens(), "sections": sections}
    template = (resources.files("gradlab.report") / "report.typ").read_bytes()
    made = typst.compile(
        template,
        format="pdf",
        font_paths=_fonts(),
        sys_inputs={"document": json.dumps(inputs, ensure_ascii=False)},
        pdf_standards=["ua-1"],
        timestamp=0,
    )
    if not isinstance(made, bytes):
        raise TypeError("typst returned no PDF")
    return made


def _with_svg(node: Node, document: Document, brief: bool) -> Node:
    """The node with its drawing inside, coloured for paper; the narrow one where figures are small."""
    if node["kind"] == "details":
        return node | {"nodes": [_with_svg(inner, document, brief) for inner in node["nodes"]]}
    if node["kind"] == "figure":
        drawn = document.figures[node["slug"]]
        return node | {"svg": standing_alone(drawn.narrow_svg if brief else drawn.svg, drawn.alt, _SERIF)}
    if node["kind"] == "pictures":
        pictures = [{"caption": picture["caption"]} for picture in node["pictures"]]
        return node | {"pictures": pictures, "svgs": [_picture(picture["png"], node) for picture in node["pictures"]]}
    return node


def _picture(png: str, node: Node) -> str:
    """A PNG inside an SVG: the way to hand typst a picture as text."""
    size = f'width="{node["width"]}" height="{node["height"]}"'
    smoothing = ' style="image-rendering: pixelated"' if node["small"] else ""
    image = f'<image {size}{smoothing} href="data:image/png;base64,{png}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{image}</svg>'


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)
