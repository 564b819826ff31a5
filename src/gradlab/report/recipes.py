"""How each arm learned: what all arms share, and beside each other what they do not."""

from collections.abc import Iterator, Mapping
from typing import Any

from gradlab.report.blocks import Block, Facts, Table
from gradlab.report.wording import NOTHING, joined, metric_label, value_text

_UNTOLD = ("class", "name", "eps", "fused", "foreach")
"""Settings without a story: what stands before them already, and how the arithmetic is carried out."""


def recipe_of(about: Mapping[str, Any]) -> dict[str, str]:
    """What is known of one arm's recipe in words, from its entry in `environment.json`."""
    recipe = about.get("recipe", {})
    told = {
        "optimiser": _with_settings(recipe.get("optimizer", {}).get("class", ""), recipe.get("optimizer", {})),
        "schedule": recipe.get("schedule", "").replace("_", " "),
        "objective": _named(recipe.get("objective", {})),
        "epochs": _number(recipe.get("epochs")),
        "batch": _number(recipe.get("batch_size")),
        "inputs": "; ".join(_named(transform) for transform in recipe.get("inputs", [])),
        "gradients clipped at": _number(recipe.get("clip_norm")),
        "L1": _number(recipe.get("l1") or None),
        "weights kept": _selection(recipe),
        "stops after": f"{recipe['patience']} epochs without improvement" if recipe.get("patience") else "",
        "parameters": _number(about.get("parameters")),
        "seeds ran": str(about.get("way", "")),
        "trained once, for": about.get("taken_from") or "",
    }
    return {name: text for name, text in told.items() if text}


def recipe_blocks(recipes: Mapping[str, Mapping[str, str]]) -> list[Block]:
    """The facts that all arms share, and a table of what differs between them.

    Args:
        recipes: arm -> what `recipe_of` says of it.
    """
    names = list(dict.fromkeys(name for told in recipes.values() for name in told))
    shared = {
        name: found.pop() for name in names if len(found := {told.get(name, "") for told in recipes.values()}) < 2
    }
    differing = [name for name in names if name not in shared]
    return list(_blocks(recipes, shared, differing))


def _blocks(
    recipes: Mapping[str, Mapping[str, str]], shared: Mapping[str, str], differing: list[str]
) -> Iterator[Block]:
    if shared:
        yield Facts(list(shared.items()))
    if differing:
        alike: dict[tuple[str, ...], list[str]] = {}
        for arm, told in recipes.items():
            alike.setdefault(tuple(told.get(name, NOTHING) for name in differing), []).append(arm)
        rows = [("; ".join(arms), *cells) for cells, arms in alike.items()]
        yield Table(("arm", *differing), rows, "What differs between the arms.")


def _with_settings(name: str, settings: Mapping[str, Any]) -> str:
    kept = [f"{key.replace('_', ' ')} {_setting(value)}" for key, value in settings.items()
            if key not in _UNTOLD and value not in (None, False, 0)]  # fmt: skip
    return joined((name, ", ".join(kept)), ": ")


def _setting(value: object) -> str:
    return " and ".join(map(value_text, value)) if isinstance(value, list) else value_text(value)


def _named(described: Mapping[str, Any]) -> str:
    return _with_settings(metric_label(described.get("name", "")), described)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _selection(recipe: Mapping[str, Any]) -> str:
    if "select" not in recipe:
        return ""
    select = recipe["select"]
    if select is None:
        return "the last epoch's"
    return f"those of the epoch with the {select['best']} {metric_label(select['split'] + '_' + select['metric'])}"
