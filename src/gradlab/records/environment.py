"""Where a run happened: versions, hardware, settings that can change its bits."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("gradlab", "torch", "numpy", "safetensors", "pillow", "matplotlib", "tensorboard", "typst")


def describe_environment(**further: object) -> dict[str, object]:
    """Versions and hardware as plain JSON values, with whatever the caller adds (threads, device, precision)."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": available_cores(),
        "memory_bytes": _memory_bytes(),
        **further,
    }


def available_cores() -> int:
    """How many processor cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if sys.platform == "linux" and information.exists():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
