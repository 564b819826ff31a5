"""A run of several processes that `torchrun` started: the first one writes and prints, the others train along."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gradlab.errors import InterruptedRunError, UsageError

if TYPE_CHECKING:
    from gradlab.records import RunFolder
    from gradlab.training import Ranks

ALONE = "1"


def is_alone() -> bool:
    """Whether torchrun has not started several processes."""
    return os.environ.get("WORLD_SIZE", ALONE) == ALONE


def refuse_several(what: str) -> None:
    """Refuses to do in several processes what one has to do.

    Raises:
        UsageError: there are several.
    """
    if not is_alone():
        count = os.environ["WORLD_SIZE"]
        raise UsageError(f"{what} needs one process, not the {count} of torchrun: run it without torchrun")


def together(lead: Callable[[], int]) -> int:
    """Runs `lead` in the first process while the others train along; returns this process's exit code.

    Raises:
        GradlabError: whatever stopped this process.
    """
    if is_alone():
        return lead()
    from gradlab.training import joined, ranks_here

    ranks = ranks_here()
    with joined(ranks):
        return lead() if ranks.rank == 0 else _follow(ranks)


def ranks_of(folder: "RunFolder") -> "Ranks":
    """This process's place among all, after the first one has told the others where to look for settings."""
    from gradlab.training import ranks_here

    ranks = ranks_here()
    if ranks.count > 1:
        ranks.text_of_first(str(folder.path.resolve()))
    return ranks


def _follow(ranks: "Ranks") -> int:
    """Makes all of a run's steps along with the first process, and keeps nothing."""
    import torch

    from gradlab import training
    from gradlab.cli.settings import checked_settings, configured, load_experiment, make_run
    from gradlab.records import RunFolder

    folder = RunFolder(Path(ranks.text_of_first("")))
    settings = checked_settings(folder.document("config"))
    training.keep_freed_memory()
    torch.set_num_threads(settings["threads"])
    stop = training.Stop()
    try:
        with stop.listening(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the first process says the same
            module = load_experiment(settings["experiment"])
            run = make_run(None, settings, ranks=ranks, state=folder.state, stop=stop)
            for _row in module.run(configured(module, settings), run):
                pass
    except InterruptedRunError as error:
        return error.exit_code
    return 0
