# %% [markdown]
# # Practical 3: vision transformers
#
# An image becomes a sequence of patches, and a transformer reads it. The pieces one by one, then two questions: how does
# it do beside the convolutional network of practical 2, and what are its position embeddings worth?
#
# Where a cell says TODO, write that piece; the cell below checks it as `gradlab learn check` does. No later cell waits
# for you: they all go on with gradlab's own pieces.
#
# Where gradlab is missing (on Colab, say), install it first, from a copy of its repository:
# `%pip install ./gradlab`.
#
# The settings are small (`QUICK`, on embedded digits of 8 x 8 pixels), so that everything runs in seconds on a laptop.
# What they show settles little; `gradlab run practical3` runs the same experiments on CIFAR-10.

# %%
from dataclasses import replace

import torch

from gradlab import data, models
from gradlab import nn as pieces
from gradlab.experiments import positional_embedding, vit
from gradlab.inline import show, try_out
from gradlab.learn import check, hint
from gradlab.report import HeatMaps, Pictures, accuracy_of, differences, mean_of, reading

SEEDS = (0, 1, 2)
generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Part 1: patches
#
# An image is cut into squares, row by row; each square, flattened, is a token.

# %% [markdown] exercise="img_to_patch"
# ### Cut images into patches
#
# Write `img_to_patch(x, patch_size, flatten_channels)` for images [batch, channels, height, width] whose sides are
# multiples of `patch_size` p: the patches of each image from left to right, row of patches by row of patches. The shape
# is [batch, patches, channels, p, p], or [batch, patches, channels * p * p] with `flatten_channels`.
#
# A hint: `print(hint("img_to_patch"))`; levels 2 and 3 tell more.

# %% exercise="img_to_patch"
from torch import Tensor


def img_to_patch(x: Tensor, patch_size: int, flatten_channels: bool = True) -> Tensor:
    """Returns patches [batch, patches, channels * p * p], or [batch, patches, channels, p, p].

    Args:
        x: [batch, channels, height, width].
        patch_size: p, pixels of a patch's side.
        flatten_channels: make each patch one vector.
    """
    ### BEGIN SOLUTION
    batch, channels, height, width = x.shape
    p = patch_size
    patches = x.reshape(batch, channels, height // p, p, width // p, p).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    return patches.flatten(2) if flatten_channels else patches
    ### END SOLUTION


# %% check="img_to_patch"
verdict = check(img_to_patch)
print(verdict)

# %%
splits = data.load("digits")
images = splits.test.pixels[:2]
patches = pieces.img_to_patch(images, 4, flatten_channels=False)
print("images", tuple(images.shape), "-> patches", tuple(patches.shape))
names = [f"patch {place}" for place in range(patches.shape[1])] * 2
show(Pictures(patches[:, :, 0].flatten(0, 1).numpy(), names, "Two test images as patches", 4))

# %% [markdown]
# ## Part 1: attention
#
# Every token asks (query), every token answers (key), and takes a mean of what the others hold (value). Scores are
# divided by the square root of their size, or the softmax would be as good as a maximum.

# %% [markdown] exercise="layer_norm"
# ### Layer normalisation
#
# Write `layer_norm(x, gamma, beta)` for x [..., features]: each vector of features is normalised by itself to mean 0 and
# variance 1, then scaled by gamma and shifted by beta, both [features]. The variance divides by the number of features
# (biased), and 1e-5 is added to it under the root.
#
# A hint: `print(hint("layer_norm"))`; levels 2 and 3 tell more.

# %% exercise="layer_norm"
from torch import Tensor


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Returns the normalised x in its shape.

    Args:
        x: [..., features].
        gamma: scale [features].
        beta: shift [features].
    """
    ### BEGIN SOLUTION
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, correction=0, keepdim=True)
    return gamma * (x - mean) / (var + 1e-5).sqrt() + beta
    ### END SOLUTION


# %% check="layer_norm"
verdict = check(layer_norm)
print(verdict)

# %% [markdown] exercise="attention_block"
# ### A pre-norm attention block
#
# Write the class `AttentionBlock(embed_dim, hidden_dim, num_heads)` for x [tokens, batch, embed_dim]:
#
#     y = layer_norm(x);  x = x + attention(y, y, y)
#     x = x + mlp(layer_norm(x))
#
# with a layer norm each, `nn.MultiheadAttention(embed_dim, num_heads)`, and an MLP of a linear layer to hidden_dim, GELU
# and a linear layer back to embed_dim. The tokens of one sample attend to each other; samples never meet.
#
# A hint: `print(hint("attention_block"))`; levels 2 and 3 tell more.

# %% exercise="attention_block"
from torch import Tensor, nn


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


# %% check="attention_block"
verdict = check(AttentionBlock)
print(verdict)

# %%
block = pieces.AttentionBlock(16, 32, 4).eval()
tokens = torch.randn(5, 3, 16, generator=generator)
changed = tokens.clone()
changed[:, 0] += 1.0
with torch.no_grad():
    moved = (block(changed) - block(tokens)).abs().amax(dim=(0, 2))
print("change of one image moves the outputs of the three images by", [round(float(value), 4) for value in moved])

# %% [markdown]
# That is worth a test: attention over the wrong axis mixes images, and nothing fails.
#
# ## Part 1: positions
#
# Attention does not mind the order of its tokens. So each place gets a vector of its own, learned, or made of waves.

# %% [markdown] exercise="sinusoidal_positions"
# ### Positions as sines and cosines
#
# Write `sinusoidal_positions(length, size)` for an even size: a tensor [length, size] that tells a transformer where a
# token stands. For position t and pair i = 0 .. size / 2 - 1:
#
#     out[t, 2 i]     = sin(t / 10000^(2 i / size))
#     out[t, 2 i + 1] = cos(t / 10000^(2 i / size))
#
# A hint: `print(hint("sinusoidal_positions"))`; levels 2 and 3 tell more.

# %% exercise="sinusoidal_positions"
import torch
from torch import Tensor


def sinusoidal_positions(length: int, size: int) -> Tensor:
    """Returns [length, size], sines in even and cosines in odd columns.

    Args:
        length: number of positions, counted from 0.
        size: numbers a position, even.
    """
    ### BEGIN SOLUTION
    frequencies = 10000.0 ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(length)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
    ### END SOLUTION


# %% check="sinusoidal_positions"
verdict = check(sinusoidal_positions)
print(verdict)

# %%
waves = pieces.sinusoidal_positions(32, 24).numpy()
show(
    HeatMaps(
        [waves], ["waves"], "Positions as sines and cosines", label="value", row_name="place", column_name="number"
    )
)

# %% [markdown]
# ## Part 1: the whole network
#
# Patches become vectors, a class token joins them, positions are added, blocks follow, and a linear layer reads the
# class token.

# %% [markdown] exercise="vision_transformer"
# ### A vision transformer
#
# `cut_patches` and a small `Encoder` of tokens [tokens, batch, size] are given. Write the class
# `VisionTransformer(embed_dim, num_classes, patch_size, num_patches, num_channels)`: a linear layer from a patch to
# embed_dim; a learned class token, put before the patches; learned positions [1 + num_patches] that are added to all
# tokens; the encoder; a layer norm and a linear layer that make logits of the class token's output.
#
# A hint: `print(hint("vision_transformer"))`; levels 2 and 3 tell more.

# %% exercise="vision_transformer"
import torch
from torch import Tensor, nn


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


# %% check="vision_transformer"
verdict = check(VisionTransformer)
print(verdict)

# %%
for size in (8, 4, 2):
    count = (32 // size) ** 2
    network = models.VisionTransformer(128, 256, 3, 8, 6, 10, patch_size=size, num_patches=count)
    weights = sum(weight.numel() for weight in network.parameters())
    print(f"patches of {size}: {count:3} tokens, {weights:,} weights, {(count + 1) ** 2:6,} scores a head and block")

# %% [markdown]
# ## Part 1: loss and accuracy of a batch

# %% [markdown] exercise="classification_step"
# ### Loss and accuracy of a batch
#
# Write `classification_step(model, batch)` for a batch (images, labels): the mean cross-entropy of the model's logits, a
# tensor that gradients flow through, and the accuracy of the batch, a Python float.
#
# A hint: `print(hint("classification_step"))`; levels 2 and 3 tell more.

# %% exercise="classification_step"
from torch import Tensor, nn
from torch.nn import functional


def classification_step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, float]:
    """Returns the loss (a tensor with a graph) and the accuracy in [0, 1].

    Args:
        model: gives logits [batch, classes].
        batch: images [batch, ...] and labels [batch] (int64).
    """
    ### BEGIN SOLUTION
    images, labels = batch
    logits = model(images)
    accuracy = (logits.argmax(dim=1) == labels).float().mean().item()
    return functional.cross_entropy(logits, labels), accuracy
    ### END SOLUTION


# %% check="classification_step"
verdict = check(classification_step)
print(verdict)

# %% [markdown]
# ## The experiment

# %%
trained = try_out(vit, replace(vit.QUICK, epochs=6), seeds=SEEDS)
show(*trained.page("Accuracy over epochs"))
pictures = [block for block in trained.page() if isinstance(block, Pictures)]
show(*pictures[:2])

# %% [markdown]
# **What accuracy does the transformer reach, and beside the convolutional network?**

# %%
results = trained.results
for arm in results["arms"]:
    print(f"{arm}: {accuracy_of(results, arm)}")
others = [arm for arm in results["arms"] if arm != "CNN"]
for arm, found in differences(results, "CNN", others).items():
    print(f"{arm} beside the CNN: {reading(found)}")

# %% [markdown]
# A convolution begins with the knowledge that neighbours belong together and that a pattern means the same everywhere.
# A transformer has to learn both from the images, and few images teach little.
#
# ## Bonus: what positions are worth

# %%
placed = try_out(positional_embedding, replace(positional_embedding.QUICK, epochs=8), seeds=SEEDS)
show(*placed.page("Validation accuracy over epochs"))

# %% [markdown]
# **Does accuracy drop without positions, and how does that go with the patch size?**

# %%
for size in positional_embedding.QUICK.patch_sizes:
    with_, without = (mean_of(placed.results, f"patch {size}{rest}") or 0.0 for rest in ("", ", no positions"))
    print(f"patches of {size}: {with_:.1%} with positions, {without:.1%} without, {100 * (with_ - without):.1f} points")

# %% [markdown]
# Without positions the network sees a bag of patches. Large patches still hold much of a shape inside; the smaller they
# are, the more of the layout lies between them. That part is exact:

# %%
halves = torch.cat([images[..., 4:], images[..., :4]], dim=-1)
for positions in (True, False):
    network = models.VisionTransformer(
        16, 32, 1, 2, 2, 10, patch_size=4, num_patches=4, positional_embedding=positions
    ).eval()
    with torch.no_grad():
        same = torch.allclose(network(images.float()), network(halves.float()), atol=1e-4)
    print(f"positions {positions}: exchanging the halves of the image changes nothing: {same}")
