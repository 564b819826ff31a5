"""Compiled steps: those of an uncompiled training up to rounding, the same bits among themselves."""

import math

import pytest
import torch
from torch import nn

from gradlab.augment import Normalize
from gradlab.errors import DivergedError, InterruptedRunError, UsageError
from gradlab.nn import Dropout
from gradlab.objectives import classification
from gradlab.training import Place, Ranks, collect, compiled, fit, solo
from gradlab.training.compiled import EARNING_STEPS, choose_compilation, compiled_for, tried
from tests.training.test_resume import StopAtStep

WAYS = ["in a row", "stacked", "processes"]


@pytest.fixture(autouse=True)
def fast_backend(monkeypatch):
    """Traces the pass and its slopes as the compiler does, and leaves out the compiler's own minute."""
    monkeypatch.setattr(compiled, "BACKEND", "aot_eager")
    yield
    torch.compiler.reset()


def training(bars, recipe, model, way, compile, changes=None, **place):
    return fit(model, bars, classification, recipe(**(changes or {})), seeds=(0, 1), together=way,
               prepare=Normalize((0.3,), (0.25,)), place=Place(compile=compile, **place))  # fmt: skip


def weights(trained):
    return {seed: torch.cat([tensor.flatten() for tensor in model.state_dict().values()])
            for seed, model in trained.models.items()}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_compiled_steps_are_the_uncompiled_ones(way, clip_norm, bars, recipe, make_small_net):
    settings = {"clip_norm": clip_norm, "l1": 1e-4, "window": 2}
    expected_rows, expected = collect(training(bars, recipe, make_small_net, way, "off", settings, precision="float64"))
    rows, trained = collect(training(bars, recipe, make_small_net, way, "on", settings, precision="float64"))
    assert (trained.compiled, expected.compiled) == ("on: as asked", "off: as asked")
    assert [row["loss"] for row in rows] == pytest.approx([row["loss"] for row in expected_rows], rel=1e-9)
    for seed in (0, 1):
        assert torch.allclose(weights(trained)[seed], weights(expected)[seed], rtol=1e-9, atol=1e-11)


def test_the_whole_batches_are_compiled_and_the_last_small_one_is_not(bars, recipe, make_small_net, monkeypatch):
    seen = []

    class Watching(make_small_net):
        def forward(self, images):
            if not torch.compiler.is_compiling():
                seen.append(len(images))  # a compiled pass runs none of this
            return super().forward(images)

    monkeypatch.setattr(compiled, "_compiled", lambda forward, _device: lambda *batch: seen.append("compiled")
                        or torch.compile(forward, backend="aot_eager", dynamic=False)(*batch))  # fmt: skip
    monkeypatch.setattr(compiled, "why_not_compiled", lambda _device: None)
    collect(fit(Watching, bars, classification, recipe(epochs=2), seeds=(0,), prepare=Normalize((0.3,), (0.25,)),
                place=Place(compile="on", precision="float64")))  # fmt: skip
    assert seen == ["compiled"] * compiled.TRIES + (["compiled"] * 4 + [70 % 16]) * 2


def test_dropout_draws_what_it_draws_uncompiled(bars, recipe, make_small_net):
    def trained_by(compile):
        return collect(training(bars, recipe, lambda: make_small_net(0.5), "in a row", compile, precision="float64"))

    expected, trained = (weights(trained_by(compile)[1]) for compile in ("off", "on"))
    assert torch.allclose(trained[0], expected[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("way", ["in a row", "stacked"])
@pytest.mark.parametrize("looks", [1, 7])
def test_stopped_and_resumed_is_the_same_to_the_bit(looks, way, bars, recipe, make_small_net, tmp_path):
    _, expected = collect(training(bars, recipe, make_small_net, way, "on"))
    with pytest.raises(InterruptedRunError):
        collect(training(bars, recipe, make_small_net, way, "on", state=tmp_path, stop=StopAtStep(looks)))
    _, trained = collect(training(bars, recipe, make_small_net, way, "on", state=tmp_path))
    assert trained.exact
    assert all(torch.equal(weights(trained)[seed], weights(expected)[seed]) for seed in (0, 1))


@pytest.mark.parametrize(("before", "after"), [("on", "off"), ("off", "on")])
def test_a_resume_under_another_choice_is_not_called_exact(before, after, bars, recipe, make_small_net, tmp_path):
    with pytest.raises(InterruptedRunError):
        collect(training(bars, recipe, make_small_net, "in a row", before, state=tmp_path, stop=StopAtStep(4)))
    with pytest.warns(UserWarning, match="compiled: .* then, .* now.*not exact"):
        _, trained = collect(training(bars, recipe, make_small_net, "in a row", after, state=tmp_path))
    assert not trained.exact


def test_what_is_finished_is_read_back_without_a_compiler(bars, recipe, make_small_net, tmp_path, monkeypatch):
    _, expected = collect(training(bars, recipe, make_small_net, "in a row", "on", state=tmp_path))
    monkeypatch.setattr(solo, "compiled_for", None)
    _, trained = collect(training(bars, recipe, make_small_net, "in a row", "on", state=tmp_path))
    assert trained.exact
    assert torch.equal(weights(trained)[0], weights(expected)[0])


@pytest.mark.parametrize("way", ["in a row", "stacked"])
def test_a_loss_that_is_no_number_stops_a_compiled_training(way, bars, recipe, make_small_net):
    changes = {"optimizer": lambda parameters: torch.optim.SGD(parameters, lr=math.inf)}
    message = "diverged for every seed; seed 0: loss nan at step 1"
    with pytest.raises(DivergedError, match=message) as found:
        collect(training(bars, recipe, make_small_net, way, "on", changes))
    assert "first seen in the parameter conv.weight" in str(found.value)


def broken_backend(_graph, _examples):
    raise RuntimeError("no compiler here\nat a certain place")


@pytest.mark.parametrize("way", WAYS)
def test_a_broken_compiler_is_told_once_and_the_training_goes_on(way, bars, recipe, make_small_net, monkeypatch):
    _, expected = collect(training(bars, recipe, make_small_net, way, "off"))
    monkeypatch.setattr(compiled, "BACKEND", broken_backend)
    with pytest.warns(UserWarning, match="steps are not compiled: the compiler failed .*no compiler here") as told:
        _, trained = collect(training(bars, recipe, make_small_net, way, "on"))
    assert len(told) == 1
    assert "a certain place" not in str(told[0].message)
    assert trained.compiled.startswith("off: the compiler failed")
    assert all(torch.equal(weights(trained)[seed], weights(expected)[seed]) for seed in (0, 1))


@pytest.mark.parametrize("way", ["in a row", "stacked"])
def test_a_network_that_the_compiler_cannot_take_is_trained_without_it(
    way, bars, recipe, make_small_net, tmp_path, monkeypatch
):
    monkeypatch.setattr(compiled, "why_not_compiled", lambda _device: None)
    _, expected = collect(training(bars, recipe, make_small_net, way, "off"))
    monkeypatch.setattr(compiled, "BACKEND", broken_backend)
    with pytest.warns(UserWarning, match="no compiler here"):
        _, trained = collect(training(bars, recipe, make_small_net, way, "on"))
    told = "not of seed 0, where the compiler failed; not of seed 1, where the compiler failed"
    assert trained.compiled == f"on: as asked; {told}"
    assert all(torch.equal(weights(trained)[seed], weights(expected)[seed]) for seed in (0, 1))


def test_a_try_changes_no_number():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    inputs = torch.randn(8, 3)
    assert tried(lambda: model(inputs).square().sum(), list(model.parameters()), model.buffers())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_more_networks_than_torch_keeps_versions_of_a_function_are_all_compiled():
    """Torch goes back to uncompiled calls, quietly, after eight versions of one function."""
    compilations = []

    def counting(graph, _examples):
        compilations.append(1)
        return graph.forward

    for width in range(1, 13):
        layer = nn.Linear(width, 1)
        inputs = torch.ones(2, width)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiled, "BACKEND", counting)
            compiled_for(lambda x, _targets, layer=layer: (layer(x).sum(), {}), inputs, "cpu")(inputs, inputs)
    assert len(compilations) == 12


@pytest.mark.parametrize(
    ("place", "steps", "on", "why"),
    [
        (Place(), 10**9, False, "on a CPU compiling takes longer than it saves"),
        (Place(compile="off", device="cuda"), 10**9, False, "as asked"),
        (Place(compile="on"), 1, True, "as asked"),
        (Place(device="cuda"), EARNING_STEPS - 1, False, "19,999 steps, fewer than the 20,000"),
        (Place(device="cuda"), EARNING_STEPS, True, "20,000 steps earn"),
        (Place(device="mps"), 10**9, False, "nobody has tried it on mps"),
        (Place(compile="on", dry=True), 10**9, False, "a dry run"),
        (Place(device="cuda", ranks=Ranks(0, 2)), 10**9, False, "processes that train one seed together"),
    ],
)
def test_the_choice_and_its_reason(place, steps, on, why, monkeypatch):
    monkeypatch.setattr(compiled, "has_triton", lambda: True)
    monkeypatch.setattr(compiled, "why_not_compiled", lambda _device: None)
    choice = choose_compilation(place, steps)
    assert choice.on is on
    assert why in choice.reason


def test_a_gpu_without_triton_is_not_compiled_for(monkeypatch):
    monkeypatch.setattr(compiled, "has_triton", lambda: False)
    choice = choose_compilation(Place(device="cuda"), 10**9)
    assert (choice.on, "triton" in choice.reason) == (False, True)


def test_what_is_impossible_or_unknown_is_refused():
    with pytest.raises(UsageError, match="leave out --compile on"):
        choose_compilation(Place(compile="on", ranks=Ranks(0, 2)), 1)
    with pytest.raises(UsageError, match="unknown choice to compile 'onn': did you mean 'on'"):
        choose_compilation(Place(compile="onn"), 1)  # pyright: ignore[reportArgumentType]


def test_cuda_graphs_are_for_nvidias_gpus_and_part_of_the_record(monkeypatch):
    monkeypatch.setattr(compiled, "BACKEND", "inductor")
    assert compiled.named("cuda:0") == "inductor, CUDA graphs asked for"
    assert compiled.named("cpu") == "inductor"


def test_the_real_compiler_trains_in_forked_processes(bars, recipe, monkeypatch):
    monkeypatch.setattr(compiled, "BACKEND", "inductor")

    def net():
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 80), nn.Tanh(), Dropout(0.3), nn.Linear(80, 2))

    _, expected = collect(training(bars, recipe, net, "processes", "off"))
    _, trained = collect(training(bars, recipe, net, "processes", "on"))
    assert trained.compiled == "on: as asked"
    for seed in (0, 1):
        assert torch.allclose(weights(trained)[seed], weights(expected)[seed], rtol=1e-4, atol=1e-5)
