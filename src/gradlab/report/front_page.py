"""What stands before the chapters of a report of several experiments: their answers, and what they have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gradlab.report.blocks import Answer, Block, Code, Facts, Heading, Text
from gradlab.report.page import Page, fact_pairs
from gradlab.report.wording import counted, duration, seed_list

OF_THE_MACHINE = (
    "python", "packages", "system", "processor", "instructions", "cores", "memory_bytes", "device", "device_name",
    "precision", "compile", "threads",
)  # fmt: skip
"""What of the environment is told once where it is the same for all chapters."""


def with_front_page(pages: Sequence[Page], command: str) -> list[Page]:
    """A first page with each chapter's answer, then the chapters, without what the first page says for all of them.

    Args:
        pages: of finished runs, at least one.
        command: what repeats all of them.
    """
    shared = {name: value for name, value in _environment(pages[0]).items() if _is_shared(name, value, pages)}
    seconds = sum(page.results.get("seconds", 0.0) for page in pages)
    blocks: list[Block] = []
    for page in pages:
        blocks += [Heading(page.title), Answer(_answer(page)), Text(_in_short(page))]
    blocks += [Heading("How to repeat it"), Code(command)]
    if len({_seeds(page) for page in pages}) > 1:
        blocks.append(
            Text("The experiments do not all have the same seeds: each chapter names the command with its own.")
        )
    blocks += [Facts(fact_pairs(shared), "Environment of all")]
    front = Page(
        title="Answers at a glance",
        question=f"{counted(len(pages), 'experiment')}, {duration(seconds)} in all",
        blocks=blocks,
        brief=True,
    )
    return [front, *(replace(page, environment=_without(shared, _environment(page))) for page in pages)]


def _environment(page: Page) -> Mapping[str, Any]:
    return page.environment or page.results.get("environment", {})


def _is_shared(name: str, value: object, pages: Sequence[Page]) -> bool:
    return name in OF_THE_MACHINE and all(_environment(page).get(name) == value for page in pages)


def _without(shared: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in environment.items() if name not in shared}


def _answer(page: Page) -> str:
    told = [block.text for block in page.blocks if isinstance(block, Answer)]
    return " ".join(told) or "No answer: see its chapter."


def _in_short(page: Page) -> str:
    """On what, with which seeds and for how long, such as "cifar10; seeds 0 to 2; 16 min 18 s"."""
    seeds = _seeds(page)
    seconds = page.results.get("seconds")
    told = [page.data.get("name"), seeds and f"seeds {seeds}", None if seconds is None else duration(seconds)]
    return "; ".join(str(each) for each in told if each)


def _seeds(page: Page) -> str:
    of_arms = {tuple(arm["seeds"]) for arm in page.results.get("arms", {}).values()}
    return " or ".join(seed_list(each) for each in sorted(of_arms))
