"""The full part of the reliability suites: `make soak`, or a share of it: `make soak SOAK_SHARE=0.1`.

Writes what was tried and what went wrong to `results/reliability.json`; ends with 1 if anything did.
"""

import argparse
import faulthandler
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from gradlab.records import describe_environment, write_json
from tests.reliability import corruption, crashes, exact_resume, hostile, long_runs, numbers, signals

SUITES = {
    "exact_resume": exact_resume.full,
    "crashes": crashes.full,
    "corruption": corruption.full,
    "hostile_input": hostile.full,
    "signals_and_races": signals.full,
    "numbers": numbers.full,
    "long_runs": long_runs.full,
}
RESULT = Path(__file__).parents[2] / "results" / "reliability.json"
SHOWN_FAILURES = 20
HANGING_SECONDS = 6 * 3600


def main() -> int:
    """Runs the suites that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts, such as 0.1")
    parser.add_argument("--only", nargs="+", choices=list(SUITES), default=list(SUITES))
    parser.add_argument("--parsers", nargs="+", default=[], help="of hostile_input: those of these names, as a piece")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    if not 0 < options.share <= 1:
        parser.error(f"--share lies above 0 and at most at 1: got {options.share}")
    if options.parsers and options.only != ["hostile_input"]:
        parser.error("--parsers goes with --only hostile_input")
    faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True)
    torch.set_num_threads(1)
    known = json.loads(options.out.read_bytes())["suites"] if options.out.exists() else {}
    if len(options.only) == len(SUITES):
        known = {}
    for name in options.only:
        known[name] = _measured(name, options.share, options.parsers, known.get(name, {}))
        print(f"{name}: {len(known[name]['failures'])} failures, {json.dumps(known[name])}", flush=True)
        _write(options.out, known)
    return 1 if any(about["failures"] for about in known.values()) else 0


def _measured(name: str, share: float, parsers: list[str], before: dict[str, Any]) -> dict[str, Any]:
    """A suite's counts, when and where they were taken; a piece of hostile input joins the pieces of the same share."""
    begin = time.perf_counter()
    found = hostile.full(share, parsers) if parsers else SUITES[name](share)
    found["failures"] = [_without_places(what) for what in found["failures"][:SHOWN_FAILURES]]
    if parsers and before.get("share") == share:
        found = hostile.joined(before, found)
    environment = describe_environment()
    return {
        "share": share,
        "date": time.strftime("%Y-%m-%d"),
        **{name: environment[name] for name in ("system", "processor", "cores")},
        "torch": torch.__version__,
        "seconds": round(time.perf_counter() - begin, 1),
        **found,
    }


def _write(path: Path, suites: dict[str, dict]) -> None:
    document = {
        "schema": 2,
        "command": "make soak",
        "seconds": round(sum(about["seconds"] for about in suites.values()), 1),
        "suites": {name: suites[name] for name in SUITES if name in suites},
    }
    write_json(path, document)


def _without_places(what: str) -> str:
    """A failure without the folders of this machine."""
    return " ".join(word if "/" not in word else Path(word).name for word in what.split())[:300]


if __name__ == "__main__":
    sys.exit(main())
