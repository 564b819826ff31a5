import pytest
import torch
from torch import Tensor, nn

from gradlab.nn import AttentionBlock


def made(kind: type[AttentionBlock] = AttentionBlock, dropout: float = 0.0) -> AttentionBlock:
    torch.manual_seed(0)
    block = kind(8, 12, 2, dropout).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))  # so that no norm is left at its identity
    return block


def tokens() -> Tensor:
    return torch.randn(5, 3, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def normed(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True) + norm.eps).sqrt() * norm.weight + norm.bias


def written_out(block: AttentionBlock, x: Tensor) -> Tensor:
    """The paper's figure from matrix products; torch's own attention in the middle."""
    attention = nn.MultiheadAttention(8, 2).double()
    attention.load_state_dict(
        {
            "in_proj_weight": block.attention.project_in.weight,
            "in_proj_bias": block.attention.project_in.bias,
            "out_proj.weight": block.attention.project_out.weight,
            "out_proj.bias": block.attention.project_out.bias,
        }
    )
    inner = normed(block.attention_norm, x)
    x = x + attention(inner, inner, inner)[0]
    first, second = block.feed_forward[0], block.feed_forward[3]
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    hidden = normed(block.feed_forward_norm, x) @ first.weight.T + first.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    return x + hidden @ second.weight.T + second.bias


class PostNorm(AttentionBlock):
    """Wrong: norms between the residual blocks, as in the transformer of 2017."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention_norm(x + self.attention(x))
        return self.feed_forward_norm(x + self.feed_forward(x))


class NormedShortcut(AttentionBlock):
    """Wrong: the shortcut starts behind the norm."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention_norm(x)
        x = x + self.attention(x)
        return x + self.feed_forward(self.feed_forward_norm(x))


def check_equals_the_figure(block: AttentionBlock) -> None:
    torch.testing.assert_close(block(tokens()), written_out(block, tokens()), rtol=0, atol=1e-12)


def test_it_equals_the_figure():
    check_equals_the_figure(made())


@pytest.mark.parametrize("wrong", [PostNorm, NormedShortcut])
def test_other_blocks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_figure(made(wrong))


def test_tokens_of_one_image_meet_and_no_others():
    block, x = made(), tokens().requires_grad_()
    (gradient,) = torch.autograd.grad(block(x)[2, 1].sum(), x)
    assert (gradient[:, 1].abs().sum(-1) > 0).all()
    assert gradient[:, [0, 2]].abs().sum() == 0


def test_tokens_are_a_set():
    block, order = made(), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(block(tokens()[order]), block(tokens())[order], rtol=0, atol=1e-13)


def test_the_map_is_that_of_the_attention():
    block = made()
    assert torch.equal(block.attention_map(tokens()), block.attention.weights(block.attention_norm(tokens())))
    assert block.attention_map(tokens()).shape == (3, 2, 5, 5)


def test_dropout_only_in_training_and_only_in_the_feed_forward_network():
    block = made(dropout=0.5)
    assert not torch.equal(block(tokens()), block(tokens()))
    block.eval()
    check_equals_the_figure(block)
    block.train()
    with torch.no_grad():
        for layer in (block.feed_forward[0], block.feed_forward[3]):
            assert isinstance(layer, nn.Linear)
            layer.weight.zero_()
            layer.bias.zero_()
    assert torch.equal(block(tokens()), block(tokens()))


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="heads must divide the embedding: got 3 heads, 8 dimensions"):
        AttentionBlock(8, 12, 3)
