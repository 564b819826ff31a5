"""Interleaved timing, and the JSON file that a comparison leaves."""

import datetime
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gradlab.records import describe_environment

RESULTS = Path(__file__).parent / "results"


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


def write(name: str, measured: Mapping[str, Any]) -> Path:
    """Writes a result file with hardware, versions, command, commit and date; returns its path."""
    RESULTS.mkdir(exist_ok=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    document = {
        "name": name,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": f"python -m bench.{name} {' '.join(sys.argv[1:])}".strip(),
        "commit": commit.stdout.strip(),
        "load_at_start": os.getloadavg()[0],
        "environment": describe_environment(threads=1),
        **measured,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


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
