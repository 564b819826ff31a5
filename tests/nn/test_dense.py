"""Linear layers by oneDNN beside torch's own and beside double precision."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad

from gradlab.nn import DenseProducts
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
    monkeypatch.setattr(module, "LEAST_PRODUCTS", 2_000_000)
    monkeypatch.setattr(module, "_product", lambda *given: calls.append(given[0].shape) or product(*given))
    return calls


class ByOneDNN(nn.Module):
    """A layer of torch's in the context, as a training step calls it."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        with DenseProducts():
            return self.layer(x)


def layers(inputs, outputs, *, bias=True):
    """The same layer by oneDNN, by torch, and in double precision."""
    torch.manual_seed(0)
    plain, exact = nn.Linear(inputs, outputs, bias=bias), nn.Linear(inputs, outputs, bias=bias).double()
    dense = nn.Linear(inputs, outputs, bias=bias)
    dense.load_state_dict(plain.state_dict())
    exact.load_state_dict(plain.state_dict())
    return ByOneDNN(dense), plain, exact


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
    dense.layer.weight.requires_grad_(requires_grad=False)
    x.requires_grad_()
    found = torch.autograd.grad(dense(x).square().sum(), x)[0]
    assert len(called) == 4
    torch.testing.assert_close(found, torch.autograd.grad(plain(x).square().sum(), x)[0])


def test_what_torch_may_change_in_place_may_be_changed(called):
    """The result, in any number of dimensions, and whatever no slope needs."""
    found = []
    for layer in layers(256, 256)[:2]:
        x = torch.randn(4, 32, 256, generator=torch.Generator().manual_seed(1), requires_grad=True)
        first = nn.functional.relu(layer(x), inplace=True)
        for parameter in layer.parameters():
            parameter.requires_grad_(requires_grad=False)
        residual = first * 2
        residual += layer(residual)  # frozen: its slope needs no input
        residual.sum().backward()
        found.append(x.grad)
    assert called
    torch.testing.assert_close(found[0], found[1])


def test_many_slopes_are_made_at_once(called):
    found = []
    for layer in layers(256, 128)[:2]:
        x = torch.randn(128, 256, generator=torch.Generator().manual_seed(1), requires_grad=True)
        slopes = torch.randn(3, 128, 128, generator=torch.Generator().manual_seed(2))
        found.append(torch.autograd.grad(layer(x), x, slopes, is_grads_batched=True)[0])
    assert called
    torch.testing.assert_close(found[0], found[1])


def test_slopes_have_slopes(called):
    """As a penalty on gradients asks for."""
    found = []
    for layer in layers(256, 128)[:2]:
        torch.manual_seed(2)
        x = torch.randn(128, 256, requires_grad=True)
        (of_x,) = torch.autograd.grad(layer(x).pow(3).sum(), x, create_graph=True)
        of_x.square().sum().backward()
        found.append([x.grad, *(parameter.grad for parameter in layer.parameters())])
    assert called
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-2 * torchs.abs().max().item())


class Own(nn.Linear):
    """A layer of somebody else's."""


def forward_slope(layer, x):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(layer(forward_ad.make_dual(x, x))).tangent


CASES = {
    "small": lambda dense, plain, x: (dense(x[:16]), plain(x[:16])),
    "double": lambda dense, plain, x: (dense.double()(x.double()), plain.double()(x.double())),
    "one sample": lambda dense, plain, x: (dense(x[0]), plain(x[0])),
    "stacked": lambda dense, plain, x: tuple(torch.vmap(each)(x.view(2, -1, 256)) for each in (dense, plain)),
    "weights of many": lambda dense, plain, x: tuple(
        torch.func.grad(lambda w, each=each: nn.functional.linear(x, w).sum() + each(x).sum())(plain.weight)
        for each in (dense, plain)
    ),
    "forward slopes": lambda dense, plain, x: tuple(forward_slope(each, x) for each in (dense, plain)),
    "sparse": lambda dense, plain, x: tuple(each(x.to_sparse()) for each in (dense, plain)),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # torch's own forward slopes
@pytest.mark.parametrize("case", CASES)
def test_what_does_not_fit_is_torch_s_own_to_the_bit(case, called):
    dense, plain, _ = layers(256, 128)
    found, beside = CASES[case](dense, plain, torch.randn(128, 256, generator=torch.Generator().manual_seed(1)))
    assert torch.equal(found, beside)
    assert not called


def test_narrow_layers_and_those_of_others_are_left_alone(called):
    for layer in (nn.Linear(4096, 16), Own(256, 128)):
        with DenseProducts():
            layer(torch.randn(256, layer.in_features))
    assert not called


def test_what_does_not_match_is_told_by_torch(called):
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        layers(256, 128)[0](torch.randn(128, 257))


def test_autocast_goes_before(called):
    dense, plain, _ = layers(256, 128)
    x = torch.randn(128, 256)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(dense(x), plain(x))
    assert not called


def test_whoever_listens_hears_of_the_layer(called):
    heard = []

    class Listener(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            heard.append(function)
            return function(*args, **(kwargs or {}))

    with Listener():
        layers(256, 128)[0](torch.randn(128, 256))
    assert nn.functional.linear in heard
    assert not called


def test_the_context_leaves_torch_as_it_was_and_others_patches_in_place(monkeypatch):
    before = nn.Linear.forward
    with DenseProducts():
        assert nn.Linear.forward is not before
    assert nn.Linear.forward is before
    with pytest.raises(RuntimeError):
        layers(256, 128)[0](torch.randn(128, 257))
    assert nn.Linear.forward is before, "also after a failure"
    monkeypatch.setattr(nn.Linear, "forward", lambda _layer, x: x)
    own = nn.Linear.forward
    with DenseProducts():
        assert nn.Linear.forward is own
    assert nn.Linear.forward is own


def test_it_is_traced_by_the_compiler_as_torch_s_own(called):
    _, plain, _ = layers(256, 128)
    x = torch.randn(128, 256)
    with DenseProducts():
        found = torch.compile(plain, backend="eager", fullgraph=True)(x)
    assert torch.equal(found, plain(x))
    assert not called
