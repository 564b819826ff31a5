"""`gradlab run ... --dry-run`: the same code path on a handful of batches, nothing kept."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from gradlab import training
from gradlab.cli.settings import cautions, complete_settings, configured, load_experiment, make_run
from gradlab.explain import layer_table, training_memory
from gradlab.records.environment import available_cores
from gradlab.report.wording import counted
from gradlab.training.display import duration
from gradlab.training.processes import forking_works, waves_of

FORWARD = 1 / 3
"""What an image costs that is only looked at, as a share of one to learn from: the pass back takes two thirds."""
COUNTED = "with validation and test; what else is measured is not counted"


def dry_run(settings: dict[str, Any], out: Path | None, *, as_json: bool) -> int:
    """Prints what one experiment would take."""
    _warn(settings)
    folder = out or Path("runs") / settings["experiment"] / time.strftime("%Y-%m-%d_%H-%M-%S")
    document = {**estimate(settings), "folder": str(folder)}
    print(json.dumps(document, indent=2) if as_json else _as_text(document))
    return 0


def dry_run_group(name: str, members: list[dict[str, Any]], *, as_json: bool) -> int:
    """Prints what each experiment of a group would take, and all of them; `members` are their settings."""
    _warn(members[0])
    known: set[str] = set()
    documents = [estimate(settings, known) for settings in members]
    total = sum(document["estimated_seconds"] for document in documents)
    if as_json:
        print(json.dumps({"group": name, "experiments": documents, "estimated_seconds": total}, indent=2))
        return 0
    print(f"{name} (dry run, nothing is kept)")
    width = max(len(document["experiment"]) for document in documents)
    for document in documents:
        print(f"    {document['experiment'].ljust(width)} {_member_text(document)}")
    print(f"in all about {duration(total)} for {len(members[0]['seeds'])} seeds, {COUNTED}")
    print("layers and memory of one: gradlab run EXPERIMENT --dry-run")
    return 0


def _member_text(document: dict[str, Any]) -> str:
    arms = document["arms"]
    if not arms:
        return "it trains no network"
    taken = [arm for arm, about in arms.items() if not about["estimated_seconds"]]
    told = f"; not trained again: {', '.join(taken)}" if taken else ""
    return f"{counted(len(arms), 'arm')}, about {duration(document['estimated_seconds'])}{told}"


def estimate(settings: dict[str, Any], known: set[str] | None = None) -> dict[str, Any]:
    """Builds every arm and trains a few steps of one seed; returns shapes, operations, memory and seconds.

    Args:
        settings: of the run.
        known: the identities of trainings that its group makes before; an arm with one of them takes no time. Those of
            this run are added.
    """
    settings = complete_settings(settings)
    module = load_experiment(settings["experiment"])
    config = configured(module, settings)
    run = make_run(None, settings, dry=True, twins=None if known is None else ())
    run.seeds, run.together = run.seeds[:1], "in a row"
    for _row in module.run(config, run):
        pass
    arms = {}
    for arm, about in run.facts["arms"].items():
        arms[arm] = _arm(module, config, arm, about, run, settings)
        if known is not None:
            _count_once(arms[arm], about["identities"], known)
    return {
        "experiment": settings["experiment"],
        "config": settings["config"],
        "seeds": settings["seeds"],
        "device": settings["device"],
        "data": run.facts["data"],
        "arms": arms,
        "estimated_seconds": sum(arm["estimated_seconds"] for arm in arms.values()),
    }


def _warn(settings: dict[str, Any]) -> None:
    """Says on standard error why the times will be long."""
    for caution in cautions(settings):
        print(f"warning: {caution}", file=sys.stderr)


def _arm(
    module: Any, config: Any, arm: str, about: dict[str, Any], run: training.Run, settings: dict[str, Any]
) -> dict[str, Any]:
    shape, classes = run.facts["data"]["shape"], len(run.facts["data"]["classes"])
    layers = layer_table(module.network(config, arm, tuple(shape), classes), shape)
    recipe = about["recipe"]
    seeds = len(settings["seeds"])
    steps = recipe["epochs"] * recipe["steps_per_epoch"]
    at_once = _seeds_at_once(settings)
    computing = min(at_once, available_cores())  # a core that two processes share makes each of them half as fast
    return {
        "layers": [{"name": layer.name, "output": layer.output} for layer in layers],
        "parameters": about["parameters"],
        "operations_per_image": sum(layer.operations or 0 for layer in layers),
        "training_bytes": training_memory(layers, batch_size=recipe["batch_size"])
        * (seeds if settings["together"] == "stacked" else at_once),
        "epochs": recipe["epochs"],
        "batch_size": recipe["batch_size"],
        "steps": steps,
        "estimated_seconds": about["step_seconds"] * (steps + _steps_of_evaluation(about, run)) * seeds / computing,
    }


def _count_once(arm: dict[str, Any], identities: dict[int, str | None], known: set[str]) -> None:
    found = {identity for identity in identities.values() if identity}
    if found & known:
        arm["estimated_seconds"] = 0.0  # what was trained for another experiment is taken from there
    known |= found


def _steps_of_evaluation(about: dict[str, Any], run: training.Run) -> float:
    """How many steps take as long as it takes to measure after every epoch, and to test in the end."""
    sizes, recipe = run.facts["data"]["sizes"], about["recipe"]
    looked_at = sizes.get("test", 0) + recipe["epochs"] * sum(sizes.get(part, 0) for part in about["measured"])
    return FORWARD * looked_at / recipe["batch_size"]


def _seeds_at_once(settings: dict[str, Any]) -> int:
    """How many seeds train at a time: as many as there are processes; a stack is counted as one after the other."""
    apart = settings["device"] == "cpu" and settings["threads"] == 1 and settings["together"] in ("auto", "processes")
    return max(waves_of(len(settings["seeds"]), available_cores())) if apart and forking_works() else 1


def _data_text(data: dict[str, Any]) -> str:
    if not data:
        return "none"
    sizes = ", ".join(f"{part} {count:,}" for part, count in data["sizes"].items())
    return f"{data['name']}, {len(data['classes'])} classes, {'x'.join(map(str, data['shape']))}; {sizes}"


def _arm_text(name: str, arm: dict[str, Any]) -> str:
    return (
        f"{name}: {arm['parameters']:,} parameters, {arm['operations_per_image']:,} operations an image, "
        f"{counted(arm['epochs'], 'epoch')} at {arm['batch_size']} a step, {arm['steps']:,} steps, "
        f"at least {arm['training_bytes'] / 1e6:,.0f} MB, about {duration(arm['estimated_seconds'])}"
    )


def _as_text(document: dict[str, Any]) -> str:
    lines = [
        f"{document['experiment']} (dry run, nothing is kept)",
        f"data:     {_data_text(document['data'])}",
        f"settings: {', '.join(f'{name}={value}' for name, value in document['config'].items())}",
    ]
    for name, arm in document["arms"].items():
        lines.append(f"layers of {name}:")
        lines += [f"    {layer['name']:<20} {layer['output']}" for layer in arm["layers"]]
    lines += [_arm_text(name, arm) for name, arm in document["arms"].items()]
    total = duration(document["estimated_seconds"])
    whole = f"in all about {total} for {len(document['seeds'])} seeds, {COUNTED}"
    lines += [whole if document["arms"] else "it trains no network", f"folder: {document['folder']}"]
    return "\n".join(lines)
