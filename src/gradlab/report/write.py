"""Writes a report's files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gradlab.errors import FileError
from gradlab.records import write_atomically
from gradlab.report.page import Page

if TYPE_CHECKING:
    from gradlab.report.blocks import Figure
    from gradlab.report.compose import Document


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """Where a report's files lie."""

    html: Path
    pdf: Path
    figures: tuple[Path, ...]
    """SVG, PNG and CSV of every figure."""


def write_report(pages: Sequence[Page], folder: Path, title: str = "") -> ReportPaths:
    """Writes `report.html`, `report.pdf` and `figures/<slug>.{svg,png,csv}` into a folder, each whole or not at all.

    The same pages give the same bytes.

    Args:
        pages: one for each experiment.
        folder: made where it is missing.
        title: the report's title; the page's own where there is one page.

    Raises:
        FileError: the folder cannot be made or written.
    """
    # matplotlib and typst take longer to import than most commands that import this room take to run.
    from gradlab.report.compose import compose
    from gradlab.report.html import as_html
    from gradlab.report.pdf import as_pdf

    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"cannot write a report to {folder}: {error.strerror or error}; choose another folder"
        ) from error
    document = compose(pages, title)
    figures = _write_figures(document, folder / "figures")
    html, pdf = folder / "report.html", folder / "report.pdf"
    write_atomically(html, as_html(document).encode())
    write_atomically(pdf, as_pdf(document))
    return ReportPaths(html, pdf, figures)


def figure_png(figure: "Figure", scale: float = 1.0) -> bytes:
    """A figure that is not empty as a picture on white, `scale` dots a pixel, for places that take no drawing."""
    from gradlab.report.figures import figure_sheet
    from gradlab.report.palette import LIGHT
    from gradlab.report.sheet import WIDE, as_png, drawing

    with drawing():
        return as_png(figure_sheet(figure, WIDE, LIGHT.tokens()), scale)


def _write_figures(document: "Document", folder: Path) -> tuple[Path, ...]:
    from gradlab.report.sheet import standing_alone

    written = []
    for name, drawn in document.figures.items():
        contents = {"svg": standing_alone(drawn.svg, drawn.alt).encode(), "png": drawn.png, "csv": drawn.csv.encode()}
        for extension, content in contents.items():
            path = folder / f"{name}.{extension}"
            write_atomically(path, content)
            written.append(path)
    return tuple(written)
