"""`gradlab doctor`."""

import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gradlab.cli.arguments import JSON, parse
from gradlab.records import describe_environment

LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen; only `mend` makes the machine unfit, a `note` passes by itself."""

    state: Literal["ok", "note", "mend"]
    text: str


def main(words: Sequence[str]) -> int:
    """Checks versions, devices, threads, disk; returns 1 where something needs mending."""
    options = parse("doctor", "Checks what gradlab needs of this machine.", [JSON], words)
    environment = describe_environment()
    findings = [*_device_findings(), _thread_finding(), _torchvision_finding(), *_disk_findings(), _fork_finding()]
    healthy = all(finding.state != "mend" for finding in findings)
    if options["json"]:
        checks = [
            {"ok": finding.state != "mend", "state": finding.state, "finding": finding.text} for finding in findings
        ]
        print(json.dumps({"ok": healthy, "environment": environment, "checks": checks}, indent=2))
        return 0 if healthy else 1
    packages = environment["packages"]
    assert isinstance(packages, dict)
    print(f"Python {environment['python']} on {environment['system']}")
    told = [environment["processor"], environment["instructions"], f"{environment['cores']} cores"]
    print(", ".join(str(each) for each in told if each))
    print(", ".join(f"{name} {version or 'missing'}" for name, version in packages.items()))
    for finding in findings:
        state = finding.state.upper() if finding.state == "mend" else finding.state
        print(f"{state:<4}  {finding.text}")
    return 0 if healthy else 1


def _device_findings() -> list[Finding]:
    import torch

    findings = [Finding("ok", f"torch uses {torch.backends.cpu.get_cpu_capability()} instructions on the CPU")]
    if torch.cuda.is_available():
        findings.append(Finding("ok", f"accelerator: {torch.cuda.get_device_name()}"))
    return findings


def _thread_finding() -> Finding:
    from gradlab.records.environment import available_cores

    cores, asked = available_cores(), os.environ.get("OMP_NUM_THREADS")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > cores:
        kept = "the only core" if cores == 1 else f"these {cores} cores"
        busy = f"other programs keep {kept} busy (load {load:.1f}): runs will take longer"
        return Finding("note", busy)
    return Finding(
        "ok",
        f"{cores} cores, load {load:.1f}, OMP_NUM_THREADS {asked or 'not set'}; gradlab uses 1 thread a process",
    )


def _torchvision_finding() -> Finding:
    if importlib.util.find_spec("torchvision") is None:
        return Finding("ok", "torchvision is not installed, and gradlab does not need it")
    try:
        importlib.import_module("torchvision")
    except Exception as error:
        remedy = "other packages that import it will fail as well: pip uninstall torchvision"
        return Finding("mend", f"torchvision is installed and broken ({type(error).__name__}); {remedy}")
    return Finding("ok", "torchvision is installed and works; gradlab does not use it")


def _disk_findings() -> list[Finding]:
    from gradlab.data import data_root

    findings = []
    for purpose, folder in (("runs", Path.cwd()), ("data", data_root())):
        there = next(path for path in [folder, *folder.parents] if path.exists())
        free = shutil.disk_usage(there).free
        try:
            with tempfile.TemporaryFile(dir=there):
                writable = True
        except OSError:
            writable = False
        good = writable and free > LEAST_FREE_BYTES
        state = f"{free / 1e9:,.1f} GB free" if writable else "not writable"
        fit = good or (purpose == "data" and free > LEAST_FREE_BYTES)
        findings.append(Finding("ok" if fit else "mend", f"{purpose} in {folder}: {state}"))
    return findings


def _fork_finding() -> Finding:
    from gradlab.training.processes import forking_works

    if forking_works():
        return Finding("ok", "several seeds run in processes of their own")
    return Finding("ok", "this system cannot fork: several seeds run one after another on the CPU")
