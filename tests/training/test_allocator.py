import subprocess
import sys

import pytest

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
