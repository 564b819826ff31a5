"""Where a run happened: versions, hardware, settings that can change its bits."""

import functools
import hashlib
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
        "processor": processor_name(),
        "instructions": vector_instructions(),
        "cores": available_cores(),
        "memory_bytes": _memory_bytes(),
        **further,
    }


NOT_ARITHMETIC = ("cli", "report", "explain", "learn", "answers", "inline.py")


@functools.cache
def code_digest() -> str:
    """The SHA-256 over all of gradlab's source files that can change a trained number."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if name.parts[0] not in NOT_ARITHMETIC:
            digest.update(f"{name.as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


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


def processor_name() -> str:
    """The processor's name as its maker prints it."""
    return _said_of_the_processor("model name") or platform.processor() or platform.machine()


def vendor() -> str | None:
    """Who made the processor, as it says itself: "AuthenticAMD" or "GenuineIntel"; None where Linux tells nobody."""
    return _said_of_the_processor("vendor_id")


VECTOR_INSTRUCTIONS = {
    "amx_bf16": "AMX",
    "avx512_bf16": "AVX-512 with bfloat16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "asimd": "NEON",
}
"""Flags by which Linux tells vector instructions, the ablest first, and what they are called."""
FIRST_WHOLE_FAMILY = 26
"""Of AMD's processors, Zen 5: those before take each instruction of 512 bits in two halves.

Laptops' processors of that family may do so too; they are not told apart from the others of it.
"""


def vector_instructions() -> str | None:
    """The ablest vector instructions of this processor, which its name need not tell; None where Linux tells none.

    A virtual machine's "AMD EPYC" may be one with AVX-512 or without, whose kernels add in other orders.
    """
    flags = (_said_of_the_processor("flags") or _said_of_the_processor("Features") or "").split()
    name = next((name for flag, name in VECTOR_INSTRUCTIONS.items() if flag in flags), None)
    return f"{name}, in halves" if name and "avx512f" in flags and halves_vectors() else name


def halves_vectors() -> bool:
    """Whether this is a processor of AMD's that takes instructions of 512 bits, if it has them, in two halves."""
    return vendor() == "AuthenticAMD" and int(_said_of_the_processor("cpu family") or 0) < FIRST_WHOLE_FAMILY


def _said_of_the_processor(what: str) -> str | None:
    """What Linux says of the first core under this heading."""
    information = Path("/proc/cpuinfo")
    if sys.platform == "linux" and information.exists():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith(what):
                return line.partition(":")[2].strip()
    return None


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
