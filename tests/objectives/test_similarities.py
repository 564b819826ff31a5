"""Similarities of a batch, and what several processes make of a joint one."""

import multiprocessing
import warnings

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from gradlab.objectives import barlow_twins_loss, info_nce_loss, similarities, supervised_contrastive_loss
from gradlab.objectives.similarities import batch_similarities, gathered

PROCESSES, IMAGES, INPUTS = 2, 3, 5


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_every_cosine_but_that_with_oneself():
    features = drawn(6, 4)
    cosines, own = batch_similarities(features)
    assert own.tolist() == [0, 1, 2, 3, 4, 5]
    for row in range(6):
        for column in range(6):
            expected = torch.cosine_similarity(features[row], features[column], dim=0)
            if row == column:
                assert cosines[row, column] == -torch.inf
            else:
                torch.testing.assert_close(cosines[row, column], expected, rtol=0, atol=1e-14)


def test_half_precision_is_widened_even_under_autocast():
    features = drawn(4, 3).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cosines, _ = batch_similarities(features)
    assert cosines.dtype == torch.float32
    torch.testing.assert_close(cosines, batch_similarities(features.float())[0])


def test_one_process_has_the_whole_batch():
    features = drawn(4, 3)
    assert gathered(features) is features
    with pytest.raises(ValueError, match="two views of each image, one after the other: got 3 rows"):
        gathered(drawn(3, 2))


# --- two processes with half a batch each are one process with the whole

LABELS = torch.tensor([0, 1, 0, 2, 1, 0])
LOSSES = {
    "info_nce": lambda features, _labels: info_nce_loss(features, 0.3),
    "supervised_contrastive": lambda features, labels: supervised_contrastive_loss(features, labels, 0.3),
    "barlow_twins": lambda features, _labels: barlow_twins_loss(features, 0.1),
}


def loss_and_gradient(name: str, images: slice) -> np.ndarray:
    """One loss of a linear network, and its gradient, for some of the images: [1 + weights]."""
    weights = drawn(INPUTS, 4, seed=1).requires_grad_()
    views = drawn(2, PROCESSES * IMAGES, INPUTS)[:, images].reshape(-1, INPUTS)
    loss = LOSSES[name](views @ weights, LABELS[images])
    loss.backward()
    assert weights.grad is not None
    return torch.cat([loss.detach().view(1), weights.grad.flatten()]).numpy()


def own_gradients_only(_context, *gradients: Tensor) -> Tensor:
    """Wrong: what the other processes' losses say of this one's features is lost."""
    return gradients[0][similarities.rank()]


def work(rank: int, store: str, wrong: bool, sender) -> None:
    torch.set_num_threads(1)
    if wrong:
        similarities._Gather.backward = staticmethod(own_gradients_only)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=PROCESSES)
    images = slice(rank * IMAGES, (rank + 1) * IMAGES)
    sender.send({name: loss_and_gradient(name, images) for name in LOSSES})
    dist.destroy_process_group()


def mean_over_processes(store: str, *, wrong: bool = False) -> dict[str, np.ndarray]:
    """What DistributedDataParallel makes of the processes: the mean of losses and of gradients."""
    context, receivers, started = multiprocessing.get_context("fork"), [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads that hold nothing
        for rank in range(PROCESSES):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=work, args=(rank, store, wrong, sender))
            process.start()
            sender.close()
            receivers.append(receiver)
            started.append(process)
    found = [receiver.recv() for receiver in receivers]
    for process in started:
        process.join()
    return {name: np.mean([each[name] for each in found], axis=0) for name in LOSSES}


def test_two_processes_are_one_with_the_joint_batch(tmp_path):
    found = mean_over_processes(str(tmp_path / "store"))
    for name in LOSSES:
        np.testing.assert_allclose(found[name], loss_and_gradient(name, slice(None)), rtol=0, atol=1e-12, err_msg=name)


def test_gradients_that_stay_in_their_process_are_told_apart(tmp_path):
    found = mean_over_processes(str(tmp_path / "store"), wrong=True)
    for name in LOSSES:
        whole = loss_and_gradient(name, slice(None))
        assert found[name][0] == pytest.approx(whole[0], abs=1e-12), "the loss is right all the same"
        assert np.abs(found[name] - whole).max() > 1e-3, name
