"""Products of vectors and matrices, inverse, determinant and attention."""

import math

import torch
from torch import Tensor

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved


def _matrices(node: str, first: str, second: str) -> Derivative:
    """The product of two matrices, or of each pair in a batch."""
    return Derivative(node, "A B", (
        Input("A", f"∂yᵢⱼ/∂Aᵢₖ = Bₖⱼ{'' if node == 'MmBackward0' else ', in each matrix of the batch'}", "g Bᵀ",
              lambda s: s.g @ getattr(s, second).mT, first),
        Input("B", f"∂yᵢⱼ/∂Bₖⱼ = Aᵢₖ{'' if node == 'MmBackward0' else ', in each matrix of the batch'}", "Aᵀ g",
              lambda s: getattr(s, first).mT @ s.g, second),
    ))  # fmt: skip


def _sum_and_matrices(node: str, first: str, second: str) -> Derivative:
    """A product added to a matrix, which may be a row for all rows."""
    return Derivative(node, "β · C + α · A B (β and α are 1 unless given)", (
        Input("C", "∂yᵢⱼ/∂Cᵢⱼ = β", "β · g, summed over the axes along which C was repeated", lambda s: s.beta * s.g),
        Input("A", "∂yᵢⱼ/∂Aᵢₖ = α · Bₖⱼ", "α · g Bᵀ", lambda s: s.alpha * s.g @ getattr(s, second).mT, first),
        Input("B", "∂yᵢⱼ/∂Bₖⱼ = α · Aᵢₖ", "α · Aᵀ g", lambda s: s.alpha * getattr(s, first).mT @ s.g, second),
    ))  # fmt: skip


def _shares(s: Saved) -> tuple[Tensor, float]:
    """Attention's weights, [..., queries, keys], and the factor before the softmax."""
    scale = s.scale or 1 / math.sqrt(s.query.shape[-1])
    scores = s.query @ s.key.mT * scale
    if s.is_causal:
        scores = scores.masked_fill(~torch.ones_like(scores, dtype=torch.bool).tril(), -math.inf)
    if s.attn_mask is not None:
        scores = scores + s.attn_mask
    return scores.softmax(-1), scale


def _scores_gradient(s: Saved) -> tuple[Tensor, float]:
    """The gradient at the scores: through the softmax, y · (g - Σ g · y) row by row."""
    shares, scale = _shares(s)
    arriving = s.g @ s.value.mT
    return shares * (arriving - (arriving * shares).sum(-1, keepdim=True)), scale


def _queries(s: Saved) -> Tensor:
    gradient, scale = _scores_gradient(s)
    return gradient @ s.key * scale


def _keys(s: Saved) -> Tensor:
    gradient, scale = _scores_gradient(s)
    return gradient.mT @ s.query * scale


PRODUCTS = (
    Derivative("DotBackward0", "Σ aᵢ bᵢ", (
        Input("a", "∂y/∂aᵢ = bᵢ", "g · b", lambda s: s.g * s.tensor, "self"),
        Input("b", "∂y/∂bᵢ = aᵢ", "g · a", lambda s: s.g * s.self, "tensor"),
    )),
    Derivative("MvBackward0", "A b", (
        Input("A", "∂yᵢ/∂Aᵢₖ = bₖ", "g bᵀ (the outer product)", lambda s: torch.outer(s.g, s.vec), "self"),
        Input("b", "∂yᵢ/∂bₖ = Aᵢₖ", "Aᵀ g", lambda s: s.self.mT @ s.g, "vec"),
    )),
    Derivative("AddmvBackward0", "β · c + α · A b (β and α are 1 unless given)", (
        Input("c", "∂yᵢ/∂cᵢ = β", "β · g", lambda s: s.beta * s.g),
        Input("A", "∂yᵢ/∂Aᵢₖ = α · bₖ", "α · g bᵀ", lambda s: s.alpha * torch.outer(s.g, s.vec), "mat"),
        Input("b", "∂yᵢ/∂bₖ = α · Aᵢₖ", "α · Aᵀ g", lambda s: s.alpha * s.mat.mT @ s.g, "vec"),
    )),
    _matrices("MmBackward0", "self", "mat2"),
    _matrices("BmmBackward0", "self", "mat2"),
    _sum_and_matrices("AddmmBackward0", "mat1", "mat2"),
    _sum_and_matrices("BaddbmmBackward0", "batch1", "batch2"),
    Derivative("LinalgDetBackward0", "det A", (
        Input("A", "∂y/∂Aᵢⱼ = y · (A⁻¹)ⱼᵢ", "g · y · A⁻ᵀ",
              lambda s: (s.g * s.result)[..., None, None] * torch.linalg.inv(s.A).mT, "A"),
    )),
    Derivative("LinalgInvExBackward0", "A⁻¹", (
        Input("A", "∂yᵢⱼ/∂Aₖₗ = −yᵢₖ yₗⱼ", "−yᵀ g yᵀ", lambda s: -s.inverse.mT @ s.g @ s.inverse.mT),
    )),
    Derivative("ScaledDotProductFlashAttentionForCpuBackward0", "softmax(Q Kᵀ/√d) V", (
        Input("Q", "through the scores S = Q Kᵀ/√d and P = softmax(S)",
              "P · (g Vᵀ − Σ g Vᵀ · P) K/√d", _queries, "query"),
        Input("K", "through the scores S = Q Kᵀ/√d and P = softmax(S)",
              "(P · (g Vᵀ − Σ g Vᵀ · P))ᵀ Q/√d", _keys, "key"),
        Input("V", "∂yᵢⱼ/∂Vₖⱼ = Pᵢₖ", "Pᵀ g", lambda s: _shares(s)[0].mT @ s.g, "value"),
    ), applies=lambda s: s.dropout_p == 0),
)  # fmt: skip
"""Derivatives of products; ᵀ swaps the last two axes."""
