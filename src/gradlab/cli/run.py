"""`gradlab run`: prepares the folder and the settings of a run, then executes it."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.cli.arguments import (
    FRAMING,
    JSON,
    Flag,
    duration,
    gigabytes,
    one_of,
    parse,
    positive_number,
    whole_number,
    word,
)
from gradlab.cli.fields import outline
from gradlab.cli.repeat import repeating
from gradlab.cli.together import refuse_several, together
from gradlab.errors import DataUnavailableError, InterruptedRunError, UsageError, unknown
from gradlab.experiments import GROUPS, experiment_names, source_of

if TYPE_CHECKING:
    from gradlab.records import RunFolder

DESCRIPTION = "Runs an experiment with several seeds and writes a report. `gradlab list` shows the experiments."
USUAL_SEEDS = (0, 1, 2)
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
        name="--compile",
        help="whether torch compiles the steps; auto: long trainings on a GPU [auto]",
        convert=one_of(("auto", "on", "off")),
        default="auto",
        shown="{auto,on,off}",
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
        convert=duration,
        default=10.0,
        shown="SECONDS",
    ),
    FRAMING,
    Flag(
        name="--image-memory",
        help="gigabytes of a folder's images kept in memory; larger folders stream [2]",
        convert=gigabytes,
        default=2.0,
        shown="GB",
    ),
    Flag(name="--dry-run", help="show shapes, parameters, operations, memory, time and paths; train nothing"),
    Flag(name="--quiet", help="no progress, only the result"),
    JSON,
)


def main(words: Sequence[str]) -> int:
    """Parses the flags, makes the folder, and executes one experiment or a group of them."""
    name = _name_among(words)
    if name is None:
        positional = Flag(name="experiment", default="", help=", ".join([*experiment_names(), *GROUPS]), convert=word)
        parse("run", DESCRIPTION, [positional, *FLAGS], words, epilog="Each experiment has flags of its own: "
              "gradlab run EXPERIMENT --help")  # fmt: skip
        raise UsageError(f"name an experiment: {', '.join(experiment_names())}")
    rest = list(words)
    rest.remove(name)
    if name in GROUPS:
        from gradlab.cli.group import run_group

        _refuse_flags_of_members(name, rest)
        text = f"Runs {', '.join(GROUPS[name])} and makes one report."
        return run_group(name, parse(f"run {name}", text, FLAGS, rest))
    about = outline(source_of(name))
    options = parse(f"run {name}", about.text, [*about.fields, *FLAGS], rest)
    changes = {flag.key: options[flag.key] for flag in about.fields if options[flag.key] is not None}
    settings = settings_of(name, about.question, options, changes)
    out = Path(options["out"]) if options["out"] is not None else None
    quiet, as_json = bool(options["quiet"] or options["json"]), bool(options["json"])
    if options["dry_run"]:
        from gradlab.cli.dry_run import dry_run

        refuse_several("--dry-run")
        return dry_run(settings, out, as_json=as_json)
    from gradlab.records import new_run_folder

    return together(lambda: begin(new_run_folder(out, name), settings, quiet=quiet, as_json=as_json))


def _refuse_flags_of_members(group: str, words: Sequence[str]) -> None:
    """Says who takes a flag that one of a group's experiments has, and the group has not.

    Raises:
        UsageError: there is such a flag among the words.
    """
    members = {member: _names_of_flags(outline(source_of(member)).fields) for member in GROUPS[group]}
    for flag in (each.partition("=")[0] for each in words):
        if taking := [member for member, names in members.items() if flag in names]:
            raise UsageError(
                f"{flag} is a flag of {', '.join(taking)}, and {group} runs each experiment by its own settings: "
                f"run one with it, as in `gradlab run {taking[0]} {flag} ...`"
            )


def _names_of_flags(flags: Sequence[Flag]) -> set[str]:
    """As they may be typed: those that switch something on may also switch it off."""
    off = {flag.name.replace("--", "--no-", 1) for flag in flags if flag.negatable}
    return off | {flag.name for flag in flags}


def settings_of(name: str, question: str, options: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """What `config.json` will hold, except for the parts that need torch.

    Raises:
        UsageError: the seeds repeat or are negative.
    """
    seeds = options["seeds"] or USUAL_SEEDS
    if len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise UsageError(f"--seeds must be different numbers of at least 0: got {' '.join(map(str, seeds))}")
    return {
        "schema": 1,
        "experiment": name,
        "question": question,
        "command": repeating(sys.argv[1:]),
        "quick": bool(options["quick"]),
        "changes": {key: _absolute(value) if key == "data" else value for key, value in changes.items()},
        "seeds": list(seeds),
        **{key: options[key] for key in ("together", "device", "precision", "threads", "save_seconds")},
        "compile": options.get("compile", "off"),  # a group begun by an older version has neither
        "framing": options.get("framing", FRAMING.default),
        "image_memory": options.get("image_memory", 2.0),
        "data_root": str(Path(options["data_root"]).resolve()) if options["data_root"] else None,
        "offline": bool(options["offline"]),
    }


def begin(folder: "RunFolder", settings: dict[str, Any], *, quiet: bool, as_json: bool) -> int:
    """Starts a run in its new folder; takes the folder back if the run cannot even start.

    Raises:
        GradlabError: whatever stopped it.
    """
    try:
        return _begin(folder, settings, quiet=quiet, as_json=as_json)
    except KeyboardInterrupt:
        if not folder.has("config"):  # there is nothing yet to go on with
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        raise InterruptedRunError(f"interrupted; go on with: gradlab resume {folder.path}", exit_code=130) from None


def _begin(folder: "RunFolder", settings: dict[str, Any], *, quiet: bool, as_json: bool) -> int:
    from gradlab.cli.execute import execute_held
    from gradlab.cli.settings import complete_settings
    from gradlab.records import write_atomically, write_json

    with folder.locked():
        if folder.has("config"):
            raise UsageError(f"--out {folder.path} was taken by another run at this moment: name a new one")
        try:
            settings = complete_settings(settings)
            write_json(folder.path / "config.json", settings)
            folder.seal(finished=False)
            write_atomically(folder.path / "source.py", source_of(settings["experiment"]).read_bytes())
            return execute_held(folder, quiet=quiet, as_json=as_json)
        except (UsageError, DataUnavailableError):
            if not folder.rows():
                shutil.rmtree(folder.path)  # it was new or empty, and holds nothing that anybody measured
            raise


def _name_among(words: Sequence[str]) -> str | None:
    """The experiment's name, which is the first word; None where help is asked for or nothing is."""
    if not words or words[0] in ("-h", "--help"):
        return None
    known = [*experiment_names(), *GROUPS]
    if words[0].startswith("-"):
        raise UsageError(f"name the experiment first: gradlab run EXPERIMENT {words[0]} ...")
    if words[0] not in known:
        if "".join(words[:2]) in known:
            raise UsageError(f"unknown experiment '{words[0]}': did you mean '{''.join(words[:2])}', as one word?")
        raise unknown("experiment", words[0], known, where="gradlab list")
    return words[0]


def _absolute(data: str) -> str:
    """A folder of pictures by its full path, so that a run can be resumed from anywhere.

    Raises:
        DataUnavailableError: there is none; said before anything is loaded or made.
    """
    kind, colon, path = data.partition(":")
    if kind != "folder" or not colon:
        return data
    if not path or not Path(path).is_dir():
        raise DataUnavailableError(f"--data {data}: there is no such folder; give one with a sub-folder for each class")
    return f"folder:{Path(path).resolve()}"
