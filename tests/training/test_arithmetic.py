"""A precision that the processor only imitates is told of before hours are spent in it."""

import pytest

from gradlab.training import arithmetic, slow_precision


def test_the_slowdown_is_a_ratio_of_two_times(monkeypatch):
    # Two rounds of each precision, the first thrown away: bfloat16 takes 6 s and float32 2 s.
    ticks = iter([0, 9, 10, 16, 20, 99, 100, 102])
    monkeypatch.setattr(arithmetic, "ROUNDS", 1)
    monkeypatch.setattr(arithmetic.time, "perf_counter", lambda: next(ticks))
    assert arithmetic.bfloat16_slowdown() == 3


@pytest.mark.parametrize("slowdown", [0.4, 1.0, 1.4])
def test_a_processor_that_computes_in_bfloat16_gets_no_warning(monkeypatch, slowdown):
    monkeypatch.setattr(arithmetic, "bfloat16_slowdown", lambda: slowdown)
    assert slow_precision("cpu", "bfloat16") is None
    assert arithmetic.bfloat16_helps()


def test_one_that_imitates_it_gets_one_with_the_remedy(monkeypatch):
    monkeypatch.setattr(arithmetic, "bfloat16_slowdown", lambda: 12.4)
    told = slow_precision("cpu", "bfloat16")
    assert told is not None
    assert "only imitates bfloat16" in told
    assert "leave out --precision bfloat16" in told
    assert not arithmetic.bfloat16_helps()


@pytest.mark.parametrize(("device", "precision"), [("cpu", "float32"), ("cpu", "float64"), ("cuda", "bfloat16")])
def test_nothing_is_measured_where_nothing_can_be_wrong(monkeypatch, device, precision):
    monkeypatch.setattr(arithmetic, "bfloat16_slowdown", lambda: pytest.fail("measured"))
    assert slow_precision(device, precision) is None
