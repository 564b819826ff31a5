import itertools
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab import rng

TELL = "from gradlab.rng import derive; print(derive(0, 'initial weights'), derive(3, 'order 12'))"
KNOWN = (2458874617729642689, 1996063089495531442)
"""Of (0, "initial weights") and (3, "order 12"): blake2b of 8 bytes over "0/initial weights", little end first,
halved. Pinned so that no later version changes the draws of a recorded run."""


def sum_of_both(seed: int, purpose: str) -> int:
    """A wrong way: neighbouring seeds share their streams with neighbouring purposes."""
    return seed + sum(purpose.encode())


def check_pairs_give_different_streams(derive: Callable[[int, str], int]) -> None:
    purposes = ["initial weights", "board", *(f"{kind} {number}" for kind in ("order", "step", "views") for number in
                                             range(40))]  # fmt: skip
    numbers = [derive(seed, purpose) for seed in range(30) for purpose in purposes]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("numbers", [3, 5000])
def test_a_generator_of_a_step_draws_what_the_global_one_draws_after_its_start(numbers):
    for seed, source in zip((4, 0), rng.step_generators((4, 0), 17, "cpu"), strict=True):
        rng.start_step(seed, 17)
        assert torch.equal(torch.randn(numbers), torch.randn(numbers, generator=source))


def test_pairs_give_different_streams():
    check_pairs_give_different_streams(rng.derive)


def test_a_sum_of_seed_and_purpose_is_told_apart():
    with pytest.raises(AssertionError):
        check_pairs_give_different_streams(sum_of_both)


def test_the_digits_of_seed_and_purpose_do_not_run_together():
    assert rng.derive(1, "2") != rng.derive(12, "")
    assert rng.derive(1, "1/x") != rng.derive(11, "x")


@given(seed=st.integers(0, 2**64), purpose=st.text(st.characters(codec="utf-8")))
def test_every_number_is_one_that_torch_takes(seed, purpose):
    assert 0 <= rng.derive(seed, purpose) < 2**63
    rng.generator(seed, purpose)


def test_the_numbers_are_the_same_in_every_process():
    """In this one, whose strings have whatever salt Python drew, and in one with a salt of its own."""
    assert (rng.derive(0, "initial weights"), rng.derive(3, "order 12")) == KNOWN
    told = subprocess.run(
        [sys.executable, "-c", TELL], env={**os.environ, "PYTHONHASHSEED": "12345"}, capture_output=True, check=True
    )
    assert tuple(map(int, told.stdout.split())) == KNOWN


def test_python_s_own_hash_would_not_be():
    told = set()
    for salt in ("0", "12345"):
        run = subprocess.run(
            [sys.executable, "-c", "print(hash((0, 'initial weights')))"],
            env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, check=True,
        )  # fmt: skip
        told.add(run.stdout)
    assert len(told) == 2


def test_a_generator_repeats_and_stands_alone():
    before = torch.get_rng_state()
    first, again, other_seed, other_purpose = (
        torch.rand(50, generator=rng.generator(seed, purpose))
        for seed, purpose in [(3, "order 12"), (3, "order 12"), (4, "order 12"), (3, "order 13")]
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other_seed)
    assert not torch.equal(first, other_purpose)
    assert torch.equal(torch.get_rng_state(), before), "the global generator is not touched"


def test_streams_of_neighbouring_seeds_are_unrelated():
    """Correlations of 60 pairs of streams of 10,000 draws lie within five standard deviations of 0."""
    streams = torch.stack([torch.rand(10_000, generator=rng.generator(seed, "views 0 0")) for seed in range(12)])
    correlations = torch.corrcoef(streams)[tuple(torch.triu_indices(12, 12, 1))]
    assert correlations.abs().max() < 5 / 10_000**0.5


def test_global_stream_draws_what_the_generator_draws_and_puts_the_state_back():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with rng.global_stream(2, "initial weights"):
        inside = torch.rand(4)
    assert torch.equal(inside, torch.rand(4, generator=rng.generator(2, "initial weights")))
    assert torch.equal(torch.rand(3), expected)


def test_global_stream_puts_the_state_back_after_an_exception():
    def fail() -> None:
        with rng.global_stream(2, "initial weights"):
            torch.rand(4)
            raise RuntimeError("in the middle")

    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    assert torch.equal(torch.get_rng_state(), before)


def test_global_streams_nest():
    with rng.global_stream(0, "outer"):
        expected = torch.rand(6)
    with rng.global_stream(0, "outer"):
        head = torch.rand(3)
        with rng.global_stream(1, "inner"):
            torch.rand(7)
        tail = torch.rand(3)
    assert torch.equal(torch.cat([head, tail]), expected)


def test_global_stream_keeps_half_used_normal_draws():
    """The normal sampler keeps a second number for the next call; that, too, belongs to the state."""
    torch.manual_seed(1)
    torch.randn(1)
    expected = torch.randn(3)
    torch.manual_seed(1)
    torch.randn(1)
    with rng.global_stream(0, "initial weights"):
        torch.randn(1)
    assert torch.equal(torch.randn(3), expected)


def test_a_step_s_draws_depend_on_seed_and_step_alone():
    dropout = torch.nn.Dropout(0.5)
    ones = torch.ones(64)

    def mask(seed: int, step: int) -> torch.Tensor:
        rng.start_step(seed, step)
        return dropout(ones)

    with rng.global_stream(0, "this test"):
        in_order = {(seed, step): mask(seed, step) for seed, step in itertools.product(range(3), range(4))}
        torch.rand(17)
        for seed, step in reversed(list(in_order)):
            assert torch.equal(mask(seed, step), in_order[seed, step])
    masks = list(in_order.values())
    assert not any(torch.equal(first, second) for first, second in itertools.combinations(masks, 2))
