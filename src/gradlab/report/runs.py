"""A run's folder as a page: the experiment's blocks, and everything else from the records beside them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gradlab.records import RunFolder
from gradlab.report.blocks import Block
from gradlab.report.page import Page
from gradlab.report.recipes import recipe_of
from gradlab.report.wording import counted, joined

QUICK = "A quick run: small settings on small data, which settle nothing."
_REPORT = ("report.html", "report.pdf", "figures")
"""What a report writes itself: naming it among the files would make a second report differ from the first."""


def page_of_run(run: RunFolder, blocks: Sequence[Block]) -> Page:
    """Returns the page of a finished run.

    Args:
        run: a folder with `config.json`, `environment.json` and `results.json`.
        blocks: what the experiment shows.

    Raises:
        FileError: one of these files is missing or damaged.
    """
    settings, environment = run.document("config"), run.document("environment")
    return Page(
        title=str(settings["experiment"]),
        question=joined((str(settings.get("question", "")), QUICK if settings.get("quick") else ""), " "),
        blocks=blocks,
        results=run.document("results"),
        command=str(settings.get("command", "")),
        config=settings.get("config", {}),
        changed=tuple(settings.get("changes", {})),
        environment=_environment(settings, environment),
        recipes={arm: recipe_of(about) for arm, about in environment.get("arms", {}).items()},
        data=_data(environment.get("data", {})),
        files=tuple(_files(run.path)),
    )


def _environment(settings: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    """The environment in an order for readers, how the seeds of each arm ran, and whether steps were compiled."""
    ways, compiled = {}, {}
    for arm, about in environment.get("arms", {}).items():
        ways[arm] = f"{about.get('way', '')}: {about['why']}" if about.get("why") else str(about.get("way", ""))
        if about.get("compiled"):
            compiled[arm] = about["compiled"]
    told = _shared("seeds", "ran", ways) | _shared("steps", "compiled", compiled)
    settled = {"settings": "quick" if settings.get("quick") else "usual"}
    rest = {name: value for name, value in environment.items() if name not in ("arms", "data")}
    return settled | told | rest


def _shared(what: str, happened: str, of_arms: Mapping[str, str]) -> dict[str, str]:
    """What the arms have in common under one name, else each under the names of its arms."""
    arms_of: dict[str, list[str]] = {}
    for arm, told in of_arms.items():
        arms_of.setdefault(told, []).append(arm)
    if len(arms_of) == 1:
        return {f"{what} {happened}": next(iter(arms_of))}
    return {f"{what} of {', '.join(arms)} {happened}": told for told, arms in arms_of.items()}


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {name: data[name] for name in ("name", "sha256") if data.get(name)}
    if data.get("sizes"):
        told[str(data.get("kind", "images"))] = ", ".join(f"{count:,} {part}" for part, count in data["sizes"].items())
    if data.get("shape"):
        told["shape"] = " × ".join(map(str, data["shape"]))
    if data.get("framing"):
        told["framing"] = data["framing"]
    if data.get("classes"):
        told["classes"] = len(data["classes"])
    return told


def _files(folder: Path) -> Iterator[str]:
    """The folder's files, and its folders with how many files each holds."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _REPORT:
            continue
        if path.is_file():
            yield path.name
        elif count := sum(inner.is_file() for inner in path.rglob("*")):
            yield f"{path.name}/ ({counted(count, 'file')})"
