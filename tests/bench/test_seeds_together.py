"""What of a longer training is left once the start of processes is taken off."""

import pytest

from bench.seeds_together import steady


def test_the_start_of_processes_falls_out():
    start = 5.0
    times = {
        "in a row": [8.0, 8.0], "in a row, longer": [24.0, 32.0],
        "processes": [start + 4.0, start + 4.0], "processes, longer": [start + 12.0, start + 16.0],
    }  # fmt: skip
    assert steady(times) == pytest.approx([2.0, 2.0])
