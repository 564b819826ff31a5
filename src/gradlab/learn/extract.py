"""Pieces of a source text that stand alone: definitions with everything they need, in the order of the text."""

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# TODO: write this piece", "raise NotImplementedError")
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
REPLACING = DEFINITIONS | ast.ImportFrom | ast.Assign
"""statements after which nothing is left of what a name was; what they use of it is asked for by itself"""
OTHER_SCOPES = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")
"""functions to Python that run at once"""


def closure(text: str, names: Iterable[str]) -> str:
    """Returns the source of the named top-level definitions and of every top-level one that they use.

    Imports come first and name only what is used. Where a name is bound twice, the later binding counts, and the
    earlier ones as well where the later needs them.

    Args:
        text: a Python source.
        names: what is wanted; names that the text does not bind (builtins) are left out.

    Raises:
        SyntaxError: the text is not Python.
    """
    lines = text.splitlines()
    body = ast.parse(text).body
    bound = [bound_names(node) for node in body]
    kept: dict[int, ast.stmt] = {}
    asked: set[tuple[str, int]] = set()
    waiting = [(name, len(body)) for name in names]
    while waiting:
        name, before = waiting.pop()
        if (name, before) in asked:
            continue
        asked.add((name, before))
        for place in _bindings(body[:before], bound, name):
            if place not in kept:
                kept[place] = body[place]
                at_once, when_called = _used(lines, body[place])
                waiting += [(other, place) for other in at_once] + [(other, len(body)) for other in when_called]
    wanted = {name for name, _ in asked}
    if wanted.difference(dir(builtins), *bound):  # a star import may give the rest
        wanted.add("*")
        kept.update({place: node for place, node in enumerate(body) if "*" in bound[place]})
    nodes = [kept[place] for place in sorted(kept)]
    imports = [_kept(node, wanted) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    pieces = [_segment(lines, node) for node in nodes if not isinstance(node, ast.Import | ast.ImportFrom)]
    head = ["\n".join(dict.fromkeys(imports))] if imports else []
    return "\n\n\n".join(head + pieces) + "\n"


def bound_names(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement binds, at any depth but that of functions and classes."""
    found: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:  # no recursion: an expression may be nested more deeply than calls may
        node = waiting.pop()
        if isinstance(node, DEFINITIONS):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(_alias(alias) for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif not isinstance(node, OTHER_SCOPES):
            waiting += ast.iter_child_nodes(node)
    return found


def asked_names(text: str) -> tuple[str, ...]:
    """The top-level definitions that hold a solution between the markers, first to last."""
    lines = text.splitlines()
    definitions = [node for node in ast.parse(text).body if isinstance(node, DEFINITIONS)]
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


def _bindings(body: list[ast.stmt], bound: list[set[str]], name: str) -> Iterator[int]:
    """The places of the statements that make a name what it is after `body`, the last first."""
    for place in reversed(range(len(body))):
        if name in bound[place]:
            yield place
            if isinstance(body[place], REPLACING):
                return


def _used(lines: list[str], node: ast.stmt) -> tuple[set[str], set[str]]:
    """The top-level names that a statement uses: those it needs when it runs, and those of its functions' bodies."""
    found: tuple[set[str], set[str]] = (set(), set())
    if isinstance(node, ast.Import | ast.ImportFrom):
        return found
    waiting = [(symtable.symtable(_segment(lines, node), "statement", "exec"), False)]
    while waiting:
        table, later = waiting.pop()
        later = later or (table.get_type() == "function" and table.get_name() not in COMPREHENSIONS)
        top = table.get_type() == "module"
        found[later].update(
            s.get_name() for s in table.get_symbols() if s.is_global() and (s.is_referenced() or not top)
        )
        waiting += [(child, later) for child in table.get_children()]
    return found


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
