# %% [markdown]
# # Practical 2: convolutional networks
#
# A residual network from its blocks; then two questions about what it knows: does it recognise a turned image, and does
# it use which pixels are neighbours?
#
# Where a cell says TODO, write that piece; the cell below checks it as `gradlab learn check` does. No later cell waits
# for you: they all go on with gradlab's own pieces.
#
# Where gradlab is missing (on Colab, say), install it first, from a copy of its repository:
# `%pip install ./gradlab`.
#
# The settings are small (`QUICK`, on embedded digits of 8 x 8 pixels), so that everything runs in seconds on a laptop.
# What they show settles little; `gradlab run practical2` runs the same experiments on CIFAR-10.

# %%
import numpy as np
import torch

from gradlab import augment, data, models
from gradlab.evaluation import rotate
from gradlab.experiments import pixel_shuffle, resnet, rotation_robustness
from gradlab.explain import layer_table
from gradlab.inline import show, try_out
from gradlab.learn import check, hint
from gradlab.report import Pictures, accuracy_of, change_compared, mean_of, reading

SEEDS = (0, 1, 2)

# %% [markdown]
# ## The images, and new views of them
#
# Training images are flipped and cropped; validation and test images are not. Here the transforms work on a batch at
# once, each image with draws of its own, which are an argument.

# %%
splits = data.load("digits")
views = augment.Pipeline([augment.RandomResizedCrop(8, scale=(0.8, 1.0), ratio=(0.9, 1.1))])
pixels = splits.train.pixels[:6]
draws = torch.rand(len(pixels), views.uniforms, generator=torch.Generator().manual_seed(0))
pictures = torch.cat([pixels, 255 * views(pixels, draws)])[:, 0].round().to(torch.uint8)
names = [*["as it is"] * 6, *["a view of it"] * 6]
show(Pictures(pictures.numpy(), names, "Training images, and a view of each", 6))

# %% [markdown]
# ## Part 1: a residual network
#
# A block computes $x + F(x)$, so its derivative is the identity plus that of $F$: gradients reach the first layers
# whatever $F$ does. In the pre-activation block nothing stands on the way of $x$. Where a block halves the image, a
# 1 x 1 convolution with stride 2 makes $x$ fit.

# %% [markdown] exercise="preact_block"
# ### A pre-activation residual block
#
# Write the class `PreActResNetBlock(c_in, subsample, c_out)`. The branch F is BatchNorm, ReLU, 3 x 3 convolution, then
# BatchNorm, ReLU, 3 x 3 convolution, padded by 1 and without bias, and the block returns x + F(x). With `subsample` the
# first convolution has stride 2 and `c_out` channels, and x goes through BatchNorm, ReLU and a 1 x 1 convolution of
# stride 2 (no bias) before the sum. Without it `c_out` does not count: the block keeps `c_in` channels.
#
# A hint: `print(hint("preact_block"))`; levels 2 and 3 tell more.

# %% exercise="preact_block"
from torch import Tensor, nn


class PreActResNetBlock(nn.Module):
    """BN-ReLU-conv twice, added to the input.

    Args:
        c_in: channels of the input.
        subsample: halve height and width.
        c_out: channels of the output where it subsamples, else c_in.
    """

    def __init__(self, c_in: int, subsample: bool = False, c_out: int = -1) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        c_out = c_out if subsample else c_in
        stride = 2 if subsample else 1
        self.branch = nn.Sequential(
            nn.BatchNorm2d(c_in),
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
        )
        self.shortcut = nn.Identity()
        if subsample:
            self.shortcut = nn.Sequential(
                nn.BatchNorm2d(c_in), nn.ReLU(), nn.Conv2d(c_in, c_out, 1, stride=2, bias=False)
            )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, c_out, height', width'] for x [batch, c_in, height, width]."""
        ### BEGIN SOLUTION
        return self.shortcut(x) + self.branch(x)
        ### END SOLUTION


# %% check="preact_block"
verdict = check(PreActResNetBlock)
print(verdict)

# %%
block = models.PreActResNetBlock(16)
x = torch.randn(1, 16, 4, 4, requires_grad=True, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    for weight in block.parameters():
        weight.mul_(0.0)
gradient = torch.autograd.grad(block.eval()(x).sum(), x)[0]
print("where F is 0, the gradient passes unchanged:", bool((gradient == 1).all()))

# %% [markdown]
# Blocks are stacked in groups; the first block of each group but the first halves the image.

# %% [markdown] exercise="resnet"
# ### A residual network from blocks
#
# `Block(c_in, subsample, c_out)` is given. Write the class `ResNet(num_classes, num_blocks, c_hidden)`: a 3 x 3
# convolution from 3 to c_hidden[0] channels (padding 1, no bias, nothing after it); then for each group g num_blocks[g]
# blocks with c_hidden[g] channels, where the first block of every group but the first subsamples; then the mean over
# height and width, and a linear layer to num_classes logits.
#
# A hint: `print(hint("resnet"))`; levels 2 and 3 tell more.

# %% exercise="resnet"
from collections.abc import Sequence
from torch import Tensor, nn


class Block(nn.Module):
    """A small residual block; halves height and width where it subsamples."""

    def __init__(self, c_in: int, subsample: bool = False, c_out: int = -1) -> None:
        super().__init__()
        c_out, stride = (c_out, 2) if subsample else (c_in, 1)
        self.branch = nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1))
        self.shortcut = nn.Conv2d(c_in, c_out, 1, stride=2) if subsample else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, c_out, height', width']."""
        return self.shortcut(x) + self.branch(x)


class ResNet(nn.Module):
    """Groups of residual blocks between a convolution and a linear layer.

    Args:
        num_classes: number of classes.
        num_blocks: blocks of each group.
        c_hidden: channels of each group.
    """

    def __init__(self, num_classes: int, num_blocks: Sequence[int], c_hidden: Sequence[int]) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.first = nn.Conv2d(3, c_hidden[0], 3, padding=1, bias=False)
        blocks = []
        for group, count in enumerate(num_blocks):
            for block in range(count):
                subsample = block == 0 and group > 0
                blocks.append(Block(c_hidden[group - subsample], subsample, c_hidden[group]))
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(c_hidden[-1], num_classes)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, num_classes] of images [batch, 3, height, width]."""
        ### BEGIN SOLUTION
        return self.last(self.blocks(self.first(x)).mean((2, 3)))
        ### END SOLUTION


# %% check="resnet"
verdict = check(ResNet)
print(verdict)

# %%
network = models.ResNet(10, (2, 2, 3), (16, 24, 32)).eval()
sizes = dict.fromkeys(layer.output for layer in layer_table(network, (3, 32, 32)) if layer.kind == "Conv2d")
print(f"{sum(weight.numel() for weight in network.parameters()):,} weights; maps of", ", ".join(sizes))

# %%
trained = try_out(resnet, seeds=SEEDS)
show(*trained.page("Accuracy over epochs"))

# %% [markdown]
# **What accuracy does it reach?** The handbook's recipe, and a recommended one:

# %%
for arm in trained.results["arms"]:
    print(f"{arm}: {accuracy_of(trained.results, arm)}")

# %% [markdown]
# ## Part 2: turned images
#
# Quarter turns move pixels and change none; angles between them need values between the pixels.

# %% [markdown] exercise="rotate_images"
# ### Rotate images by right angles
#
# Write `rotate_images(images, turns)` for images [batch, channels, height, width]: each image turned counter-clockwise by
# `turns` right angles, as seen when row 0 is drawn at the top. `turns` may be negative or above 3. For odd numbers of
# turns height and width change places. Build it from `flip` and `transpose`.
#
# A hint: `print(hint("rotate_images"))`; levels 2 and 3 tell more.

# %% exercise="rotate_images"
from torch import Tensor


def rotate_images(images: Tensor, turns: int) -> Tensor:
    """Returns the images turned counter-clockwise.

    Args:
        images: [batch, channels, height, width].
        turns: right angles; any whole number.
    """
    ### BEGIN SOLUTION
    for _ in range(turns % 4):
        images = images.transpose(2, 3).flip(2)
    return images
    ### END SOLUTION


# %% check="rotate_images"
verdict = check(rotate_images)
print(verdict)

# %%
upright = splits.test.pixels[:1].float()
turns = [0.0, 45.0, 90.0, 135.0, 180.0]
turned = torch.cat([rotate(upright, angle) for angle in turns])
show(
    Pictures(turned[:, 0].round().to(torch.uint8).numpy(), [f"{turn:g}°" for turn in turns], "A test image, turned", 5)
)
print("90 degrees move pixels only:", torch.allclose(rotate(upright, 90.0), torch.rot90(upright, 1, (2, 3))))

# %% [markdown] exercise="rotation_accuracies"
# ### Accuracy over rotation angles
#
# Write `rotation_accuracies(model, images, labels, rotate, angles)`: a list with the accuracy (a float) of the model on
# the images turned by each angle, `rotate(images, angle)`. Every angle starts from the original images. The model works
# in evaluation mode and without recording for autograd. This list is what a plot of accuracy over angle shows.
#
# A hint: `print(hint("rotation_accuracies"))`; levels 2 and 3 tell more.

# %% exercise="rotation_accuracies"
from collections.abc import Callable, Sequence
import torch
from torch import Tensor, nn


def rotation_accuracies(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    rotate: Callable[[Tensor, int], Tensor],
    angles: Sequence[int],
) -> list[float]:
    """Returns an accuracy in [0, 1] for each angle.

    Args:
        model: gives logits [batch, classes].
        images: [batch, channels, height, width].
        labels: [batch] (int64).
        rotate: turns images by an angle in degrees.
        angles: in degrees.
    """
    ### BEGIN SOLUTION
    model.eval()
    accuracies = []
    with torch.no_grad():
        for angle in angles:
            predicted = model(rotate(images, angle)).argmax(dim=1)
            accuracies.append((predicted == labels).float().mean().item())
    return accuracies
    ### END SOLUTION


# %% check="rotation_accuracies"
verdict = check(rotation_accuracies)
print(verdict)

# %%
rotated = try_out(rotation_robustness, seeds=SEEDS)
show(*rotated.page("Test accuracy over rotation"))

# %% [markdown]
# **What do the accuracies over the angle show?** Each network's mean over seeds at some angles:

# %%
for arm in rotated.results["arms"]:
    curve: dict[int, list[float]] = {}
    for row in rotated.rows:
        if row["arm"] == arm and row.get("split") == "test" and isinstance(row.get("angle"), int):
            curve.setdefault(int(row["angle"] or 0), []).append(float(row["accuracy"] or 0))
    means = {angle: float(np.mean(values)) for angle, values in curve.items()}
    print(f"{arm:7}", "  ".join(f"{angle}°: {means[angle]:.0%}" for angle in sorted(means) if angle % 90 == 0))
    worst = min(means, key=lambda angle: means[angle])
    print(f"        worst at {worst}°, with {means[worst]:.0%}; over all angles {np.mean(list(means.values())):.0%}")

# %% [markdown]
# Neither network is invariant. A convolution answers the same wherever a pattern lies, since its kernel slides; it does
# not turn. Digits such as 0 look alike after half a turn, which is why 180 degrees cost less than 90.
#
# ## Part 3: shuffled pixels
#
# The same order of pixels in training, validation and test, as in practical 1, now for both networks.

# %%
shuffled = try_out(pixel_shuffle, seeds=SEEDS)
show(*shuffled.page("Accuracy on the test split", "ResNet: accuracy over epochs"))

# %% [markdown]
# **Does the convolutional network use structure that the plain one ignores?**

# %%
results = shuffled.results
for kind in ("MLP", "ResNet"):
    plain, fixed = mean_of(results, f"{kind}, no shuffle") or 0.0, mean_of(results, f"{kind}, fixed shuffle") or 0.0
    print(f"{kind}: {plain:.1%} in order, {fixed:.1%} in one fixed order")
more = change_compared(
    results, ("ResNet, fixed shuffle", "ResNet, no shuffle"), ("MLP, fixed shuffle", "MLP, no shuffle")
)
if more is not None:
    print(f"Beyond what it does to the MLP, the shuffle changes the ResNet by {reading(more)}.")

# %% [markdown]
# Small kernels look at neighbours, and share their weights over all places. Both are right for images, and wrong for
# shuffled ones. On tiny digits and with few seeds chance may hide the difference; give it more of both.
