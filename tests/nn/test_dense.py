"""Linear layers by oneDNN beside torch's own and beside double precision."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradlab.nn import DenseLinear
from gradlab.nn import dense as module

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"),
    reason="this build of torch has no oneDNN",
)


@pytest.fixture
def called(monkeypatch):
    """Counts the products that oneDNN makes."""
    calls = []
    product = module._product
    monkeypatch.setattr(module, "_product", lambda *given: calls.append(given[0].shape) or product(*given))
    return calls


def layers(inputs, outputs, *, bias=True):
    """The same layer by oneDNN, by torch, and in double precision."""
    torch.manual_seed(0)
    dense = DenseLinear(inputs, outputs, bias=bias)
    plain, exact = nn.Linear(inputs, outputs, bias=bias), nn.Linear(inputs, outputs, bias=bias).double()
    plain.load_state_dict(dense.state_dict())
    exact.load_state_dict(dense.state_dict())
    return dense, plain, exact


def slopes(layer, x):
    x = x.detach().clone().requires_grad_()
    made = layer(x)
    made.square().sum().backward()
    return [made.detach(), x.grad, *(parameter.grad for parameter in layer.parameters())]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(128,), (16, 9), (4, 3, 11)])
def test_it_is_as_exact_as_torch_s_own(shape, bias, called):
    dense, plain, exact = layers(256, 128, bias=bias)
    x = torch.randn(*shape, 256, generator=torch.Generator().manual_seed(1))
    found, beside, true = slopes(dense, x), slopes(plain, x), slopes(exact, x.double())
    assert len(called) == 3, "forward, and for the slopes of inputs and weights"
    for ours, torchs, reference in zip(found, beside, true, strict=True):
        assert ours.shape == torchs.shape
        largest = reference.abs().max()
        assert (ours - reference).abs().max() / largest < max(1e-6, 3 * (torchs - reference).abs().max() / largest)


def test_slopes_that_nobody_asks_for_are_not_made(called):
    dense, plain, _ = layers(256, 128)
    x = torch.randn(128, 256)
    dense(x).sum().backward()
    assert len(called) == 2, "images have no slopes"
    dense.weight.requires_grad_(requires_grad=False)
    x.requires_grad_()
    found = torch.autograd.grad(dense(x).square().sum(), x)[0]
    assert len(called) == 4
    torch.testing.assert_close(found, torch.autograd.grad(plain(x).square().sum(), x)[0])


def test_slopes_have_slopes(called):
    """As a penalty on gradients asks for."""
    found = []
    for layer in layers(256, 128)[:2]:
        torch.manual_seed(2)
        x = torch.randn(128, 256, requires_grad=True)
        (of_x,) = torch.autograd.grad(layer(x).pow(3).sum(), x, create_graph=True)
        of_x.square().sum().backward()
        found.append([x.grad, layer.weight.grad, layer.bias.grad])
    assert called
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-2 * torchs.abs().max().item())


@pytest.mark.parametrize("case", ["small", "double", "autocast", "listened to", "stacked"])
def test_what_does_not_fit_is_torch_s_own_to_the_bit(case, called):
    kind = torch.float64 if case == "double" else torch.float32
    samples = 16 if case == "small" else 128
    dense, plain, _ = layers(256, 128)
    dense.to(kind)
    plain.to(kind)
    x = torch.randn(samples, 256, dtype=kind)
    if case == "autocast":
        with torch.autocast("cpu", torch.bfloat16):
            found, beside = dense(x), plain(x)
    elif case == "listened to":

        class Listener(torch.overrides.TorchFunctionMode):
            def __torch_function__(self, function, types, args=(), kwargs=None):
                heard.append(function)
                return function(*args, **(kwargs or {}))

        heard = []
        with Listener():
            found, beside = dense(x), plain(x)
        assert heard.count(F.linear) == 2
    elif case == "stacked":
        found, beside = (torch.vmap(layer)(x.view(2, -1, 256)) for layer in (dense, plain))
    else:
        found, beside = dense(x), plain(x)
    assert torch.equal(found, beside)
    assert not called


def test_it_is_traced_by_the_compiler_as_torch_s_own(called):
    dense, plain, _ = layers(256, 128)
    x = torch.randn(128, 256)
    torch.testing.assert_close(torch.compile(dense, backend="eager", fullgraph=True)(x), plain(x))
    assert not called
