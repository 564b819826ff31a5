"""Attention with several heads.

`dot_product_attention(query, key, value)` is given; it works on the last two axes. Write the class
`MultiHeadAttention(embed_dim, num_heads)`: linear layers `query`, `key`, `value` and `out`, each from embed_dim to
embed_dim. For x [batch, tokens, embed_dim] compute query, key and value of x, split each into num_heads heads of
embed_dim / num_heads consecutive numbers, attend in each head, put the heads beside each other again and apply `out`.
"""

from typing import Any

from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "cheat-sheet: MultiHeadedAttention; practical 3"
WITHOUT = ("MultiheadAttention", "scaled_dot_product_attention")
HINTS = (
    "Splitting is a view [batch, tokens, heads, size]; attention wants tokens and size as the last two axes.",
    "`transpose(1, 2)` makes [batch, heads, tokens, size]; the way back needs the same transpose before the reshape.",
    "`split = lambda t: t.view(B, T, heads, -1).transpose(1, 2)`; at the end `.transpose(1, 2).reshape(B, T, E)`.",
)


def dot_product_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Returns softmax(query key^T / sqrt(d)) value over the last two axes."""
    return (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(dim=-1) @ value


class MultiHeadAttention(nn.Module):
    """Self-attention in several heads.

    Args:
        embed_dim: size of a token.
        num_heads: number of heads; divides embed_dim.
    """

    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(embed_dim, embed_dim)
        self.key = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.out = nn.Linear(embed_dim, embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, tokens, embed_dim] for x of the same shape."""
        ### BEGIN SOLUTION
        batch, tokens, size = x.shape
        heads = [
            layer(x).view(batch, tokens, self.num_heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        ]
        return self.out(dot_product_attention(*heads).transpose(1, 2).reshape(batch, tokens, size))
        ### END SOLUTION


def _probe(kind: Any, x: Tensor, num_heads: int) -> dict[str, Any]:
    layer = kind(x.shape[-1], num_heads)
    sizes = shapes(layer)
    fill(layer)
    if hasattr(layer, "key"):
        layer.key.weight.data.mul_(-0.7)
        layer.value.weight.data.mul_(1.3)
    return {"shapes of the parameters": sizes, "output": layer(x)}


def _case(draw: Draw) -> dict[str, Any]:
    heads = draw.choice((2, 3))
    batch = draw.size(2, 3)
    return {"x": draw.normal(batch, draw.size(3, 5), heads * draw.size(2, 3)), "num_heads": heads}


class _Variant(MultiHeadAttention):
    """The heads are formed and joined by methods that can be replaced."""

    def split(self, t: Tensor) -> Tensor:
        return t.view(*t.shape[:2], self.num_heads, -1).transpose(1, 2)

    def join(self, t: Tensor, shape: Any) -> Tensor:
        return t.transpose(1, 2).reshape(shape)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return dot_product_attention(q, k, v)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.out(self.join(self.attend(q, k, v), x.shape))


class _NoTranspose(_Variant):
    def split(self, t: Tensor) -> Tensor:
        return t.reshape(len(t), self.num_heads, t.shape[1], -1)


class _SplitWithoutTransposeOnly(_Variant):
    def split(self, t: Tensor) -> Tensor:
        return t.reshape(len(t), self.num_heads, t.shape[1], -1)

    def join(self, t: Tensor, shape: Any) -> Tensor:
        return t.reshape(shape)


class _JoinedWithoutTranspose(_Variant):
    def join(self, t: Tensor, shape: Any) -> Tensor:
        return t.reshape(shape)


class _AmongHeads(_Variant):
    def split(self, t: Tensor) -> Tensor:
        return t.view(*t.shape[:2], self.num_heads, -1)

    def join(self, t: Tensor, shape: Any) -> Tensor:
        return t.reshape(shape)


class _Interleaved(_Variant):
    def split(self, t: Tensor) -> Tensor:
        return t.view(*t.shape[:2], -1, self.num_heads).permute(0, 3, 1, 2)

    def join(self, t: Tensor, shape: Any) -> Tensor:
        return t.permute(0, 2, 3, 1).reshape(shape)


class _InterleavedSplit(_Variant):
    def split(self, t: Tensor) -> Tensor:
        return t.view(*t.shape[:2], -1, self.num_heads).permute(0, 3, 1, 2)


class _OneHead(_Variant):
    def split(self, t: Tensor) -> Tensor:
        return t[:, None]


class _WholeScale(_Variant):
    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return dot_product_attention(q / self.num_heads**0.5, k, v)


class _NoOut(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.join(self.attend(q, k, v), x.shape)


class _RawValues(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(x)
        return self.out(self.join(self.attend(q, k, v), x.shape))


class _SharedQuery(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.query, self.value))
        return self.out(self.join(self.attend(q, k, v), x.shape))


class _SwappedKeys(_Variant):
    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return dot_product_attention(k, q, v)


class _AcrossBatch(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(0, 1)).transpose(0, 1)


class _Residual(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the heads are split without a transpose",
            "A view [batch, heads, tokens, size] mixes tokens: view as [batch, tokens, heads, size], then transpose.",
            _NoTranspose,
        ),
        Fault(
            "the heads are split and joined without a transpose",
            "A view [batch, heads, tokens, size] mixes tokens: view as [batch, tokens, heads, size], then transpose.",
            _SplitWithoutTransposeOnly,
        ),
        Fault(
            "the heads are joined without a transpose",
            "First back to [batch, tokens, heads, size], then reshape.",
            _JoinedWithoutTranspose,
        ),
        Fault(
            "the heads of one token attend to each other",
            "Attention works on the last two axes, which must be tokens and size: transpose.",
            _AmongHeads,
        ),
        Fault(
            "a head takes every n-th number",
            "A head has consecutive numbers: view as [..., heads, size], not [..., size, heads].",
            _Interleaved,
        ),
        Fault(
            "a head takes every n-th number, and is joined otherwise",
            "A head has consecutive numbers: view as [..., heads, size], not [..., size, heads].",
            _InterleavedSplit,
        ),
        Fault("there is a single head", "Split into num_heads heads before attending.", _OneHead),
        Fault(
            "scaled by the whole size instead of a head's",
            "A head's queries have embed_dim / num_heads numbers.",
            _WholeScale,
        ),
        Fault("the last linear layer is missing", "Apply `out` to the joined heads.", _NoOut),
        Fault("the values are not projected", "Values come from `value(x)`.", _RawValues),
        Fault("the queries serve as keys", "Keys come from `key(x)`.", _SharedQuery),
        Fault("queries and keys are swapped", "Each query looks at all keys, not the other way round.", _SwappedKeys),
        Fault("batch and token axes are swapped", "Tokens of one sample attend to each other.", _AcrossBatch),
        Fault("the input is added", "The residual belongs to the block around attention.", _Residual),
    ),
)
