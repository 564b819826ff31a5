"""A precision that the processor only imitates is told of before hours are spent in it."""

from functools import partial

import pytest
import torch
from torch import nn

from gradlab.models import MLP
from gradlab.nn import DenseProducts, dense
from gradlab.objectives import classification
from gradlab.training import Place, Recipe, arithmetic, collect, fit, slow_precision, task


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


@pytest.mark.parametrize(
    ("maker", "capability", "halves", "library"),
    [
        ("AuthenticAMD", "AVX512", False, "oneDNN"),
        ("AuthenticAMD", "AVX512", True, "torch"),  # Zen 4: its halves are as wide as what MKL uses
        ("AuthenticAMD", "AVX2", False, "torch"),  # asked for, or all that a virtual machine has: the same for both
        ("GenuineIntel", "AVX512", False, "torch"),
        (None, "DEFAULT", False, "torch"),
    ],
)
def test_large_linear_layers_are_one_dnn_s_where_torch_s_library_halves_the_processor(
    maker, capability, halves, library, monkeypatch
):
    monkeypatch.setattr(arithmetic, "vendor", lambda: maker)
    monkeypatch.setattr(arithmetic, "halves_vectors", lambda: halves)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert arithmetic.linear_library.__wrapped__() == library


@pytest.mark.parametrize(
    ("place", "taken"),
    [
        (Place(), True),
        (Place(precision="bfloat16"), False),
        (Place(precision="float64"), False),
        (Place(device="cuda"), False),
        (Place(compile="on"), False),
    ],
)
def test_only_single_precision_on_a_processor_takes_them(place, taken, monkeypatch):
    monkeypatch.setattr(task, "linear_library", lambda: "oneDNN")
    assert (place.linear_library() == "oneDNN") is taken
    if place.device == "cpu":
        assert isinstance(place.arithmetic(), DenseProducts) is taken
    monkeypatch.setattr(task, "linear_library", lambda: "torch")
    assert place.linear_library() == "torch"


def test_training_takes_them_and_leaves_a_network_s_layers_torch_s_own(monkeypatch):
    """To weights that rounding alone sets apart; a network that the caller keeps is not changed either."""
    found, calls, product = [], [], dense._product
    monkeypatch.setattr(dense, "LEAST_PRODUCTS", 0)
    monkeypatch.setattr(dense, "LEAST_SIDE", 0)
    monkeypatch.setattr(dense, "_product", lambda *given: calls.append(len(found)) or product(*given))
    data = torch.rand(64, 8, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 3
    recipe = Recipe(epochs=2, batch_size=16, optimizer=partial(torch.optim.SGD, lr=0.1))
    kinds = set()

    def watched(model, inputs, targets):
        kinds.update(type(module) for module in model.modules())
        return classification(model, inputs, targets)

    for library in ("torch", "oneDNN"):
        monkeypatch.setattr(task, "linear_library", lambda library=library: library)
        training = fit(partial(MLP, 8, 3, (16,)), data, watched, recipe, seeds=(0,), together="in a row",
                       place=Place())  # fmt: skip
        found.append(collect(training)[1].models[0])
    assert set(calls) == {1}
    assert nn.Linear in kinds
    assert {type(each) for each in found[1].modules()} | kinds == {type(each) for each in found[0].modules()}
    for ours, torchs in zip(found[1].parameters(), found[0].parameters(), strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-5, atol=1e-6)
