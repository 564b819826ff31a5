import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, stack_module_state, vmap

from gradlab.nn import SelfAttention

TOKENS, BATCH, HEADS, FEATURES = 5, 3, 4, 8


def made(kind: type[SelfAttention] = SelfAttention) -> SelfAttention:
    torch.manual_seed(0)
    module = kind(FEATURES, HEADS).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()  # biases start at zero, where they could be forgotten
    return module


def tokens() -> Tensor:
    return torch.randn(TOKENS, BATCH, FEATURES, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def written_out(module: SelfAttention, x: Tensor) -> tuple[Tensor, Tensor]:
    """Token by token and head by head, from the paper's equations: the mixed tokens and the weights."""
    size = FEATURES // HEADS
    query, key, value = (x @ w.T + b for w, b in zip(module.project_in.weight.chunk(3), module.project_in.bias.chunk(3),
                                                     strict=True))  # fmt: skip
    mixed, weights = torch.zeros_like(x), torch.zeros(BATCH, HEADS, TOKENS, TOKENS, dtype=torch.float64)
    for image in range(BATCH):
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            for token in range(TOKENS):
                scores = torch.stack([query[token, image, part] @ key[other, image, part] for other in range(TOKENS)])
                shares = (scores / size**0.5).exp()
                weights[image, head, token] = shares / shares.sum()
                mixed[token, image, part] = weights[image, head, token] @ value[:, image, part]
    return mixed @ module.project_out.weight.T + module.project_out.bias, weights


class BatchForTokens(SelfAttention):
    """Wrong: looks along the batch, as a module that expects [batch, tokens, features] would."""

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens.transpose(0, 1)).transpose(0, 1)


class Unscaled(SelfAttention):
    """Wrong: scores without 1 / sqrt(d)."""

    def forward(self, tokens: Tensor) -> Tensor:
        queries, keys, values = self._queries_keys_values(tokens)
        mixed = (queries @ keys.transpose(-2, -1)).softmax(-1) @ values
        return self.project_out(mixed.permute(2, 0, 1, 3).flatten(2))


class HeadsMixedUp(SelfAttention):
    """Wrong: puts the heads' numbers back in another order."""

    def forward(self, tokens: Tensor) -> Tensor:
        mixed = self.attend(*self._queries_keys_values(tokens))
        return self.project_out(mixed.permute(2, 0, 3, 1).flatten(2))


def check_equals_the_equations(module: SelfAttention) -> None:
    mixed, weights = written_out(module, tokens())
    torch.testing.assert_close(module(tokens()), mixed, rtol=0, atol=1e-13)
    torch.testing.assert_close(module.weights(tokens()), weights, rtol=0, atol=1e-13)


def test_it_equals_the_equations():
    check_equals_the_equations(made())


@pytest.mark.parametrize("wrong", [BatchForTokens, Unscaled, HeadsMixedUp])
def test_other_attentions_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_equations(made(wrong))


def as_torch(module: SelfAttention) -> nn.MultiheadAttention:
    oracle = nn.MultiheadAttention(FEATURES, HEADS).double()
    ours = {"in_proj_weight": module.project_in.weight, "in_proj_bias": module.project_in.bias}
    out = {f"out_proj.{name}": tensor for name, tensor in module.project_out.named_parameters()}
    oracle.load_state_dict(ours | out)
    return oracle


def test_it_equals_torch_s_module_with_gradients():
    module, x = made(), tokens()
    oracle = as_torch(module)
    expected, weights = oracle(x, x, x, average_attn_weights=False)
    torch.testing.assert_close(module(x), expected, rtol=0, atol=1e-13)
    torch.testing.assert_close(module.weights(x), weights, rtol=0, atol=1e-13)
    module(x).pow(2).sum().backward()
    expected.pow(2).sum().backward()
    assert oracle.in_proj_weight.grad is not None
    torch.testing.assert_close(module.project_in.weight.grad, oracle.in_proj_weight.grad, rtol=1e-12, atol=1e-12)


def test_initial_weights_are_torch_s():
    torch.manual_seed(3)
    ours = SelfAttention(FEATURES, HEADS)
    assert ours.project_in.bias.abs().sum() == ours.project_out.bias.abs().sum() == 0
    bound = (6 / (FEATURES + 3 * FEATURES)) ** 0.5
    assert 0.9 * bound < ours.project_in.weight.abs().max() <= bound


def test_weights_are_shares():
    weights = made().weights(tokens())
    assert weights.shape == (BATCH, HEADS, TOKENS, TOKENS)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]), rtol=0, atol=1e-14)


def test_stacked_replicas_and_jacobians_take_the_same_numbers():
    """The warning of torch's fused kernel under `vmap` would fail this test."""
    replicas = [made(), made()]
    with torch.no_grad():
        replicas[1].project_in.weight.mul_(0.5)
    parameters, _ = stack_module_state(replicas)
    x = tokens()
    stacked = vmap(lambda weights: functional_call(replicas[0], weights, (x,)))(parameters)
    for index, replica in enumerate(replicas):
        torch.testing.assert_close(stacked[index], replica(tokens()), rtol=0, atol=1e-13)
    jacobian = jacrev(replicas[0])(tokens())
    by_backward = torch.autograd.functional.jacobian(replicas[0], tokens())
    torch.testing.assert_close(jacobian, by_backward, rtol=0, atol=1e-12)


def test_bfloat16_with_gradients_is_the_same_to_rounding():
    torch.manual_seed(0)
    module, x = SelfAttention(FEATURES, HEADS).double(), tokens().requires_grad_()
    expected = torch.autograd.grad(module(x).square().sum(), x)[0]
    half = x.detach().bfloat16().requires_grad_()
    found = torch.autograd.grad(module.bfloat16()(half).square().sum(), half)[0].double()
    assert (found - expected).norm() < 0.01 * expected.norm()  # bfloat16 keeps 8 binary digits


def test_in_bfloat16_each_product_finds_its_numbers_packed():
    parts = SelfAttention(FEATURES, HEADS).bfloat16()._queries_keys_values(tokens().bfloat16())
    assert all(part.is_contiguous() for part in parts)


def test_in_bfloat16_replicas_are_what_each_is_on_its_own():
    modules, x = [SelfAttention(FEATURES, HEADS).bfloat16() for _ in range(2)], tokens().bfloat16()
    parameters, _ = stack_module_state(modules)
    found = vmap(lambda weights: functional_call(modules[0], weights, (x,)))(parameters)
    for replica, module in zip(found, modules, strict=True):
        torch.testing.assert_close(replica, module(x), rtol=0.02, atol=0.02)


@pytest.mark.parametrize(("features", "heads"), [(8, 3), (8, 16), (8, 0), (0, 1), (8, -2)])
def test_heads_that_do_not_divide_are_refused(features, heads):
    told = f"heads must divide the embedding: got {heads} heads, {features} dimensions"
    with pytest.raises(ValueError, match=told):
        SelfAttention(features, heads)
