# %% [markdown]
# # Practical 5: learning without labels
#
# SimCLR shows a network two views of each image and asks which views belong together. Nobody says what is on them. Then
# a linear classifier tells what the features are worth, with few labels, beside a network that learns from labels alone.
#
# Where a cell says TODO, write that piece; the cell below checks it as `gradlab learn check` does. No later cell waits
# for you: they all go on with gradlab's own pieces.
#
# Where gradlab is missing (on Colab, say), install it first, from a copy of its repository:
# `%pip install ./gradlab`.
#
# The settings are small (`QUICK`, on embedded digits), so that everything runs in seconds on a laptop. What they show
# settles little; `gradlab run practical5` runs the same experiments on larger images.

# %%
import math
from itertools import pairwise

import torch

from gradlab import augment, data, objectives
from gradlab.experiments import few_labels, simclr
from gradlab.inline import show, try_out
from gradlab.learn import check, hint
from gradlab.report import Pictures, mean_of, value_of

SEEDS = (0, 1, 2)
generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Views
#
# Crops make the network compare a part with another part; colours and blur keep it from comparing colours only.

# %%
splits = data.resized(data.load("digits"), 32)
views = augment.ContrastiveTransformations(augment.simclr_augmentation(32))
pixels = splits.train.pixels[:8].expand(-1, 3, -1, -1)
seen = views(pixels, torch.rand(len(pixels), views.uniforms, generator=generator))
shown = ((seen + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
names = [f"image {image}" for image in range(8)] * 2
show(Pictures(shown.numpy(), names, "Two views of each image, one above the other", 8))

# %% [markdown]
# ## Part 1: the network
#
# An encoder makes features; a small head on top makes what the loss compares. Later the head is thrown away.

# %% [markdown] exercise="projection_network"
# ### An encoder with a projection head
#
# SimCLR trains on z = g(h), h = f(x), and later keeps h. A small encoder `Encoder(features)` for images [batch, 3, 8, 8]
# is given. Write the class `ProjectionNetwork(hidden_dim)`: `encoder` is `Encoder(4 * hidden_dim)`; the head g is a
# two-layer MLP: linear from 4 * hidden_dim to 4 * hidden_dim, ReLU, linear to hidden_dim. Calling the network gives z
# [batch, hidden_dim], and `features(x)` gives h [batch, 4 * hidden_dim].
#
# A hint: `print(hint("projection_network"))`; levels 2 and 3 tell more.

# %% exercise="projection_network"
from torch import Tensor, nn


class Encoder(nn.Module):
    """A convolution, ReLU and a linear layer."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 2, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(18, features))

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, features] of images [batch, 3, 8, 8]."""
        return self.layers(x)


class ProjectionNetwork(nn.Module):
    """Encoder f and projection head g.

    Args:
        hidden_dim: size of z.
    """

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        size = 4 * hidden_dim
        self.encoder = Encoder(size)
        self.head = nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, hidden_dim))
        ### END SOLUTION

    def features(self, x: Tensor) -> Tensor:
        """Returns h [batch, 4 * hidden_dim]."""
        ### BEGIN SOLUTION
        return self.encoder(x)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns z [batch, hidden_dim]."""
        ### BEGIN SOLUTION
        return self.head(self.features(x))
        ### END SOLUTION


# %% check="projection_network"
verdict = check(ProjectionNetwork)
print(verdict)

# %% [markdown]
# ## Part 1: the loss
#
# With $N$ images there are $2N$ views; the partner of view $i$ is at $(i + N) \bmod 2N$. The loss is a cross-entropy:
# which of the $2N - 1$ others is the partner?

# %% [markdown] exercise="cosine_similarities"
# ### Cosine similarities of all pairs
#
# Write `cosine_similarities(z)` for vectors z [n, d], none of them zero: the matrix [n, n] whose entry (i, j) is the
# inner product of z[i] and z[j] divided by the product of their lengths. It must not build a tensor [n, n, d].
#
# A hint: `print(hint("cosine_similarities"))`; levels 2 and 3 tell more.

# %% exercise="cosine_similarities"
from torch import Tensor


def cosine_similarities(z: Tensor) -> Tensor:
    """Returns the cosines [n, n] of vectors z [n, d]."""
    ### BEGIN SOLUTION
    unit = z / z.norm(dim=1, keepdim=True)
    return unit @ unit.T
    ### END SOLUTION


# %% check="cosine_similarities"
verdict = check(cosine_similarities)
print(verdict)

# %% [markdown] exercise="info_nce_loss"
# ### The InfoNCE loss
#
# Two views of N images give vectors z [2 N, d]: rows i and i + N belong to one image. Write `info_nce_loss(z,
# temperature)`: with s the cosine similarities of all rows divided by the temperature, each row is classified among all
# other rows, and its partner is right:
#
#     loss = mean over i of   - s[i, partner(i)] + log( sum over k != i of exp s[i, k] )
#
# A hint: `print(hint("info_nce_loss"))`; levels 2 and 3 tell more.

# %% exercise="info_nce_loss"
import math
import torch
from torch import Tensor
from torch.nn import functional


def info_nce_loss(z: Tensor, temperature: float) -> Tensor:
    """Returns the loss, one number.

    Args:
        z: [2 N, d]; rows i and i + N belong together.
        temperature: positive.
    """
    ### BEGIN SOLUTION
    unit = functional.normalize(z, dim=1)
    similarities = unit @ unit.T / temperature
    itself = torch.eye(len(z), dtype=torch.bool)
    partners = torch.arange(len(z)).roll(len(z) // 2)
    return functional.cross_entropy(similarities.masked_fill(itself, -math.inf), partners)
    ### END SOLUTION


# %% check="info_nce_loss"
verdict = check(info_nce_loss)
print(verdict)

# %% [markdown] exercise="contrastive_accuracy"
# ### How often the partner is found
#
# Write `contrastive_accuracy(similarities, top)` for similarities [2 N, 2 N] of two views (rows i and i + N belong
# together): the share of rows whose partner is among the `top` most similar other rows, a float. The row itself does not
# count. Ties count against the row, so that a network that maps everything to one point scores nothing: a partner's rank
# is the number of other rows that are at least as similar.
#
# A hint: `print(hint("contrastive_accuracy"))`; levels 2 and 3 tell more.

# %% exercise="contrastive_accuracy"
import torch
from torch import Tensor


def contrastive_accuracy(similarities: Tensor, top: int) -> float:
    """Returns the share of rows whose partner is among the `top` most similar.

    Args:
        similarities: [2 N, 2 N].
        top: how many count.
    """
    ### BEGIN SOLUTION
    rows = torch.arange(len(similarities))
    partners = rows.roll(len(rows) // 2)
    others = similarities.clone()
    others[rows, rows] = -torch.inf
    others[rows, partners] = -torch.inf
    better = (others >= similarities[rows, partners][:, None]).sum(1)
    return (better < top).float().mean().item()
    ### END SOLUTION


# %% check="contrastive_accuracy"
verdict = check(contrastive_accuracy)
print(verdict)

# %% [markdown]
# Cases whose answer is known are the best test of a loss: write some.

# %% [markdown] exercise="judge_the_loss"
# ### Write a test yourself
#
# You are handed somebody's `loss(z, temperature)`, which should be the InfoNCE loss of vectors z [2 N, d] (rows i and
# i + N belong together, cosine similarities divided by the temperature, each row classified among all others). Write
# `judge_the_loss(loss)`, which returns True if the loss is right and False if it is wrong. Several wrong losses are
# tried: think of inputs for which you know what comes out, and of changes that must (or must not) change it.
#
# A hint: `print(hint("judge_the_loss"))`; levels 2 and 3 tell more.

# %% exercise="judge_the_loss"
import math
from collections.abc import Callable
import torch
from torch import Tensor


def judge_the_loss(loss: Callable[[Tensor, float], Tensor]) -> bool:
    """Returns whether `loss` is the InfoNCE loss."""
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(1)
    for n, temperature in ((2, 0.5), (3, 0.1), (5, 2.0)):
        z = torch.randn(2 * n, 4, generator=generator)
        unit = z / z.norm(dim=1, keepdim=True)
        total = 0.0
        for i in range(2 * n):
            scores = [float(unit[i] @ unit[k]) / temperature for k in range(2 * n)]
            others = sum(math.exp(score) for k, score in enumerate(scores) if k != i)
            total += math.log(others) - scores[(i + n) % (2 * n)]
        if abs(float(loss(z, temperature)) - total / (2 * n)) > 1e-3:
            return False
    return True
    ### END SOLUTION


# %% check="judge_the_loss"
verdict = check(judge_the_loss)
print(verdict)

# %%
collapsed, pairs = torch.ones(512, 8), torch.eye(16).repeat(2, 1)
print(f"all views alike: {objectives.info_nce_loss(collapsed, 0.07):.4f}, the logarithm of 511 is {math.log(511):.4f}")
print(f"perfect pairs:   {objectives.info_nce_loss(pairs, 0.07):.4f}")
places = objectives.ranking(objectives.positive_positions(collapsed))
print(f"where all are alike, the partner is never counted as found: {float(places['top1_accuracy'].mean()):.0%}")

# %%
learned = try_out(simclr, seeds=SEEDS)
show(*learned.page("The other view is the most similar", "The other view is among five", "Nearest test images"))

# %% [markdown]
# **How well does it go, how fast, and is it converged?** From the validation rows:

# %%
curve: dict[int, list[float]] = {}
for row in learned.rows:
    if row.get("split") == "validation" and "top5_accuracy" in row:
        curve.setdefault(int(row["epoch"] or 0), []).append(float(row["top5_accuracy"] or 0))
epochs = sorted(curve)
means = {epoch: sum(curve[epoch]) / len(curve[epoch]) for epoch in epochs}
for epoch in sorted({*epochs[::4], epochs[-1]}):
    print(f"epoch {epoch:2}: the partner is among the first five for {means[epoch]:.1%} of the views")
late = 100 * (means[epochs[-1]] - means[epochs[-3]])
print(f"the last two epochs bring {late:.1f} points:", "still learning" if late > 0.5 else "flat by now")

# %% [markdown]
# ## Part 2: a linear classifier on the features
#
# The encoder stays as it is, in evaluation mode, and the features are taken below the head.

# %% [markdown] exercise="encode_images"
# ### Features of a data set
#
# Write `encode_images(model, batches)`: `model` is a network whose last layer, `model.head`, is not wanted;
# `model.encoder` gives the features [batch, d]. Return the features of all images [count, d] and their labels [count],
# ordered by label, images of the same label in the order in which they came. The encoder works in evaluation mode and
# without recording for autograd.
#
# A hint: `print(hint("encode_images"))`; levels 2 and 3 tell more.

# %% exercise="encode_images"
from collections.abc import Iterable
from typing import Any
import torch
from torch import Tensor


def encode_images(model: Any, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Returns features [count, d] and labels [count], ordered by label.

    Args:
        model: has an `encoder` and a `head`.
        batches: pairs of images [batch, ...] and labels [batch] (int64).
    """
    ### BEGIN SOLUTION
    model.eval()
    features, labels = [], []
    with torch.no_grad():
        for images, truth in batches:
            features.append(model.encoder(images))
            labels.append(truth)
    ordered, order = torch.sort(torch.cat(labels), stable=True)
    return torch.cat(features)[order], ordered
    ### END SOLUTION


# %% check="encode_images"
verdict = check(encode_images)
print(verdict)

# %% [markdown] exercise="smaller_dataset"
# ### A few images of each class
#
# Write `smaller_dataset(features, labels, per_label)` for features [count, d] and labels [count] (int64) in any order:
# the first `per_label` samples of each label, as two tensors. Samples keep the order in which they came; a label with
# fewer samples gives all it has.
#
# A hint: `print(hint("smaller_dataset"))`; levels 2 and 3 tell more.

# %% exercise="smaller_dataset"
import torch
from torch import Tensor


def smaller_dataset(features: Tensor, labels: Tensor, per_label: int) -> tuple[Tensor, Tensor]:
    """Returns features and labels of the first `per_label` samples of each label.

    Args:
        features: [count, d].
        labels: [count] (int64).
        per_label: at least 1.
    """
    ### BEGIN SOLUTION
    one_hot = (labels[:, None] == torch.unique(labels)).long()
    rank = (one_hot.cumsum(0) * one_hot).sum(1)
    kept = rank <= per_label
    return features[kept], labels[kept]
    ### END SOLUTION


# %% check="smaller_dataset"
verdict = check(smaller_dataset)
print(verdict)

# %%
show(*learned.page("Test accuracy of a linear probe"))

# %% [markdown]
# **Where is the biggest jump, and does the curve flatten?** From the results, for each number of labels:

# %%
counts = simclr.QUICK.labels
accuracies = [mean_of(learned.results, simclr.ARM, f"test_probe_{count}_accuracy") or 0.0 for count in counts]
for count, accuracy in zip(counts, accuracies, strict=True):
    random = value_of(learned.results, simclr.UNTRAINED, f"test_probe_{count}_accuracy")
    print(f"{count:3} labels of each class: {accuracy:.1%}; on features of random weights {random}")
jumps = [100 * (after - before) for before, after in pairwise(accuracies)]
most = jumps.index(max(jumps))
print(
    f"biggest jump: {jumps[most]:.1f} points, from {counts[most]} to {counts[most + 1]}; the last one {jumps[-1]:.1f}"
)

# %% [markdown]
# ## Part 3: beside learning from labels alone

# %%
beside = try_out(few_labels, seeds=SEEDS)
show(*beside.page("Test accuracy over the number of labels"))

# %% [markdown]
# **What is learning without labels worth?**

# %%
for count in few_labels.QUICK.labels:
    for arm in (few_labels.PROBE, few_labels.SCRATCH):
        print(f"{count:3} labels, {arm}: {value_of(beside.results, arm, f'test_{count}_labels_accuracy')}")
print(beside.answer)

# %% [markdown]
# On digits of 8 x 8 pixels a linear classifier does well whatever the features: those of random weights are the measure,
# and three seeds tell little. With many larger images and few labels the question is open again: the larger run is for
# that.
