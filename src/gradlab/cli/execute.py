"""Executing a run whose folder holds its settings: the first time and whenever it is resumed."""

import contextlib
import json
import shlex
import time
import traceback
import warnings
from typing import Any

import torch

from gradlab import training
from gradlab.cli.settings import cautions, checked_settings, configured, load_experiment, make_run
from gradlab.cli.together import ranks_of
from gradlab.data import show_progress
from gradlab.errors import (
    DataUnavailableError,
    DivergedError,
    FileError,
    GradlabError,
    InterruptedRunError,
    UsageError,
)
from gradlab.records import RowJournal, RunFolder, forget, seconds_told, take_back
from gradlab.report import (
    Answer,
    Page,
    ReportPaths,
    page_of_run,
    terminal_summary,
    wrapped,
    write_documents,
    write_report,
)
from gradlab.training.board import Board
from gradlab.training.display import Display, duration
from gradlab.training.run import NOT_EXACT


def execute(folder: RunFolder, *, quiet: bool, as_json: bool) -> int:
    """Resumes a run; returns the exit code.

    Raises:
        GradlabError: whatever stopped it; its state is saved.
    """
    with folder.locked():
        return execute_held(folder, quiet=quiet, as_json=as_json)


def execute_held(folder: RunFolder, *, quiet: bool, as_json: bool) -> int:
    """Runs or resumes in a folder that this process holds already; see `execute`."""
    settings = checked_settings(folder.document("config"))
    training.keep_freed_memory()
    torch.set_num_threads(settings["threads"])  # for everything: what is evaluated must not depend on the cores
    display = Display(seeds=len(settings["seeds"]), quiet=quiet)
    stop = training.Stop()
    with stop.listening(), warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_rest, **_more: display.warn(str(message))
        folder.seal(finished=False)  # of what follows, everything may be written anew
        try:
            code = _execute(folder, settings, display, stop, as_json=as_json)
        except InterruptedRunError as error:
            display.wipe()
            message = f"{error}; what was trained is saved: gradlab resume {folder.path}"
            raise InterruptedRunError(message, exit_code=error.exit_code) from error
        except Exception as error:
            display.wipe()
            taken_back = "; the run is finished as it was before" if take_back(folder) else ""
            if taken_back and type(error) in (UsageError, FileError, DataUnavailableError):
                raise type(error)(f"{error}{taken_back}") from error
            if _is_users(error):
                raise UsageError(f"{settings['experiment']} cannot run with these settings: {error}") from error
            raise
    return code


def _execute(
    folder: RunFolder, settings: dict[str, Any], display: Display, stop: training.Stop, *, as_json: bool
) -> int:
    module = load_experiment(settings["experiment"])
    run = _make_run(folder, settings, display, stop)
    before = max(run.spent, seconds_told(folder))
    _announce(settings, folder, display, before)
    begin = time.perf_counter() - before  # as if all sessions had been one
    try:
        journal = _recorded(module, configured(module, settings), run, folder, display)
        exact = _is_exact(run, journal, display)
        journal.finish()
        _tell_taken(run, display)
        trained = sum(arm["seconds"] for arm in run.facts["arms"].values())  # known of killed sessions as well
        document = write_documents(
            folder, journal.rows, settings, run.facts, exact=exact, seconds=max(trained, time.perf_counter() - begin),
            device_name=_device_name(settings["device"]),
        )  # fmt: skip
    except (UsageError, DataUnavailableError):
        raise  # it could not go on, and leaves everything as it was
    except BaseException:
        with contextlib.suppress(FileError):  # what stopped the session is what the user must hear of
            run.note_spent(time.perf_counter() - begin)
        raise
    folder.seal(finished=True)
    forget(folder)
    page = page_of_run(folder, module.page(folder))
    paths = write_report([page], folder.path)
    display.wipe()
    _finish(folder, document, page, paths, settings, as_json=as_json, resumed=before > 0)
    _raise_if_diverged(run.facts["arms"])
    return 0


def _make_run(folder: RunFolder, settings: dict[str, Any], display: Display, stop: training.Stop) -> training.Run:
    run = make_run(
        folder,
        settings,
        state=folder.state,
        twins=folder.states_of_group,
        save_seconds=settings["save_seconds"],
        stop=stop,
        ranks=ranks_of(folder),
        report=display.progress,
    )
    run.download_progress = None if display.quiet else show_progress
    run.tell = display.say
    return run


def _recorded(module: Any, config: Any, run: training.Run, folder: RunFolder, display: Display) -> RowJournal:
    """Runs the experiment; every row goes to the journal, the board and the display as it comes."""
    journal, board = RowJournal(folder.rows_path), Board(folder.board)
    run.board = board
    try:
        for row in module.run(config, run):
            journal.add(row)
            board.add(row)
            display.row(row)
    finally:
        board.close()
    return journal


def _tell_taken(run: training.Run, display: Display) -> None:
    for name, arm in run.facts["arms"].items():
        if arm["taken_from"]:
            display.say(f"{name}: not trained again, since its training is the very one of {arm['taken_from']}")


def _is_exact(run: training.Run, journal: RowJournal, display: Display) -> bool:
    """Whether every resume so far was exact; a no is remembered before the rows that prove it are gone."""
    unreproduced = journal.unreproduced
    changed = [name for name, arm in run.facts["arms"].items() if not arm["exact"]]
    lost = [f"{unreproduced} earlier rows did not come again"] if unreproduced else []
    lost += [f"other conditions, or seeds in other stacks, for {', '.join(changed)}"] if changed else []
    if lost:
        display.say(f"warning: not an exact resume: {'; '.join(lost)}")
        run.not_exact()
    return not lost and not run.remembers(NOT_EXACT)


def _raise_if_diverged(arms: dict[str, Any]) -> None:
    lost = [f"'{arm}' seed {seed}: {why}" for arm, about in arms.items()
            if not about["may_diverge"] for seed, why in about["diverged"].items()]  # fmt: skip
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise DivergedError(f"{lost[0]}{more}; everything else is reported; try a lower learning rate")


def _is_users(error: Exception) -> bool:
    """Whether a ValueError comes from a value that the user chose: one that a room below the experiment refused."""
    if not isinstance(error, ValueError) or isinstance(error, GradlabError) or error.__traceback__ is None:
        return False
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    rooms = ("models", "nn", "equivariance", "augment", "optim", "data", "training")
    return any(f"/{room}/" in last.replace("\\", "/") for room in rooms)


def _announce(settings: dict[str, Any], folder: RunFolder, display: Display, before: float) -> None:
    seeds = settings["seeds"]
    count = "1 seed" if len(seeds) == 1 else f"{len(seeds)} seeds"
    threads = settings["threads"]
    display.say(f"{settings['experiment']}: {settings['question']}")
    display.say(
        f"{count}, {settings['device']}, {settings['precision']}, {threads} thread{'s' * (threads > 1)} a process"
    )
    display.say(f"folder: {folder.path}")
    if before > 0:
        display.say(f"goes on where it was, after {duration(before)} of work")
    for caution in cautions(settings):
        display.say(f"warning: {caution}")


def _finish(
    folder: RunFolder,
    document: dict[str, Any],
    page: Page,
    paths: ReportPaths,
    settings: dict[str, Any],
    *,
    as_json: bool,
    resumed: bool,
) -> None:
    if as_json:
        print(json.dumps({**document, "folder": str(folder.path), "report": str(paths.html)}, indent=2))
        return
    print(terminal_summary(document))
    for block in page.blocks:
        if isinstance(block, Answer):
            print(f"\n{wrapped(block.text)}")
    print()
    print(f"report:      {paths.html}" + (f" and {paths.pdf}" if paths.pdf else ""))
    print(f"results:     {folder.path / 'results.json'}")
    if folder.board.is_dir():
        print(f"TensorBoard: tensorboard --logdir {shlex.quote(str(folder.board))}")
    print(
        f"{settings['experiment']} took {duration(document['seconds'])}{', all sessions together' if resumed else ''}"
    )


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device
