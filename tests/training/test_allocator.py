import subprocess
import sys

import pytest

from gradlab.training import allocator

COUNT = """
import resource, sys
import torch
from gradlab.training.allocator import keep_freed_memory

assert sys.argv[1] == "as it comes" or keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(8 * 2**20)  # 32 MB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


def faults_of(way):
    done = subprocess.run([sys.executable, "-c", COUNT, way], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_freed_memory_is_kept():
    assert faults_of("kept") < faults_of("as it comes") / 10


class OldLibrary:
    """glibc before 2.35 refuses to ask the system only for very large pieces."""

    def __init__(self, largest: int) -> None:
        self.largest, self.set = largest, {}

    def mallopt(self, name: int, value: int) -> int:
        if name == allocator.MMAP_THRESHOLD and value > self.largest:
            return 0
        self.set[name] = value
        return 1


def test_an_older_library_gets_the_size_that_it_takes(monkeypatch):
    library = OldLibrary(2**25)
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _name: library)
    assert allocator.keep_freed_memory()
    assert library.set[allocator.MMAP_THRESHOLD] == 2**25


def test_a_library_that_takes_no_size_is_left_as_it_is(monkeypatch):
    library = OldLibrary(2**10)
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _name: library)
    assert not allocator.keep_freed_memory()
    assert library.set == {}
