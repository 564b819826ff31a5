"""Names that tell runs apart, and the settings in which they differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gradlab.records import RunFolder
from gradlab.report.page import Page
from gradlab.report.wording import value_text

BESIDE_THE_CONFIGURATION = ("seeds", "device", "precision", "compile", "threads")
"""Settings of the command that change numbers."""


def labels_of(runs: Sequence[RunFolder]) -> list[str]:
    """A name for each run: its experiment, with its folder where two runs share the experiment.

    Folders of one name are told apart by as much of their paths as that takes.
    """
    names = [str(run.document("config")["experiment"]) for run in runs]
    shared = Counter(names)
    folders = _folder_names(runs)
    return [f"{name} {folder}" if shared[name] > 1 else name for name, folder in zip(names, folders, strict=True)]


def differing_settings(runs: Sequence[RunFolder]) -> dict[str, list[str]]:
    """Setting -> its value in each run, for the settings that all runs have and in which they differ.

    Settings are those of the experiment's configuration, and the seeds, device, precision and threads.
    """
    found = [_settings(run.document("config")) for run in runs]
    common = [name for name in found[0] if all(name in settings for settings in found)] if found else []
    told = {name: [value_text(settings[name]) for settings in found] for name in common}
    return {name: values for name, values in told.items() if len(set(values)) > 1}


def told_apart(pages: Sequence[Page], runs: Sequence[RunFolder]) -> list[Page]:
    """The pages of runs, titled by `labels_of`, with what differs from other runs of the experiment in brackets."""
    labels = labels_of(runs)
    titled = []
    for place, (page, label) in enumerate(zip(pages, labels, strict=True)):
        alike = [run for run, other in zip(runs, pages, strict=True) if other.title == page.title]
        position = [run.path for run in alike].index(runs[place].path)
        differing = [f"{name} {values[position]}" for name, values in differing_settings(alike).items()]
        titled.append(replace(page, title=f"{label} ({', '.join(differing)})" if differing else label))
    return titled


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    beside = {name: config[name] for name in BESIDE_THE_CONFIGURATION if name in config}
    return {**config.get("config", {}), **beside}


def _folder_names(runs: Sequence[RunFolder]) -> list[str]:
    paths = [run.path.resolve() for run in runs]
    longest = max((len(path.parts) for path in paths), default=1)
    for count in range(1, longest + 1):
        names = ["/".join(path.parts[-count:]) for path in paths]
        if len(set(names)) == len(set(paths)):
            return names
    return [str(path) for path in paths]
