"""Interleaved timing, and the JSON file that a comparison leaves."""

import datetime
import importlib.util
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from gradlab.records import describe_environment

RESULTS = Path(__file__).parent / "results"
LOAD_AT_START = os.getloadavg()[0]


def interleaved(
    variants: Mapping[str, Callable[[], None]], *, rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of each variant, one list entry a round; in every round each variant runs once.

    A round starts with the variant that was second in the round before, so that none always follows the same one.
    The first round warms up caches and is thrown away.
    """
    times: dict[str, list[float]] = {name: [] for name in variants}
    names = list(variants)
    for turn in range(rounds + 1):
        for name in names:
            begin = clock()
            variants[name]()
            if turn:
                times[name].append(clock() - begin)
        names = names[1:] + names[:1]
    return times


wall_clock = time.perf_counter


def write(name: str, measured: Mapping[str, Any], *, peers: Sequence[str] = (), processor: str | None = None) -> Path:
    """Writes a result file of this kind of machine; returns its path.

    It holds hardware, versions, command, commit and date. Networks that were measured here earlier and not this time
    stay as they are, with when they were measured, as long as everything else was the same (cores, versions, settings);
    where it was not, the earlier file is kept under its date.

    Args:
        name: of the bench.
        measured: what it found; under "networks" what it found of each.
        peers: packages that gradlab stood beside; their versions are noted, None where one is not installed.
        processor: what computed, such as a GPU's name; the CPU where None.
    """
    now = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": f"python -m bench.{name} {' '.join(sys.argv[1:])}".strip(),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no", "--", ":!bench/results")),
        "load_at_start": LOAD_AT_START,
    }
    environment = describe_environment(threads=1, peers={package: _version(package) for package in peers})
    here = f"{environment['processor']} {environment['instructions'] or ''}"
    path = RESULTS / machine(processor or here) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"name": name, **now, "environment": environment, **measured}
    if "networks" in measured:
        networks = {of: {**found, "measured": now} for of, found in measured["networks"].items()}
        document["networks"] = _earlier(path, document) | networks
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


def _earlier(path: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """What a file holds of networks, each with when it was measured; a file of other settings is set aside."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    if _settings(found) != _settings(document):
        _set_aside(path, found["date"])
        return {}
    when = {key: found[key] for key in ("date", "command", "commit", "load_at_start")}
    return {of: {"measured": when, **about} for of, about in found["networks"].items()}


def _set_aside(path: Path, date: str) -> None:
    """Gives a file a name with its date that no other has."""
    further = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (path.with_stem(f"{path.stem}-{date}{each}") for each in further)
    path.rename(next(free for free in names if not free.exists()))


def _settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be the same for two measurements to stand in one file; the folder tells the instructions apart."""
    environment = document["environment"]
    rest = ("networks", "environment", "date", "command", "commit", "uncommitted_changes", "load_at_start")
    kept = {key: value for key, value in document.items() if key not in rest}
    return kept | {key: environment.get(key) for key in ("processor", "cores", "python")} | {
        "torch": environment["packages"]["torch"], "peers": environment.get("peers")
    }  # fmt: skip


def machine(processor: str) -> str:
    """The folder of a processor's results, such as "amd-epyc-avx2"."""
    words = re.sub(r"\((R|TM)\)", "", processor, flags=re.IGNORECASE)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "unknown"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each variant's rounds."""
    return {name: statistics.median(values) for name, values in times.items()}


def absent(*packages: str) -> list[str]:
    """Those of these packages that are not installed."""
    return [package for package in packages if importlib.util.find_spec(package) is None]


def require(*packages: str) -> None:
    """Ends the bench where a peer that it stands beside is not installed.

    Raises:
        SystemExit: one is not; the message names it and what installs it.
    """
    if missing := absent(*packages):
        raise SystemExit(f"this bench needs {' and '.join(missing)}: pip install -e '.[bench]'")
