"""A vision transformer.

`cut_patches` and a small `Encoder` of tokens [tokens, batch, size] are given. Write the class
`VisionTransformer(embed_dim, num_classes, patch_size, num_patches, num_channels)`: a linear layer from a patch to
embed_dim; a learned class token, put before the patches; learned positions [1 + num_patches] that are added to all
tokens; the encoder; a layer norm and a linear layer that make logits of the class token's output.
"""

from typing import Any

import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "practical 3: the full Vision Transformer"
HINTS = (
    "Patches and tokens are [batch, tokens, size] at first; the encoder wants [tokens, batch, size].",
    "`self.cls_token = nn.Parameter(torch.randn(1, 1, embed_dim))`, expanded over the batch and put in front by cat.",
    "`x = torch.cat([cls, x], dim=1) + self.positions`; encoder on `x.transpose(0, 1)`; logits of its token 0.",
)


def cut_patches(x: Tensor, patch_size: int) -> Tensor:
    """Returns [batch, patches, channels * patch_size^2] of images [batch, channels, height, width]."""
    patches = x.unfold(2, patch_size, patch_size).unfold(3, patch_size, patch_size)
    return patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


class Encoder(nn.Module):
    """One attention among the tokens [tokens, batch, size], added to them."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Returns tokens of the same shape."""
        y = self.norm(x)
        return x + self.attention(y, y, y)[0]


class VisionTransformer(nn.Module):
    """Patches as tokens, an encoder, and a classifier on the class token.

    Args:
        embed_dim: size of a token.
        num_classes: number of classes.
        patch_size: pixels of a patch's side.
        num_patches: patches of an image.
        num_channels: channels of an image.
    """

    def __init__(self, embed_dim: int, num_classes: int, patch_size: int, num_patches: int, num_channels: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.encoder = Encoder(embed_dim)
        ### BEGIN SOLUTION
        self.embed = nn.Linear(num_channels * patch_size**2, embed_dim)
        self.cls_token = nn.Parameter(torch.randn(1, 1, embed_dim))
        self.positions = nn.Parameter(torch.randn(1, 1 + num_patches, embed_dim))
        self.head = nn.Sequential(nn.LayerNorm(embed_dim), nn.Linear(embed_dim, num_classes))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, num_classes] of images [batch, channels, height, width]."""
        ### BEGIN SOLUTION
        tokens = self.embed(cut_patches(x, self.patch_size))
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), tokens], dim=1) + self.positions
        return self.head(self.encoder(tokens.transpose(0, 1))[0])
        ### END SOLUTION


def _probe(kind: Any, images: Tensor, embed_dim: int, num_classes: int, patch_size: int) -> dict[str, Any]:
    patches = images.shape[2] * images.shape[3] // patch_size**2
    model = kind(embed_dim, num_classes, patch_size, patches, images.shape[1])
    sizes = sorted("x".join(str(side) for side in p.shape if side > 1) for p in model.parameters())
    fill(model, ones=False)  # a class token and positions may have axes of length 1 in any place
    return {"shapes of the parameters": sizes, "logits": model.eval()(images), "count": len(shapes(model))}


def _case(draw: Draw) -> dict[str, Any]:
    patch = draw.choice((2, 3))
    shape = (draw.size(2, 4), draw.size(1, 3), patch * 2, patch * draw.size(1, 3))
    return {
        "images": draw.normal(*shape),
        "embed_dim": draw.size(4, 6),
        "num_classes": draw.size(3, 5),
        "patch_size": patch,
    }


class _Variant(nn.Module):
    """The network with pieces that can be replaced."""

    extra = 1
    norm = True

    def __init__(self, embed_dim: int, num_classes: int, patch_size: int, num_patches: int, num_channels: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.encoder = Encoder(embed_dim)
        self.embed = nn.Linear(num_channels * patch_size**2, embed_dim)
        self.cls_token = nn.Parameter(torch.randn(1, 1, embed_dim))
        self.positions = nn.Parameter(torch.randn(1, self.extra + num_patches, embed_dim))
        norm = [nn.LayerNorm(embed_dim)] if self.norm else []
        self.head = nn.Sequential(*norm, nn.Linear(embed_dim, num_classes))

    def tokens(self, x: Tensor) -> Tensor:
        patches = self.embed(cut_patches(x, self.patch_size))
        return torch.cat([self.cls_token.expand(len(x), -1, -1), patches], 1)

    def place(self, tokens: Tensor) -> Tensor:
        return tokens + self.positions

    def encode(self, tokens: Tensor) -> Tensor:
        return self.encoder(tokens.transpose(0, 1)).transpose(0, 1)

    def pick(self, tokens: Tensor) -> Tensor:
        return tokens[:, 0]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pick(self.encode(self.place(self.tokens(x)))))


class _Swapped(_Variant):
    def encode(self, tokens: Tensor) -> Tensor:
        return self.encoder(tokens)


class _NoPositions(_Variant):
    def place(self, tokens: Tensor) -> Tensor:
        return tokens


class _LastToken(_Variant):
    def pick(self, tokens: Tensor) -> Tensor:
        return tokens[:, -1]


class _Mean(_Variant):
    def pick(self, tokens: Tensor) -> Tensor:
        return tokens.mean(1)


class _MeanOfPatches(_Variant):
    def pick(self, tokens: Tensor) -> Tensor:
        return tokens[:, 1:].mean(1)


class _TokenBehind(_Variant):
    def tokens(self, x: Tensor) -> Tensor:
        return super().tokens(x).roll(-1, 1)


class _TokenBehindPicked(_TokenBehind):
    def pick(self, tokens: Tensor) -> Tensor:
        return tokens[:, -1]


class _PatchesOnlyPlaced(_Variant):
    extra = 0

    def tokens(self, x: Tensor) -> Tensor:
        patches = self.embed(cut_patches(x, self.patch_size)) + self.positions
        return torch.cat([self.cls_token.expand(len(x), -1, -1), patches], 1)

    def place(self, tokens: Tensor) -> Tensor:
        return tokens


class _NoNorm(_Variant):
    norm = False


class _Softmax(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(1)


class _PlacedLate(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pick(self.place(self.encode(self.tokens(x)))))


class _FrozenToken(_Variant):
    def __init__(self, embed_dim: int, num_classes: int, patch_size: int, num_patches: int, num_channels: int) -> None:
        super().__init__(embed_dim, num_classes, patch_size, num_patches, num_channels)
        del self.cls_token
        self.cls_token = torch.zeros(1, 1, embed_dim)


class _NoEncoder(_Variant):
    def encode(self, tokens: Tensor) -> Tensor:
        return tokens


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "batch and token axes are swapped", "The encoder takes [tokens, batch, size]: transpose first.", _Swapped
        ),
        Fault("the positions are not added", "Without them the order of the patches does not count.", _NoPositions),
        Fault("the positions are added after the encoder", "The encoder has to see them.", _PlacedLate),
        Fault(
            "the class token has no position", "Positions for 1 + num_patches tokens, added to all.", _PatchesOnlyPlaced
        ),
        Fault("the last patch is classified", "The class token stands first: token 0.", _LastToken),
        Fault("the mean of all tokens is classified", "The class token alone: token 0.", _Mean),
        Fault("the mean of the patches is classified", "The class token alone: token 0.", _MeanOfPatches),
        Fault(
            "the class token stands behind and the first patch is classified",
            "It goes before the patches.",
            _TokenBehind,
        ),
        Fault("the class token stands behind the patches", "It goes before the patches.", _TokenBehindPicked),
        Fault("the head has no layer norm", "Layer norm, then the linear layer.", _NoNorm),
        Fault("there is a softmax at the end", "The loss applies it: return the logits.", _Softmax),
        Fault("the class token is not learned", "`nn.Parameter(...)`: a plain tensor is never trained.", _FrozenToken),
        Fault("the encoder is not used", "Tokens have to exchange information.", _NoEncoder),
    ),
)
