"""Executing a run whose folder holds its settings: the first time and whenever it is resumed."""

import dataclasses
import importlib
import json
import time
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from gradlab import training
from gradlab.data import show_progress
from gradlab.errors import InterruptedRunError, UsageError
from gradlab.records import RowJournal, RunFolder, describe_environment, write_json
from gradlab.report import ReportPaths, page_of_run, results, terminal_summary, write_report
from gradlab.training.board import Board
from gradlab.training.display import Display, duration


def complete_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with the device chosen and the whole configuration written out.

    Raises:
        UsageError: the device is not there or a value is impossible.
    """
    module = load_experiment(settings["experiment"])
    config = configured(module, settings)
    return {**settings, "device": choose_device(settings["device"]), "config": dataclasses.asdict(config)}


def load_experiment(name: str) -> ModuleType:
    """The module of an experiment."""
    return importlib.import_module(f"gradlab.experiments.{name}")


def configured(module: ModuleType, settings: dict[str, Any]) -> Any:
    """The experiment's `Config`: its quick or its usual one, with the changes that the command asked for."""
    base = module.QUICK if settings["quick"] else module.Config()
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in settings["changes"].items()}
    return dataclasses.replace(base, **changes)


def choose_device(asked: str | None) -> str:
    """The device asked for if it is there, else the fastest one there is.

    Raises:
        UsageError: the device asked for is unknown or not there.
    """
    if asked is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(asked).type
    except RuntimeError:
        raise UsageError(f"unknown device '{asked}': known are cpu, cuda, cuda:N and mps") from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind, False):
        raise UsageError(f"--device {asked} is not there: use --device cpu, or see `gradlab doctor`")
    return asked


def execute(folder: RunFolder, *, quiet: bool, as_json: bool) -> int:
    """Runs or resumes; returns the exit code.

    Raises:
        GradlabError: whatever stopped it; its state is saved.
    """
    settings = folder.document("config")
    display = Display(seeds=len(settings["seeds"]), quiet=quiet)
    stop = training.Stop()
    with folder.locked(), stop.listening(), warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_rest, **_more: display.say(f"warning: {message}")
        try:
            code = _execute(folder, settings, display, stop, as_json=as_json)
        except InterruptedRunError as error:
            display.wipe()
            message = f"{error}; what was trained is saved: gradlab resume {folder.path}"
            raise InterruptedRunError(message, exit_code=error.exit_code) from error
        except Exception:
            display.wipe()
            raise
    return code


def make_run(folder: RunFolder | None, settings: dict[str, Any], **place: Any) -> training.Run:
    """The `Run` that a run's settings describe."""
    return training.Run(
        seeds=tuple(settings["seeds"]),
        together=settings["together"],
        place=training.Place(
            device=settings["device"], precision=settings["precision"], threads=settings["threads"], **place
        ),
        folder=folder,
        data_root=Path(settings["data_root"]) if settings["data_root"] else None,
        offline=settings["offline"],
    )


def _execute(
    folder: RunFolder, settings: dict[str, Any], display: Display, stop: training.Stop, *, as_json: bool
) -> int:
    module = load_experiment(settings["experiment"])
    config = configured(module, settings)
    run = make_run(
        folder,
        settings,
        state=folder.state,
        save_seconds=settings["save_seconds"],
        stop=stop,
        report=display.progress,
    )
    run.board = Board(folder.board)
    run.download_progress = None if display.quiet else show_progress
    _announce(settings, folder, display)
    begin = time.perf_counter()
    journal = RowJournal(folder.rows_path)
    try:
        for row in module.run(config, run):
            journal.add(row)
            run.board.add(row)
            display.row(row)
    finally:
        run.board.close()
    unreproduced = journal.finish()
    facts = run.facts
    exact = unreproduced == 0 and all(arm["exact"] for arm in facts["arms"].values())
    if not exact:
        display.say(
            f"warning: not an exact resume: {unreproduced} earlier rows did not come again, or versions changed"
        )
    environment = describe_environment(
        device=settings["device"],
        device_name=_device_name(settings["device"]),
        precision=settings["precision"],
        threads=settings["threads"],
        exact=exact,
        data=facts["data"],
        arms=facts["arms"],
    )
    write_json(folder.path / "environment.json", environment)
    trained = sum(arm["seconds"] for arm in facts["arms"].values())
    seconds = max(trained, time.perf_counter() - begin)
    document = results(
        journal.rows,
        experiment=settings["experiment"],
        command=settings["command"],
        environment=environment,
        seconds=round(seconds, 3),
        parameters={arm: about["parameters"] for arm, about in facts["arms"].items()},
    )
    write_json(folder.path / "results.json", document)
    paths = write_report([page_of_run(folder, module.page(folder))], folder.path)
    display.wipe()
    _finish(folder, document, paths, settings, as_json=as_json)
    return 1 if any(arm["diverged"] for arm in facts["arms"].values()) else 0


def _announce(settings: dict[str, Any], folder: RunFolder, display: Display) -> None:
    seeds = settings["seeds"]
    count = "1 seed" if len(seeds) == 1 else f"{len(seeds)} seeds"
    threads = settings["threads"]
    display.say(f"{settings['experiment']}: {settings['question']}")
    display.say(
        f"{count}, {settings['device']}, {settings['precision']}, {threads} thread{'s' * (threads > 1)} a process"
    )
    display.say(f"folder: {folder.path}")
    warning = training.oversubscribed(min(len(seeds), 2), threads)
    if warning:
        display.say(f"warning: {warning}")


def _finish(
    folder: RunFolder, document: dict[str, Any], paths: ReportPaths, settings: dict[str, Any], *, as_json: bool
) -> None:
    if as_json:
        print(json.dumps({**document, "folder": str(folder.path), "report": str(paths.html)}, indent=2))
        return
    print(terminal_summary(document))
    print()
    print(f"report:      {paths.html}" + (f" and {paths.pdf}" if paths.pdf else ""))
    print(f"results:     {folder.path / 'results.json'}")
    print(f"TensorBoard: tensorboard --logdir {folder.board}")
    print(f"{settings['experiment']} took {duration(document['seconds'])}")


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device
