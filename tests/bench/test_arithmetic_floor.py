"""Operations are counted as by hand."""

import torch

from bench.arithmetic_floor import one_step, rate, references, share_of_arithmetic


def test_operations_of_a_step_by_hand():
    _step, operations = one_step("MLP")
    first, rest = 3072 * 256, 256 * 128 + 128 * 10
    # Every product forward, for the weights and for what went in; but nobody asks for the images' slopes.
    assert operations == 2 * 128 * (2 * first + 3 * rest)


def test_a_step_of_an_mlp_is_mostly_arithmetic_and_a_copy_is_none():
    torch.manual_seed(0)
    step, _operations = one_step("MLP")
    assert share_of_arithmetic(step) > 0.5
    numbers = torch.zeros(1000, 1000)
    assert share_of_arithmetic(numbers.clone) == 0


def test_references_make_the_operations_that_are_claimed():
    calls = references("float32")
    product = calls["matrix product"][0]()
    assert product.shape == (1024, 1024)
    assert calls["matrix product"][1] == 2 * 1024**3
    assert calls["convolution"][1] == 3 * 2 * 32 * 32**2 * 64 * 64 * 9
    assert rate(lambda: sum(range(100_000)), 7, repeats=3) > 0
