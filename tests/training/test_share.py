"""Two processes that share the batches of a seed make the steps of one, and named mistakes that this tells apart."""

import contextlib
import multiprocessing
import signal
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.augment import (
    BatchShuffle,
    ContrastiveTransformations,
    Normalize,
    Pipeline,
    RandomHorizontalFlip,
    RandomResizedCrop,
)
from gradlab.data import Images
from gradlab.errors import InterruptedRunError, UsageError
from gradlab.evaluation import contrastive as contrastive_measure
from gradlab.evaluation import measure_contrastive
from gradlab.models import BaseNetwork, ResNet, SimCLR
from gradlab.objectives import classification, info_nce
from gradlab.records import RunFolder
from gradlab.training import Place, Ranks, Recipe, Run, Selection, Stop, collect, fit, joined, ranks_here
from gradlab.training.share import JointStatistics, Share, joint_batch_norm

CENTRE = Normalize((0.5,), (0.5,))
RECIPE = Recipe(
    epochs=2,
    batch_size=16,
    optimizer=partial(torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=1e-3),
    drop_last=True,
    clip_norm=1.0,
)


def pixels() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randint(0, 256, (52, 1, 8, 8), generator=generator, dtype=torch.uint8),
        torch.randint(0, 3, (52,), generator=generator),
    )


def residual(place: Place) -> Any:
    """A residual network with batch norm, on flipped and cropped images."""
    prepare = Pipeline([RandomHorizontalFlip(), RandomResizedCrop(8, scale=(0.8, 1.0), ratio=(0.9, 1.1)), CENTRE])
    return collect(
        fit(lambda: ResNet(3, (1, 1), (4, 6), in_channels=1), pixels(), classification, RECIPE,
            seeds=(0,), prepare=prepare, place=place)
    )  # fmt: skip


def contrastive(place: Place) -> Any:
    """SimCLR, whose negatives are the joint batch's, while what is measured is each process's own."""
    views = ContrastiveTransformations(Pipeline([RandomHorizontalFlip(), CENTRE]))
    inputs, labels = pixels()
    measure = partial(measure_contrastive, images=Images(inputs[:20], labels[:20], ("a", "b", "c")), views=views,
                      temperature=0.2, pairs=10)  # fmt: skip
    return collect(
        fit(lambda: SimCLR(BaseNetwork(1, 2, 6, image_size=8), 6, hidden_dim=4), (inputs, labels),
            partial(info_nce, temperature=0.2), replace(RECIPE, select=Selection(metric="loss", best="smallest")),
            seeds=(0,), prepare=views, measure={"validation": measure}, place=place)
    )  # fmt: skip


def whole(train: Callable[[Place], Any]) -> tuple[Any, dict[str, Tensor]]:
    rows, trained = train(Place(precision="float64"))
    return rows, trained.models[0].state_dict()


def in_two_processes(work: Callable[..., Any], folder: Path, *arguments: Any) -> list[Any]:
    """What `work(place, *arguments)` gives in each of two processes that have joined."""
    context = multiprocessing.get_context("fork")
    receivers, started = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads that hold nothing
        for rank in range(2):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_one, args=(work, rank, folder / "store", sender, arguments))
            process.start()
            sender.close()
            receivers.append(receiver)
            started.append(process)
    try:
        found = [receiver.recv() for receiver in receivers]
    except EOFError:
        pytest.fail("a process died; see its traceback above")
    for process in started:
        process.join(timeout=20)
        assert process.exitcode == 0
    return found


def _one(work: Callable[..., Any], rank: int, store: Path, sender: Any, arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    ranks = Ranks(rank, 2)
    with joined(ranks, f"file://{store}"):
        sender.send(work(Place(precision="float64", ranks=ranks), *arguments))


def trained_by(place: Place, train: Callable[[Place], Any], wrong: Callable[[], None] | None = None) -> Any:
    if wrong is not None:
        wrong()
    rows, trained = train(place)
    return rows, {name: tensor.numpy() for name, tensor in trained.models[0].state_dict().items()}


def check_is_one_process(found: list[Any], train: Callable[[Place], Any]) -> None:
    rows, weights = whole(train)
    for other_rows, other_weights in found:
        assert other_weights.keys() == weights.keys()
        for name, tensor in weights.items():
            torch.testing.assert_close(torch.from_numpy(other_weights[name]), tensor, rtol=0, atol=1e-9, msg=name)
        for row, other in zip(rows, other_rows, strict=True):
            assert other == pytest.approx(row, abs=1e-9)


@pytest.mark.parametrize("train", [residual, contrastive])
def test_two_processes_are_one_with_the_joint_batch(train, tmp_path, one_thread):
    check_is_one_process(in_two_processes(trained_by, tmp_path, train), train)


def norms_of_their_own() -> None:
    """Wrong: batch norm takes the statistics of a process's own share."""
    JointStatistics.__torch_function__ = lambda _self, func, _types, args=(), kwargs=None: func(*args, **kwargs or {})


def gradients_of_their_own() -> None:
    """Wrong: each process goes down its own gradient."""
    Share._share_gradients = lambda _self: None


def the_same_share() -> None:
    """Wrong: all processes see the same part of the batch."""
    Ranks.share = lambda _self, batch: batch.chunk(2)[0]


def measured_together() -> None:
    """Wrong: what each process measures alone is gathered as if it were shared."""
    contrastive_measure.alone = contextlib.nullcontext


@pytest.mark.parametrize(
    ("wrong", "train"),
    [
        (norms_of_their_own, residual),
        (gradients_of_their_own, residual),
        (the_same_share, residual),
        (measured_together, contrastive),
    ],
)
def test_mistakes_are_told_apart(wrong, train, tmp_path, one_thread):
    with pytest.raises(AssertionError):
        check_is_one_process(in_two_processes(trained_by, tmp_path, train, wrong), train)


def norm_of_share(place: Place, axes: int, momentum: float, affine: bool) -> Any:
    batch, layer = case_of_norm(axes, affine)
    share = place.ranks.share(batch).clone().requires_grad_()
    with JointStatistics():
        out = F.batch_norm(share, layer.running_mean, layer.running_var, layer.weight, layer.bias, True, momentum)
    (out * torch.arange(out.numel()).view_as(out).double().cos() * (1 + place.ranks.rank)).sum().backward()
    assert share.grad is not None
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return [tensor.detach().numpy() for tensor in (out, share.grad, layer.running_mean, layer.running_var)]


def case_of_norm(axes: int, affine: bool = True) -> tuple[Tensor, nn.BatchNorm1d]:
    generator = torch.Generator().manual_seed(axes)
    batch = 3 + torch.randn(6, 3, *[2] * axes, generator=generator, dtype=torch.float64)
    layer = nn.BatchNorm1d(3, affine=affine, dtype=torch.float64)
    if affine:
        nn.init.uniform_(layer.weight, 0.5, 2, generator=generator)
    return batch, layer


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("axes", [0, 2])
def test_batch_norm_of_shares_is_torchs_of_the_whole(axes, affine, tmp_path, one_thread):
    found = in_two_processes(norm_of_share, tmp_path, axes, 0.3, affine)
    batch, layer = case_of_norm(axes, affine)
    batch.requires_grad_()
    out = F.batch_norm(batch, layer.running_mean, layer.running_var, layer.weight, layer.bias, True, 0.3)
    half = out.chunk(2)[0]
    weighted = torch.arange(half.numel()).view_as(half).double().cos()
    sum((part * weighted * (1 + rank)).sum() for rank, part in enumerate(out.chunk(2))).backward()  # pyright: ignore
    assert batch.grad is not None
    for rank, (share, gradient, mean, variance) in enumerate(found):
        for got, expected in [(share, out.chunk(2)[rank]), (gradient, batch.grad.chunk(2)[rank]),
                              (mean, layer.running_mean), (variance, layer.running_var)]:  # fmt: skip
            torch.testing.assert_close(torch.from_numpy(got), expected.detach(), rtol=0, atol=1e-12)


def test_a_norm_that_does_not_train_is_torchs():
    batch, layer = case_of_norm(2)
    with JointStatistics():
        found = layer.eval()(batch.flatten(2))
    torch.testing.assert_close(found, layer(batch.flatten(2)))
    with pytest.raises(AssertionError):
        joint_batch_norm(batch, None, None, training=False)


def stopped(place: Place, state: Path) -> Any:
    """A signal reaches the second process before its fourth step; then both go on from what is saved."""
    steps, stop = [], Stop()
    place = replace(place, state=state, save_steps=1000, stop=stop)
    make_step = Share.step

    def step(self: Share, *arguments: Any, **options: Any) -> Any:
        steps.append(options["number"])
        if place.ranks.rank == 1 and len(steps) == 4:
            stop.request(signal.SIGUSR1)
        return make_step(self, *arguments, **options)

    Share.step = step
    with pytest.raises(InterruptedRunError) as told:
        residual(place)
    Share.step = make_step
    dist.barrier()
    left = sorted(path.name for path in state.rglob("*.state"))
    return str(told.value), steps, left, *trained_by(replace(place, stop=Stop()), residual)


def test_a_signal_that_one_process_hears_stops_all_and_the_state_goes_on(tmp_path, one_thread):
    found = in_two_processes(stopped, tmp_path, tmp_path / "state")
    for told, steps, left, _rows, _weights in found:
        assert told == "stopped by SIGUSR1"
        assert steps == [0, 1, 2, 3]
        assert left == ["000000000004.state"], "the first process saves, and it alone"
    check_is_one_process([each[-2:] for each in found], residual)


@pytest.mark.parametrize(
    ("changes", "samples", "told"),
    [
        ({"batch_size": 15}, 52, "a batch has 15"),
        ({"batch_size": 34, "drop_last": False}, 51, "the last batch of an epoch has 17"),
    ],
)
def test_uneven_batches_are_refused(changes, samples, told):
    examples = tuple(part[:samples] for part in pixels())
    training = fit(lambda: nn.Linear(1, 1), examples, classification, replace(RECIPE, **changes),
                   place=Place(ranks=Ranks(0, 2)))  # fmt: skip
    with pytest.raises(UsageError, match=f"{told} samples, which 2 processes cannot share evenly"):
        collect(training)


def test_a_draw_for_the_whole_batch_is_refused():
    shuffled = Pipeline([BatchShuffle(), CENTRE])
    training = fit(lambda: nn.Linear(1, 1), pixels(), classification, RECIPE, prepare=shuffled,
                   place=Place(ranks=Ranks(0, 2)))  # fmt: skip
    with pytest.raises(UsageError, match="draws once for its whole batch"):
        collect(training)


@pytest.mark.parametrize("way", ["processes", "stacked"])
def test_seeds_that_run_together_cannot_be_shared(way):
    with pytest.raises(UsageError, match="2 processes train one seed after another: leave out --together"):
        collect(fit(lambda: nn.Linear(1, 1), pixels(), classification, RECIPE, together=way,
                    place=Place(ranks=Ranks(0, 2))))  # fmt: skip


def timings(place: Place, folder: Path) -> list[float]:
    """What each process goes on with, where each takes its own time, and a second time after a resume."""
    own = RunFolder(folder) if place.ranks.rank == 0 else None
    found = []
    for own_time in (1.5 + place.ranks.rank, 7.0):
        run = Run(place=place, folder=own)
        found.append(run.remember("seconds", lambda own_time=own_time: sum(place.ranks.summed([0.0])) + own_time))
    return found


def test_all_go_on_with_the_timing_of_the_first_and_all_measure_or_none(tmp_path, one_thread):
    (tmp_path / "run").mkdir()
    assert in_two_processes(timings, tmp_path, tmp_path / "run") == [[1.5, 1.5], [1.5, 1.5]]


@pytest.mark.parametrize(("rank", "count"), [("2", "2"), ("-1", "2"), ("a", "2")])
def test_an_environment_that_makes_no_sense_is_told(rank, count, monkeypatch):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", count)
    with pytest.raises(UsageError, match="RANK and WORLD_SIZE must be numbers as torchrun gives them"):
        ranks_here()


def test_told_by_the_environment(monkeypatch):
    assert ranks_here() == Ranks(0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ranks_here() == Ranks(1, 2)
    assert [ranks_here().device(kind) for kind in ("cuda", "cpu")] == ["cuda:1", "cpu"]
    assert Ranks().device("cuda") == "cuda"
