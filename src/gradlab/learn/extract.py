"""Pieces of a source text that stand alone: definitions with everything they need, in the order of the text."""

import ast
from collections.abc import Iterable

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# TODO: write this piece", "raise NotImplementedError")


def closure(text: str, names: Iterable[str]) -> str:
    """Returns the source of the named top-level definitions and of every top-level one that they use.

    Imports come first and name only what is used. Where a name is bound twice, the later binding counts.

    Args:
        text: a Python source.
        names: what is wanted; names that the text does not bind (builtins) are left out.

    Raises:
        SyntaxError: the text is not Python.
    """
    lines = text.splitlines()
    bound = {name: node for node in ast.parse(text).body for name in bound_names(node)}
    wanted: set[str] = set()
    waiting = [name for name in names if name in bound]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            used = () if isinstance(bound[name], ast.Import | ast.ImportFrom) else _used(bound[name])
            waiting += [other for other in used if other in bound]
    nodes = sorted({bound[name] for name in wanted}, key=lambda node: node.lineno)
    imports = [_kept(node, wanted) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    pieces = [_segment(lines, node) for node in nodes if not isinstance(node, ast.Import | ast.ImportFrom)]
    head = ["\n".join(imports)] if imports else []
    return "\n\n\n".join(head + pieces) + "\n"


def bound_names(node: ast.stmt) -> list[str]:
    """The names that a top-level statement binds: a definition's, an import's, an assignment's."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [_alias(alias) for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def asked_names(text: str) -> tuple[str, ...]:
    """The top-level definitions that hold a solution between the markers, first to last."""
    lines = text.splitlines()
    definitions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return tuple(node.name for node in definitions if BEGIN in _segment(lines, node))


def without_solution(text: str) -> str:
    """The text with every marked solution replaced by a TODO."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        if BEGIN in line:
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + stub for stub in STUB]
            inside = True
        elif END in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept) + "\n"


def without_markers(text: str) -> str:
    """The text with its solutions, but without the markers around them."""
    return "\n".join(line for line in text.splitlines() if BEGIN not in line and END not in line) + "\n"


def _alias(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _used(node: ast.stmt) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _kept(node: ast.Import | ast.ImportFrom, wanted: set[str]) -> str:
    names = [alias for alias in node.names if _alias(alias) in wanted]
    return ast.unparse(
        ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, names, node.level)
    )


def _segment(lines: list[str], node: ast.stmt) -> str:
    """The lines of a statement, with its decorators and the comments that end its body."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    last = node.end_lineno or node.lineno
    while last < len(lines) and lines[last].startswith(" ") and lines[last].lstrip().startswith("#"):
        last += 1
    return "\n".join(lines[first - 1 : last])
