"""Scaled dot-product attention, alone and with several heads."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gradlab.nn.dropout import Dropout


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Mixes the values by how well each query matches each key: softmax(query key^T / sqrt(features)) value.

    Args:
        query: [..., queries, features].
        key: [..., keys, features].
        value: [..., keys, value features].
        mask: broadcast to [..., queries, keys]; a query does not see the keys where it is 0 or False.
        dropout: what the weights go through, such as an `nn.Dropout`.

    Returns:
        The mixed values [..., queries, value features] and the weights [..., queries, keys], which sum to 1 over the
        keys before dropout.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.1, equation 1; cheat-sheet, "Transformer".
    Differs from the handbook: a query that sees no key gets zeros, where the softmax of nothing but -inf is NaN.
    """
    scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-2, -1)
    weights = scores.softmax(dim=-1) if mask is None else _softmax_where(mask != 0, scores)
    if dropout is not None:
        weights = dropout(weights)
    return weights @ value, weights


class MultiHeadedAttention(nn.Module):
    """Attention in several heads, each over its own part of the features.

    `attn` holds the last forward pass's weights [batch, heads, queries, keys], cut off from the graph.

    Args:
        h: heads.
        d_model: features of queries, keys, values and the output; a multiple of `h`.
        dropout: share of the weights that training drops.

    Source: Vaswani et al. 2017, section 3.2.2; cheat-sheet, "Transformer".
    Differs from the handbook: its loop over the projections lacks a pair of parentheses; the weights are kept without
    their graph, so that they hold no memory of a whole forward pass.

    Raises:
        ValueError: the heads do not divide the features.
    """

    attn: Tensor | None

    def __init__(self, h: int, d_model: int, dropout: float = 0.1) -> None:
        super().__init__()
        if h < 1 or d_model % h:
            raise ValueError(f"heads must divide the features: got {h} heads, {d_model} features")
        self.h = h
        self.d_k = d_model // h
        self.linears = nn.ModuleList([nn.Linear(d_model, d_model) for _ in range(4)])
        self.dropout = Dropout(dropout)
        self.attn = None

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns [batch, queries, features].

        Args:
            query: [batch, queries, features].
            key: [batch, keys, features].
            value: [batch, keys, features].
            mask: [batch or 1, queries or 1, keys], the same for all heads; 0 or False hides a key.
        """
        heads = [
            project(tensor).unflatten(-1, (self.h, self.d_k)).transpose(-3, -2)  # [batch, heads, tokens, d_k]
            for project, tensor in zip(self.linears[:3], (query, key, value), strict=True)
        ]
        mixed, weights = attention(*heads, mask=None if mask is None else mask.unsqueeze(-3), dropout=self.dropout)
        self.attn = weights.detach()
        return self.linears[-1](mixed.transpose(-3, -2).flatten(-2))


def _softmax_where(seen: Tensor, scores: Tensor) -> Tensor:
    """The softmax over what is seen. The smallest number for -inf: gradients stay finite where nothing is seen."""
    hidden = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
    return hidden.softmax(dim=-1).masked_fill(~seen, 0.0)
