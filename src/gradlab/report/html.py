"""The report as one HTML file that loads nothing from anywhere."""

import base64
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from gradlab.report.compose import Document, Drawn
from gradlab.report.palette import DARK, LIGHT, Theme
from gradlab.report.sheet import inlined


def as_html(document: Document) -> str:
    """Returns the whole page: styles, figures and pictures inside, light and dark, fit for phone, screen and paper."""
    return _template().render(
        document=document,
        drawings={name: _drawing(drawn) for name, drawn in document.figures.items()},
        csv={name: base64.b64encode(drawn.csv.encode()).decode() for name, drawn in document.figures.items()},
        light=_variables(LIGHT),
        dark=_variables(DARK),
        style=Markup(_file("report.css")),
    )


def _drawing(drawn: Drawn) -> Markup:
    """Both widths of a figure; the style sheet shows the one that fits and hides the other from every reader."""
    wide = inlined(drawn.svg, f"{drawn.slug}-w", drawn.alt, "chart wide")
    if not drawn.narrow_svg:
        return Markup(wide)
    return Markup(wide + inlined(drawn.narrow_svg, f"{drawn.slug}-n", drawn.alt, "chart narrow"))


def _variables(theme: Theme) -> Markup:
    return Markup("; ".join(f"--{name}: {colour}" for name, colour in theme.tokens().items()) + ";")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(_file("report.html.jinja"))


def _file(name: str) -> str:
    return (resources.files("gradlab.report") / name).read_text(encoding="utf-8")
