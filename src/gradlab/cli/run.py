"""`gradlab run`: prepares the folder and the settings of a run, then executes it."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import JSON, Flag, number, one_of, parse, positive_number, whole_number, word
from gradlab.cli.fields import Outline, outline
from gradlab.errors import UsageError
from gradlab.experiments import experiment_names, source_of

DESCRIPTION = "Runs an experiment with several seeds and writes a report. `gradlab list` shows the experiments."
FLAGS = (
    Flag(name="--quick", help="small settings, seconds on two cores, on data that needs no download"),
    Flag(name="--seeds", help="one replica each [0 1 2]", convert=whole_number, many=True, shown="SEED"),
    Flag(name="--out", help="the run's folder, new or empty [runs/EXPERIMENT/STARTED]", convert=word, shown="FOLDER"),
    Flag(name="--data-root", help="where datasets are [GRADLAB_DATA, else your cache]", convert=word, shown="FOLDER"),
    Flag(name="--offline", help="never download"),
    Flag(name="--device", help="cpu, cuda, mps [the fastest there is]", convert=word, shown="DEVICE"),
    Flag(
        name="--precision",
        help="of the arithmetic [float32]",
        convert=one_of(("float32", "float64", "bfloat16")),
        default="float32",
        shown="{float32,float64,bfloat16}",
    ),
    Flag(
        name="--together",
        help="how seeds run [auto]",
        convert=one_of(("auto", "processes", "stacked", "in a row")),
        default="auto",
        shown="{auto,processes,stacked,'in a row'}",
    ),
    Flag(name="--threads", help="threads of each process [1]", convert=positive_number, default=1, shown="N"),
    Flag(
        name="--save-seconds",
        help="shortest time between two saves of the training state [10]",
        convert=number,
        default=10.0,
        shown="SECONDS",
    ),
    Flag(name="--dry-run", help="show shapes, parameters, operations, memory, time and paths; train nothing"),
    Flag(name="--quiet", help="no progress, only the result"),
    JSON,
)


def main(words: Sequence[str]) -> int:
    """Parses the flags, makes the folder, and executes."""
    name = next((text for text in words if not text.startswith("-")), None)
    if name is None or (words and words[0] in ("-h", "--help")):
        positional = Flag(name="experiment", default="", help=", ".join(experiment_names()), convert=word)
        parse("run", DESCRIPTION, [positional, *FLAGS], words, epilog="Each experiment has flags of its own: "
              "gradlab run EXPERIMENT --help")  # fmt: skip
        raise UsageError(f"name an experiment: {', '.join(experiment_names())}")
    about = outline(source_of(name))
    rest = list(words)
    rest.remove(name)
    options = parse(f"run {name}", about.text, [*about.fields, *FLAGS], rest)
    changes = {flag.key: options[flag.key] for flag in about.fields if options[flag.key] is not None}
    seeds = options["seeds"] or (0, 1, 2)
    if len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise UsageError(f"--seeds must be different numbers of at least 0: got {' '.join(map(str, seeds))}")
    return _start(name, about, options, changes, seeds)


def _start(name: str, about: Outline, options: dict[str, Any], changes: dict[str, Any], seeds: tuple[int, ...]) -> int:
    from gradlab.records import new_run_folder, write_json

    settings = {
        "schema": 1,
        "experiment": name,
        "question": about.question,
        "command": _command(sys.argv),
        "quick": bool(options["quick"]),
        "changes": changes,
        "seeds": list(seeds),
        "together": options["together"],
        "device": options["device"],
        "precision": options["precision"],
        "threads": options["threads"],
        "save_seconds": options["save_seconds"],
        "data_root": options["data_root"],
        "offline": bool(options["offline"]),
    }
    out = Path(options["out"]) if options["out"] is not None else None
    if options["dry_run"]:
        from gradlab.cli.dry_run import dry_run

        return dry_run(settings, out, as_json=bool(options["json"]))
    folder = new_run_folder(out, name)
    from gradlab.cli.execute import complete_settings, execute

    try:
        settings = complete_settings(settings)
    except Exception:
        _remove_if_empty(folder.path, made=out is None)
        raise
    write_json(folder.path / "config.json", settings)
    shutil.copyfile(source_of(name), folder.path / "source.py")
    return execute(folder, quiet=bool(options["quiet"]) or bool(options["json"]), as_json=bool(options["json"]))


def _command(words: Sequence[str]) -> str:
    import shlex

    return shlex.join(["gradlab", *words[1:]])


def _remove_if_empty(path: Path, *, made: bool) -> None:
    """Takes back a folder that was made for a run that never started."""
    if made and path.is_dir() and not any(path.iterdir()):
        path.rmdir()
