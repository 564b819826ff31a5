"""Several seeds at a time find, bit for bit, what one after the other finds."""

import threading

import pytest
import torch
from torch import nn

from gradlab.evaluation import each_seed
from gradlab.evaluation.each_seed import of_each_seed


@pytest.fixture
def models() -> dict[int, nn.Module]:
    torch.manual_seed(0)
    return {
        seed: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4)) for seed in (4, 1, 7)
    }


@pytest.fixture(params=[1, 2, 3, 16])
def cores(request, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(each_seed, "available_cores", lambda: request.param)
    yield request.param
    torch.set_num_threads(before)


def logits(model: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.linspace(-1, 1, 5 * 3 * 64).view(5, 3, 8, 8))


@pytest.mark.parametrize("autocast", [True, False])
def test_they_find_the_same_bits_in_the_same_order(models, cores, autocast):
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        expected = {seed: logits(model) for seed, model in models.items()}
        found = of_each_seed(models, logits)
    assert list(found) == list(expected)
    for seed, tensor in expected.items():
        assert found[seed].dtype == (torch.bfloat16 if autocast else torch.float32)
        assert torch.equal(found[seed], tensor)


def test_as_many_at_a_time_as_there_are_cores(models, cores):
    """All of the first ones wait for each other: were they fewer at a time, none would ever go on."""
    at_once = min(cores, len(models))
    barrier, waited, lock = threading.Barrier(at_once), [], threading.Lock()

    def meet(_model):
        with lock:
            waited.append(len(waited))
            first = len(waited) <= at_once
        if first:
            barrier.wait(timeout=20)
        return torch.get_num_threads()

    assert set(of_each_seed(models, meet).values()) == {1}, "each computes with one thread"


def test_one_after_the_other_where_each_computes_with_several_threads(models, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    here = threading.get_ident()
    assert set(of_each_seed(models, lambda _model: threading.get_ident()).values()) == {here}


def test_what_one_of_them_raises_is_raised(models, cores):
    def fail(model):
        raise ValueError(f"{cores} cores")

    with pytest.raises(ValueError, match=f"{cores} cores"):
        of_each_seed(models, fail)
    assert of_each_seed({}, fail) == {}
