"""Puts the documentation's pages together under build/site: those of docs/, and the reference made from docstrings.

Run: `python -m tools.site`, then `mkdocs build --strict` (`make docs` does both).
"""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE, BUILT = ROOT / "src" / "gradlab", ROOT / "build" / "site"
ROOMS = ("data", "augment", "models", "nn", "equivariance", "objectives", "optim", "training", "evaluation", "explain",
         "learn", "stats", "report", "records")  # fmt: skip
WIDTH = 80
Definition = ast.FunctionDef | ast.ClassDef


def reference_page(room: str) -> str:
    """The page of a room: its docstring, then everything public with its signature and docstring."""
    face = ast.parse((SOURCE / room / "__init__.py").read_text())
    parts = [f"# gradlab.{room}", ast.get_docstring(face) or ""]
    for name, node in sorted(public(room, face), key=lambda found: found[0].lower()):
        parts += [f"## {name}", f"```text\n{signature(node)}\n```", told(node)]
        if isinstance(node, ast.ClassDef):
            parts += [f"**{method.name}**: {told(method)}" for method in methods(node)]
    return "\n\n".join(parts) + "\n"


def public(room: str, face: ast.Module) -> Iterator[tuple[str, Definition]]:
    """The functions and classes that a room's face imports, with their definitions."""
    for statement in ast.walk(face):
        if not isinstance(statement, ast.ImportFrom) or statement.module is None:
            continue
        path = ROOT / "src" / Path(*statement.module.split(".")).with_suffix(".py")
        if not path.is_file():
            continue
        defined = {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, Definition)}
        for alias in statement.names:
            if alias.name in defined and not alias.name.startswith("_"):
                yield alias.asname or alias.name, defined[alias.name]


def signature(node: Definition) -> str:
    """How it is called, as the source writes it, without the body."""
    if isinstance(node, ast.FunctionDef):
        return _call(node.name, node)
    initializer = next((part for part in node.body if _is_method(part, "__init__")), None)
    if initializer is not None:
        return _call(node.name, initializer).replace("self, ", "").replace("(self)", "()").removesuffix(" -> None")
    fields = [ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign)]
    call = f"{node.name}({', '.join(fields)})"
    return call if len(call) <= WIDTH else f"{node.name}(\n" + "".join(f"    {field},\n" for field in fields) + ")"


def methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """The public methods and properties of a class that have a docstring."""
    functions = [part for part in node.body if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")]
    return [function for function in functions if ast.get_docstring(function)]


def told(node: Definition) -> str:
    """A docstring as Markdown: sections become bold, their entries a list."""
    text = ast.get_docstring(node) or ""
    text = re.sub(r"^(Args|Returns|Raises|Yields|Attributes):$", r"\n**\1**\n", text, flags=re.MULTILINE)
    text = re.sub(r"^    (\w[\w.]*): ", r"- `\1`: ", text, flags=re.MULTILINE)
    return text.replace("<", "&lt;")


def _call(name: str, node: ast.FunctionDef) -> str:
    """A call on one line, or with an argument a line where that is too long for a page."""
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    call = f"{name}({ast.unparse(node.args)}){returned}"
    if len(call) <= WIDTH:
        return call
    lines = "".join(f"    {argument},\n" for argument in _arguments(node.args))
    return f"{name}(\n{lines}){returned}"


def _arguments(given: ast.arguments) -> Iterator[str]:
    for argument, default in zip(
        given.args, [None] * (len(given.args) - len(given.defaults)) + given.defaults, strict=True
    ):
        if argument.arg != "self":
            yield ast.unparse(argument) + (f" = {ast.unparse(default)}" if default else "")
    if given.vararg or given.kwonlyargs:
        yield f"*{ast.unparse(given.vararg)}" if given.vararg else "*"
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield ast.unparse(argument) + (f" = {ast.unparse(default)}" if default else "")


def _is_method(part: ast.stmt, name: str) -> bool:
    return isinstance(part, ast.FunctionDef) and part.name == name


def main() -> None:
    shutil.rmtree(BUILT, ignore_errors=True)
    shutil.copytree(ROOT / "docs", BUILT)
    (BUILT / "decisions" / "README.md").rename(BUILT / "decisions" / "index.md")
    (BUILT / "reference").mkdir()
    for room in ROOMS:
        (BUILT / "reference" / f"{room}.md").write_text(reference_page(room))
    print(BUILT)


if __name__ == "__main__":
    main()
