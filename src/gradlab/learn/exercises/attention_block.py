"""A pre-norm attention block.

Write the class `AttentionBlock(embed_dim, hidden_dim, num_heads)` for x [tokens, batch, embed_dim]:

    y = layer_norm(x);  x = x + attention(y, y, y)
    x = x + mlp(layer_norm(x))

with a layer norm each, `nn.MultiheadAttention(embed_dim, num_heads)`, and an MLP of a linear layer to hidden_dim, GELU
and a linear layer back to embed_dim. The tokens of one sample attend to each other; samples never meet.
"""

from typing import Any

from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "practical 3: the pre-LN attention block"
HINTS = (
    "nn.MultiheadAttention takes [tokens, batch, embed_dim] unless told `batch_first=True`.",
    "It returns the values and the weights: take the first.",
    "`y = self.norm1(x); x = x + self.attn(y, y, y)[0]; return x + self.mlp(self.norm2(x))`.",
)


class AttentionBlock(nn.Module):
    """Attention and an MLP, each normalised before and added after.

    Args:
        embed_dim: size of a token.
        hidden_dim: units between the MLP's two layers.
        num_heads: heads of the attention.
    """

    def __init__(self, embed_dim: int, hidden_dim: int, num_heads: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.norm1 = nn.LayerNorm(embed_dim)
        self.attention = nn.MultiheadAttention(embed_dim, num_heads)
        self.norm2 = nn.LayerNorm(embed_dim)
        self.mlp = nn.Sequential(nn.Linear(embed_dim, hidden_dim), nn.GELU(), nn.Linear(hidden_dim, embed_dim))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns [tokens, batch, embed_dim] for x of the same shape."""
        ### BEGIN SOLUTION
        y = self.norm1(x)
        x = x + self.attention(y, y, y)[0]
        return x + self.mlp(self.norm2(x))
        ### END SOLUTION


def _probe(kind: Any, x: Tensor, hidden_dim: int, num_heads: int) -> dict[str, Any]:
    block = kind(x.shape[-1], hidden_dim, num_heads)
    sizes = shapes(block)
    fill(block)
    return {"shapes of the parameters": sizes, "output": block.eval()(x)}


def _case(draw: Draw) -> dict[str, Any]:
    heads = draw.choice((2, 1, 3))
    tokens = draw.size(3, 5)
    batch = tokens if draw.case == 2 else draw.size(2, 4)
    return {"x": draw.normal(tokens, batch, 4 * heads), "hidden_dim": draw.size(5, 9), "num_heads": heads}


class _Variant(nn.Module):
    """The block with switches."""

    batch_first = False
    act: type[nn.Module] = nn.GELU
    skip1 = skip2 = 1.0
    extra = False

    def __init__(self, embed_dim: int, hidden_dim: int, num_heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(embed_dim), nn.LayerNorm(embed_dim)
        self.attention = nn.MultiheadAttention(embed_dim, num_heads, batch_first=self.batch_first)
        last = [self.act()] if self.extra else []
        self.mlp = nn.Sequential(nn.Linear(embed_dim, hidden_dim), self.act(), nn.Linear(hidden_dim, embed_dim), *last)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = self.skip1 * x + self.attention(y, y, y)[0]
        return self.skip2 * x + self.mlp(self.norm2(x))


class _Swapped(_Variant):
    batch_first = True


class _PostNorm(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x + self.attention(x, x, x)[0])
        return self.norm2(x + self.mlp(x))


class _NoNorm(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(x, x, x)[0]
        return x + self.mlp(x)


class _NormedSkip(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x)
        x = x + self.attention(x, x, x)[0]
        x = self.norm2(x)
        return x + self.mlp(x)


class _OnlyQueryNormed(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x), x, x)[0]
        return x + self.mlp(self.norm2(x))


class _NoFirstSkip(_Variant):
    skip1 = 0.0


class _NoSecondSkip(_Variant):
    skip2 = 0.0


class _NoSkips(_Variant):
    skip1 = skip2 = 0.0


class _Relu(_Variant):
    act = nn.ReLU


class _Linear(_Variant):
    act = nn.Identity


class _ActivatedEnd(_Variant):
    extra = True


class _Parallel(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        return x + self.attention(y, y, y)[0] + self.mlp(self.norm2(x))


class _OneNorm(_Variant):
    def __init__(self, embed_dim: int, hidden_dim: int, num_heads: int) -> None:
        super().__init__(embed_dim, hidden_dim, num_heads)
        self.norm2 = self.norm1


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "batch and token axes are swapped",
            "x is [tokens, batch, embed_dim]: no `batch_first=True`, or the samples attend to each other.",
            _Swapped,
        ),
        Fault("the norm comes after the sum", "That is post-norm: here each branch begins with its norm.", _PostNorm),
        Fault("there is no layer norm", "Each branch begins with a layer norm.", _NoNorm),
        Fault("the normalised input is added", "x itself is added, before the norm.", _NormedSkip),
        Fault("only the query is normalised", "Query, key and value are all layer_norm(x).", _OnlyQueryNormed),
        Fault("the input is not added to the attention", "x + attention(...).", _NoFirstSkip),
        Fault("the input is not added to the MLP", "x + mlp(...).", _NoSecondSkip),
        Fault("nothing is added", "Each branch is added to its input.", _NoSkips),
        Fault("ReLU instead of GELU", "The statement asks for GELU.", _Relu),
        Fault("the MLP has no activation", "GELU between its two layers.", _Linear),
        Fault("there is an activation after the MLP", "Nothing after its second layer.", _ActivatedEnd),
        Fault("attention and MLP work on the same input", "The MLP sees the sum that the attention made.", _Parallel),
        Fault("one layer norm serves twice", "Two norms, with parameters of their own.", _OneNorm),
    ),
)
