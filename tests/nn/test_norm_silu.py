"""Batch norm and SiLU in one step: against both layers in double precision, and where it is not taken."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.overrides import TorchFunctionMode

from gradlab.nn import NormSiLUSequential, native_norm
from gradlab.nn.native import SWITCH
from gradlab.nn.norm_silu import _fits

needs_kernel = pytest.mark.skipif(native_norm() == "torch", reason="no native kernel")


def drawn(channels: int = 64, *, seed: int = 0, side: int = 7) -> Tensor:
    """Bfloat16 images with channels of different means and deviations, channels last."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(9, channels, side, side, generator=generator) * torch.linspace(0.5, 4, channels).view(-1, 1, 1)
    shifted = values + torch.linspace(-6, 6, channels).view(-1, 1, 1)
    return shifted.bfloat16().contiguous(memory_format=torch.channels_last)


def layers(channels: int = 64) -> NormSiLUSequential:
    norm = nn.BatchNorm2d(channels)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(-2, 2, channels))
        norm.bias.copy_(torch.linspace(3, -3, channels))
    return NormSiLUSequential(norm, nn.SiLU())


def outcome(network: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Result, slopes and running statistics of one training pass, in double precision."""
    images = images.detach().requires_grad_()
    made = network(images)
    slope = drawn(images.shape[1], seed=1).to(made.dtype)
    gradients = torch.autograd.grad(made, (images, *network.parameters()), slope)
    told = dict(zip(("images", "weight", "bias"), gradients, strict=True)) | {"result": made.detach()}
    return {name: tensor.double() for name, tensor in (told | dict(network.named_buffers())).items()}


def errors(found: dict[str, Tensor], exact: dict[str, Tensor]) -> dict[str, float]:
    return {name: ((found[name] - exact[name]).norm() / exact[name].norm()).item() for name in exact}


@needs_kernel
def test_one_step_is_as_exact_as_two():
    """Against double precision: hardly further off than torch's own two layers in bfloat16."""
    network = layers()
    exact = outcome(nn.Sequential(*copy.deepcopy(network)).double(), drawn().double())
    two = errors(outcome(nn.Sequential(*copy.deepcopy(network)), drawn()), exact)
    one = errors(outcome(copy.deepcopy(network), drawn()), exact)
    assert all(one[name] <= 1.05 * two[name] + 1e-5 for name in exact), (one, two)
    assert max(one[name] for name in ("weight", "bias", "0.running_mean", "0.running_var")) < 1e-4
    assert max(one["result"], one["images"] / 4) < 2**-8  # bfloat16 has 8 bits; slopes by images are differences


@needs_kernel
def test_it_is_taken_where_it_fits(monkeypatch):
    network, called = layers(), []
    network[1].register_forward_hook(lambda *_: called.append("SiLU"))
    network(drawn())
    assert not called
    monkeypatch.setenv(SWITCH, "0")
    network(drawn())
    assert called == ["SiLU"]


@pytest.mark.parametrize(
    "change",
    [
        lambda network, images: (network.eval(), images),
        lambda network, images: (network, images.float()),
        lambda network, images: (network, images.contiguous()),
        lambda network, images: (network.bfloat16(), images),
        lambda network, images: (layers(48), images[:, :48].contiguous(memory_format=torch.channels_last)),
        lambda network, images: (NormSiLUSequential(nn.BatchNorm2d(64, affine=False), nn.SiLU()), images),
        lambda network, images: (NormSiLUSequential(nn.BatchNorm2d(64, momentum=None), nn.SiLU()), images),
        lambda network, images: (NormSiLUSequential(nn.BatchNorm2d(64), nn.ReLU()), images),
    ],
)
def test_otherwise_the_layers_are_called(change):
    network, images = change(layers(), drawn())
    expected, called = nn.Sequential(*copy.deepcopy(network))(images), []
    for layer in network:
        layer.register_forward_hook(lambda layer, *_: called.append(layer))
    assert torch.equal(network(images), expected)
    assert called == list(network)


class Listens(TorchFunctionMode):
    """Hears of every batch norm, as those do who take the statistics of several processes."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.heard += func is nn.functional.batch_norm
        return func(*args, **(kwargs or {}))


def test_who_listens_to_batch_norm_hears_of_it():
    with Listens() as listener:
        layers()(drawn())
    assert listener.heard == 1


def test_a_stack_calls_the_layers():
    """`vmap` has no numbers that a kernel could read."""
    norm, alone, found = layers()[0], drawn(), []
    assert _fits(norm, alone) == (native_norm() != "torch")

    def asked(images: Tensor) -> Tensor:
        found.append(_fits(norm, images))
        return images

    vmap(asked)(alone.permute(0, 2, 3, 1).expand(2, -1, -1, -1, -1).contiguous().permute(0, 1, 4, 2, 3))
    assert found == [False]


@needs_kernel
def test_what_is_not_a_number_stays_one():
    images = drawn()
    images[0, 3] = torch.nan
    made = layers()(images)
    assert made[:, 3].isnan().all()
    assert made[:, :3].isfinite().all()
