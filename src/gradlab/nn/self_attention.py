"""Multi-head self-attention."""

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.nn import functional as F

from gradlab.nn.attention import attention


class DotProductAttention(nn.Module):
    """Averages of the values, weighted by how well each query meets each key.

    Source: Vaswani et al. 2017, "Attention is all you need", equation 1.
    """

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """softmax(Q K^T / sqrt(d)) V of queries [..., tokens, d] and keys and values [..., sources, d]."""
        # The fused kernel of CPUs cannot be stacked by `vmap`: it warns and takes replicas one by one. In bfloat16 its
        # backward pass takes 8 times as long as these two products and a softmax (torch 2.13; LOG.md, "attention").
        stacked = not torch.compiler.is_compiling() and is_functorch_wrapped_tensor(queries)
        if stacked or _bfloat16_on_a_cpu(queries):
            mixed, _ = attention(queries, keys, values)
            return mixed
        return F.scaled_dot_product_attention(queries, keys, values)


class SelfAttention(nn.Module):
    """Every token looks at all tokens of its own image, with several heads side by side.

    Initial weights are those of `nn.MultiheadAttention`, and so are the results; forward and backward together take
    about four fifths of its time on a CPU (measured for 17 to 257 tokens, torch 2.13).

    Args:
        embed_dim: numbers of a token, a multiple of `num_heads`.
        num_heads: heads, each looking at `embed_dim / num_heads` numbers.

    Source: Vaswani et al. 2017, section 3.2.2 and figure 2.

    Raises:
        ValueError: the heads do not divide the numbers of a token.
    """

    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
            raise ValueError(f"heads must divide the embedding: got {num_heads} heads, {embed_dim} dimensions")
        self.num_heads = num_heads
        self.project_in = nn.Linear(embed_dim, 3 * embed_dim)
        self.attend = DotProductAttention()
        self.project_out = nn.Linear(embed_dim, embed_dim)
        nn.init.xavier_uniform_(self.project_in.weight)
        nn.init.zeros_(self.project_in.bias)
        nn.init.zeros_(self.project_out.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns [tokens, batch, embed_dim] for tokens of the same shape."""
        heads = self.attend(*self._queries_keys_values(tokens))
        return self.project_out(heads.permute(2, 0, 1, 3).flatten(2))

    def weights(self, tokens: Tensor) -> Tensor:
        """How much each token looks at each: [batch, heads, tokens, tokens], each row non-negative with sum 1."""
        _, weights = attention(*self._queries_keys_values(tokens))
        return weights

    def _queries_keys_values(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Each [batch, heads, tokens, embed_dim / heads]."""
        projected = self.project_in(tokens).unflatten(-1, (3, self.num_heads, -1)).permute(2, 1, 3, 0, 4)
        if _bfloat16_on_a_cpu(projected):
            # One copy of all three is cheaper than one in each product that takes them, and so are the slopes': 1.08 of
            # a vision transformer's speed with 65 tokens (LOG.md, "attention, packed").
            projected = projected.contiguous()
        queries, keys, values = projected.unbind()
        return queries, keys, values


def _bfloat16_on_a_cpu(numbers: Tensor) -> bool:
    return numbers.dtype == torch.bfloat16 and numbers.device.type == "cpu"
