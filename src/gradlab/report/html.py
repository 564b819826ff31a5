"""The report as one HTML file that loads nothing from anywhere."""

import base64
import re
from functools import cache
from html import escape
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
    wide = _pointed(inlined(drawn.svg, f"{drawn.slug}-w", drawn.alt, "chart wide"), f"{drawn.slug}-w", drawn)
    if not drawn.narrow_svg:
        return Markup(wide)
    narrow = inlined(drawn.narrow_svg, f"{drawn.slug}-n", drawn.alt, "chart narrow")
    told = '<output class="told" hidden></output>' if drawn.parts else ""
    return Markup(wide + _pointed(narrow, f"{drawn.slug}-n", drawn) + told)


def _pointed(svg: str, prefix: str, drawn: Drawn) -> str:
    """The drawing with its parts as links: reached by pointer, touch and keyboard, named for readers."""
    for name, tip, anchor in drawn.parts:
        target = f'href="#{escape(anchor)}" ' if anchor else 'tabindex="0" '
        opened = f'<a {target}class="part" aria-label="{escape(tip)}"><title>{escape(tip)}</title>'
        svg = re.sub(rf'<g id="{re.escape(prefix)}-{name}">(.*?)</g>', rf"{_literal(opened)}\1</a>", svg, count=1)
    # Links inside a picture are hidden from readers; inside a group they are not.
    return svg.replace('role="img"', 'role="group"', 1) if drawn.parts else svg


def _literal(text: str) -> str:
    """Text that stands for itself in what a regular expression puts in."""
    return text.replace("\\", r"\\")


def _variables(theme: Theme) -> Markup:
    return Markup("; ".join(f"--{name}: {colour}" for name, colour in theme.tokens().items()) + ";")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(_file("report.html.jinja"))


def _file(name: str) -> str:
    return (resources.files("gradlab.report") / name).read_text(encoding="utf-8")
