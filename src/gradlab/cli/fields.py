"""An experiment's `Config` as flags, read from its source text, so that a typo is refused before torch is imported."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import Convert, Flag, number, one_of, positive_number, whole_number, word

BASES: dict[str, Convert] = {"int": whole_number, "float": number, "str": word}
COUNTS = ("epochs", "window")  # fields of which every experiment needs at least one


@dataclass(frozen=True, slots=True)
class Outline:
    """What an experiment's source says about it.

    Args:
        question: the first line of its docstring.
        text: the whole docstring.
        fields: the flags of its `Config`, defaults included.
    """

    question: str
    text: str
    fields: tuple[Flag, ...]


def outline(source: Path) -> Outline:
    """Reads an experiment's docstring and `Config` without running it."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    body = classes["Config"].body if "Config" in classes else []
    return Outline(text.partition("\n")[0], text, tuple(_fields(body)))


def _fields(body: list[ast.stmt]) -> list[Flag]:
    flags = []
    for position, node in enumerate(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            described = body[position + 1] if position + 1 < len(body) else None
            flags.append(_flag(node.target.id, node.annotation, ast.literal_eval(node.value), _string(described)))
    return flags


def _flag(name: str, annotation: ast.expr, default: Any, described: str) -> Flag:
    kind, many = _kind(annotation)
    flag = "--" + name.replace("_", "-")
    if kind == "bool":
        return Flag(name=flag, help=_help(described, default), negatable=True)
    convert = one_of(kind) if isinstance(kind, tuple) else BASES[kind]
    if kind == "int" and (name in COUNTS or name.endswith("_size")):
        convert = positive_number
    shown = "{" + ",".join(kind) + "}" if isinstance(kind, tuple) else kind.upper()
    if isinstance(kind, tuple) and many:  # a usage line says each name twice: there a list is told in the help alone
        shown, described = name.removesuffix("s").upper(), f"{described}: any of {', '.join(kind)}"
    named = isinstance(kind, tuple) or kind == "str"  # arms, which would only be one; layers may be equally wide
    return Flag(
        name=flag, help=_help(described, default), convert=convert, many=many, distinct=many and named, shown=shown
    )


def _kind(annotation: ast.expr) -> tuple[str | tuple[str, ...], bool]:
    """The base type's name or the words of a Literal, and whether there can be several."""
    if isinstance(annotation, ast.BinOp):  # X | None
        return _kind(annotation.left)
    if isinstance(annotation, ast.Name):
        return annotation.id, False
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        inside = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        if annotation.value.id == "Literal":
            return tuple(str(ast.literal_eval(element)) for element in inside), False
        if annotation.value.id == "tuple":
            return _kind(inside[0])[0], True
    raise TypeError(f"a Config field cannot have the type {ast.unparse(annotation)}")


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return ""


def _help(described: str, default: Any) -> str:
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    return f"{described} [{shown}]"
