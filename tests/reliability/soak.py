"""The full part of the reliability suites: `make soak`, or a share of it: `make soak SOAK_SHARE=0.1`.

Writes what was tried and what went wrong to `results/reliability.json`; ends with 1 if anything did.
"""

import argparse
import faulthandler
import json
import sys
import time
from pathlib import Path

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
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    if not 0 < options.share <= 1:
        parser.error(f"--share lies above 0 and at most at 1: got {options.share}")
    faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True)
    torch.set_num_threads(1)
    known = (
        json.loads(options.out.read_bytes())["suites"]
        if options.out.exists() and len(options.only) < len(SUITES)
        else {}
    )
    for name in options.only:
        begin, processor = time.perf_counter(), time.process_time()
        found = SUITES[name](options.share)
        failures = found.pop("failures")
        known[name] = {
            "share": options.share,
            **found,
            "failures": [_without_places(what) for what in failures[:SHOWN_FAILURES]],
            "seconds": round(time.perf_counter() - begin, 1),
            "processor_seconds": round(time.process_time() - processor, 1),
        }
        print(f"{name}: {len(failures)} failures, {json.dumps(known[name])}", flush=True)
        _write(options.out, known)
    return 1 if any(about["failures"] for about in known.values()) else 0


def _write(path: Path, suites: dict[str, dict]) -> None:
    environment = describe_environment()
    kept = ("python", "packages", "system", "processor", "cores", "memory_bytes")
    document = {
        "schema": 1,
        "command": "make soak",
        "date": time.strftime("%Y-%m-%d"),
        "environment": {name: environment[name] for name in kept},
        "seconds": round(sum(about["seconds"] for about in suites.values()), 1),
        "suites": {name: suites[name] for name in SUITES if name in suites},
    }
    write_json(path, document)


def _without_places(what: str) -> str:
    """A failure without the folders of this machine."""
    return " ".join(word if "/" not in word else Path(word).name for word in what.split())[:300]


if __name__ == "__main__":
    sys.exit(main())
