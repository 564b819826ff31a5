# %% [markdown]
# # Practical 4: regular group convolutions
#
# A network that turns its answer when its image turns, because it is built so. First the group of quarter turns, then
# convolutions over it, then what happens to a network's maps while an image turns.
#
# Where a cell says TODO, write that piece; the cell below checks it as `gradlab learn check` does. No later cell waits
# for you: they all go on with gradlab's own pieces.
#
# Where gradlab is missing (on Colab, say), install it first, from a copy of its repository:
# `%pip install ./gradlab`.
#
# The settings are small (`QUICK`, on embedded digits of 8 x 8 pixels), so that everything runs in seconds on a laptop.
# What they show settles little; `gradlab run practical4` runs the same experiments on MNIST.

# %%
import torch

from gradlab import data, equivariance
from gradlab.evaluation import rotate
from gradlab.experiments import group_equivariance, rotated_mnist
from gradlab.inline import show, try_out
from gradlab.learn import check, hint
from gradlab.report import HeatMaps, Pictures, accuracy_of, mean_of

SEEDS = (0, 1, 2)
generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Part 1: what a group is
#
# Elements, and a product that stays among them, is associative, has an identity and an inverse for each element. The
# quarter turns are such a group, $C_4$: angles that are added, modulo a whole turn.

# %% [markdown] exercise="cyclic_group"
# ### The group of rotations by equal steps
#
# An element of a cyclic group is its angle in [0, 2 pi). Write `product(a, b)`, the rotation by b and then by a, and
# `inverse(a)`, the rotation back. Both take and return tensors of angles; results lie in [0, 2 pi) again.
#
# A hint: `print(hint("cyclic_group"))`; levels 2 and 3 tell more.

# %% exercise="cyclic_group"
import math
import torch
from torch import Tensor


def product(a: Tensor, b: Tensor) -> Tensor:
    """Returns the angles of the products, in [0, 2 pi)."""
    ### BEGIN SOLUTION
    return torch.remainder(a + b, 2 * math.pi)
    ### END SOLUTION


def inverse(a: Tensor) -> Tensor:
    """Returns the angles of the inverses, in [0, 2 pi)."""
    ### BEGIN SOLUTION
    return torch.remainder(-a, 2 * math.pi)
    ### END SOLUTION


# %% check="cyclic_group"
verdict = check(product)
print(verdict)

# %% [markdown] exercise="cayley_table"
# ### The table of a group
#
# The elements of the cyclic group of order n are its rotations by 0, 1, ..., n - 1 steps. Write `cayley_table(order)`:
# whole numbers [order, order] whose entry (i, j) is the number of the product of elements i and j. Write also
# `generated(element, order)`: the sorted numbers of all elements that products of this element with itself reach, among
# them the identity.
#
# A hint: `print(hint("cayley_table"))`; levels 2 and 3 tell more.

# %% exercise="cayley_table"
import torch
from torch import Tensor


def cayley_table(order: int) -> Tensor:
    """Returns the products of all pairs [order, order] (int64)."""
    ### BEGIN SOLUTION
    steps = torch.arange(order)
    return (steps[:, None] + steps) % order
    ### END SOLUTION


def generated(element: int, order: int) -> Tensor:
    """Returns the sorted elements that the powers of `element` reach (int64)."""
    ### BEGIN SOLUTION
    return torch.unique(torch.arange(order) * element % order)
    ### END SOLUTION


# %% check="cayley_table"
verdict = check(cayley_table)
print(verdict)

# %%
c4 = equivariance.CyclicGroup(4)
e, g1, g2, g3 = c4.elements()
print("closed:", torch.allclose(c4.product(g1, g2), g3), " inverse:", torch.allclose(c4.product(g1, c4.inverse(g1)), e))
table = c4.table.product.numpy().astype(float)
show(HeatMaps([table], ["C4"], "Which element a product is", label="element", row_name="first", column_name="second"))

# %% [markdown]
# ## Part 1: how it acts on the plane
#
# An element becomes a matrix, and the matrix moves points. A function on the plane is turned by asking where each point
# came from: $f(g^{-1} x)$.

# %% [markdown] exercise="rotation_matrix"
# ### Rotation matrices
#
# Write `rotation_matrix(angles)`: for angles [n] in radians the matrices [n, 2, 2] that rotate a column vector (x, y) of
# the plane counter-clockwise, x to the right and y upwards.
#
# A hint: `print(hint("rotation_matrix"))`; levels 2 and 3 tell more.

# %% exercise="rotation_matrix"
import torch
from torch import Tensor


def rotation_matrix(angles: Tensor) -> Tensor:
    """Returns the matrices [n, 2, 2] of angles [n] in radians."""
    ### BEGIN SOLUTION
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([torch.stack([cosines, -sines], -1), torch.stack([sines, cosines], -1)], -2)
    ### END SOLUTION


# %% check="rotation_matrix"
verdict = check(rotation_matrix)
print(verdict)

# %% [markdown] exercise="action_on_plane"
# ### Rotate every point of a grid
#
# Write `action_on_plane(matrices, grid)` for matrices [n, 2, 2] and a grid of points [2, rows, columns] (grid[:, i, j] is
# a point): apply each matrix from the left to every point. The result is [n, rows, columns, 2], as `grid_sample` wants
# its grids.
#
# A hint: `print(hint("action_on_plane"))`; levels 2 and 3 tell more.

# %% exercise="action_on_plane"
import torch
from torch import Tensor


def action_on_plane(matrices: Tensor, grid: Tensor) -> Tensor:
    """Returns the moved points [n, rows, columns, 2].

    Args:
        matrices: [n, 2, 2].
        grid: points [2, rows, columns].
    """
    ### BEGIN SOLUTION
    return torch.einsum("nop,pij->nijo", matrices, grid)
    ### END SOLUTION


# %% check="action_on_plane"
verdict = check(action_on_plane)
print(verdict)

# %%
splits = data.load("digits")
image = splits.test.pixels[4:5].float()
turned = torch.cat([rotate(image, 90.0 * quarter) for quarter in range(4)])[:, 0]
show(Pictures(turned.round().to(torch.uint8).numpy(), ["e", "g", "g²", "g³"], "An image under the four elements", 4))

# %% [markdown]
# ## Part 2: the lifting convolution
#
# The kernel is turned by every element, and the image is convolved with each copy: one map for each element. Each copy
# is a filter like any other, so the copies can be output channels of one ordinary convolution.

# %% [markdown] exercise="lifted_grids"
# ### The grids of a lifting kernel
#
# A lifting convolution needs its kernel turned by every group element h. The turned kernel is L_h k(x) = k(h^-1 x), so
# its values are read where h^-1 takes the grid. Write `lifted_grids(order, size)` for the cyclic group of `order`
# rotations and a kernel of size x size: points [order, size, size, 2]. The untouched grid has first coordinates
# `torch.linspace(-1, 1, size)` along its rows and second coordinates likewise along its columns (`indexing="ij"`), and
# element h is the counter-clockwise rotation by 2 pi h / order.
#
# A hint: `print(hint("lifted_grids"))`; levels 2 and 3 tell more.

# %% exercise="lifted_grids"
import math
import torch
from torch import Tensor


def lifted_grids(order: int, size: int) -> Tensor:
    """Returns the grid turned back by every element [order, size, size, 2].

    Args:
        order: number of rotations.
        size: weights of a kernel's side.
    """
    ### BEGIN SOLUTION
    line = torch.linspace(-1, 1, size)
    grid = torch.stack(torch.meshgrid(line, line, indexing="ij"))
    angles = -2 * math.pi * torch.arange(order) / order
    cosines, sines = angles.cos(), angles.sin()
    matrices = torch.stack([cosines, -sines, sines, cosines], -1).reshape(order, 2, 2)
    return torch.einsum("nop,pij->nijo", matrices, grid)
    ### END SOLUTION


# %% check="lifted_grids"
verdict = check(lifted_grids)
print(verdict)

# %% [markdown] exercise="lifting_kernels"
# ### Turn a kernel by all right angles
#
# The group of right angles keeps the pixel grid, so its kernels need no interpolation. Write `lifting_kernels(weight)`
# for weight [out, in, k, k]: the kernels [out, 4, in, k, k], where entry h is the weight turned counter-clockwise by h
# right angles (`torch.rot90`), and entry 0 the weight itself.
#
# A hint: `print(hint("lifting_kernels"))`; levels 2 and 3 tell more.

# %% exercise="lifting_kernels"
import torch
from torch import Tensor


def lifting_kernels(weight: Tensor) -> Tensor:
    """Returns the turned kernels [out, 4, in, k, k] of weight [out, in, k, k]."""
    ### BEGIN SOLUTION
    return torch.stack([torch.rot90(weight, h, (-2, -1)) for h in range(4)], dim=1)
    ### END SOLUTION


# %% check="lifting_kernels"
verdict = check(lifting_kernels)
print(verdict)

# %% [markdown] exercise="lifting_convolution"
# ### A lifting convolution
#
# Write `lifting_convolution(images, kernels)` for images [batch, in, height, width] and turned kernels
# [out, h, in, k, k] (h group elements): correlate the images with every kernel, without padding. The result is
# [batch, out, h, height - k + 1, width - k + 1]. Every turned kernel is one more output channel to `conv2d`.
#
# A hint: `print(hint("lifting_convolution"))`; levels 2 and 3 tell more.

# %% exercise="lifting_convolution"
from torch import Tensor
from torch.nn import functional


def lifting_convolution(images: Tensor, kernels: Tensor) -> Tensor:
    """Returns [batch, out, h, height - k + 1, width - k + 1].

    Args:
        images: [batch, in, height, width].
        kernels: [out, h, in, k, k].
    """
    ### BEGIN SOLUTION
    return functional.conv2d(images, kernels.flatten(0, 1)).unflatten(1, kernels.shape[:2])
    ### END SOLUTION


# %% check="lifting_convolution"
verdict = check(lifting_convolution)
print(verdict)

# %%
lifting = equivariance.InterpolativeLiftingKernel(c4, 3, 1, 1)
kernels = lifting.sample().detach()[0, :, 0].numpy()
show(HeatMaps(list(kernels), ["e", "g", "g²", "g³"], "A lifting kernel and its turned copies", label="weight"))

# %% [markdown]
# ## Part 2: the group convolution
#
# The maps now live on the plane and on the group, and so does the kernel: its copies are turned *and* moved along the
# group. The sum over the group is a sum like that over channels, so it can be folded into the input channels.

# %% [markdown] exercise="group_kernels"
# ### The kernels of a group convolution
#
# A group convolution's kernel also extends over the group of right angles. Write `group_kernels(weight)` for weight
# [out, in, 4, k, k], whose third axis counts input elements g. The result is [out, 4, in, 4, k, k]: for output element h
# and input element g it holds the weight of element h^-1 g, turned counter-clockwise by h right angles. (So the kernels
# twist and shift: h^-1 g is element (g - h) mod 4.)
#
# A hint: `print(hint("group_kernels"))`; levels 2 and 3 tell more.

# %% exercise="group_kernels"
import torch
from torch import Tensor


def group_kernels(weight: Tensor) -> Tensor:
    """Returns the kernels [out, 4, in, 4, k, k] of weight [out, in, 4, k, k]."""
    ### BEGIN SOLUTION
    return torch.stack([torch.rot90(weight, h, (-2, -1)).roll(h, dims=2) for h in range(4)], dim=1)
    ### END SOLUTION


# %% check="group_kernels"
verdict = check(group_kernels)
print(verdict)

# %% [markdown] exercise="group_convolution"
# ### A group convolution
#
# Write `group_convolution(x, kernels)` for feature maps x [batch, in, g, height, width] over a group of g elements and
# kernels [out, h, in, g, k, k]: for each output channel and element the sum over input channels, input elements and the
# window. The result is [batch, out, h, height - k + 1, width - k + 1]. A sum over elements is a sum over channels, so
# one `conv2d` does it.
#
# A hint: `print(hint("group_convolution"))`; levels 2 and 3 tell more.

# %% exercise="group_convolution"
from torch import Tensor
from torch.nn import functional


def group_convolution(x: Tensor, kernels: Tensor) -> Tensor:
    """Returns [batch, out, h, height - k + 1, width - k + 1].

    Args:
        x: [batch, in, g, height, width].
        kernels: [out, h, in, g, k, k].
    """
    ### BEGIN SOLUTION
    folded = kernels.flatten(2, 3).flatten(0, 1)
    return functional.conv2d(x.flatten(1, 2), folded).unflatten(1, kernels.shape[:2])
    ### END SOLUTION


# %% check="group_convolution"
verdict = check(group_convolution)
print(verdict)

# %% [markdown]
# ## Part 2: invariance
#
# A mean over the plane and over the group does not see how the image was turned.

# %% [markdown] exercise="invariant_head"
# ### From feature maps over a group to invariant logits
#
# Write the class `InvariantHead(channels, num_classes)` for maps [batch, channels, h, height, width] over a group: layer
# norm over the last four axes without parameters (`functional.layer_norm(x, x.shape[1:])`), ReLU, the mean over group
# elements, height and width, and a linear layer to logits [batch, num_classes]. It must work for a batch of one.
#
# A hint: `print(hint("invariant_head"))`; levels 2 and 3 tell more.

# %% exercise="invariant_head"
from torch import Tensor, nn
from torch.nn import functional


class InvariantHead(nn.Module):
    """Norm, ReLU, mean over the group and the plane, linear layer.

    Args:
        channels: of the maps.
        num_classes: number of classes.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.linear = nn.Linear(channels, num_classes)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, num_classes] of maps [batch, channels, h, height, width]."""
        ### BEGIN SOLUTION
        x = functional.layer_norm(x, x.shape[1:]).relu()
        return self.linear(x.mean((2, 3, 4)))
        ### END SOLUTION


# %% check="invariant_head"
verdict = check(InvariantHead)
print(verdict)

# %% [markdown] exercise="equivariance_error"
# ### Measure equivariance
#
# A layer that lifts images to [batch, channels, 4, height, width] is equivariant under right angles when turning the
# image turns its maps and shifts the group axis. Write `equivariance_error(layer, images)` for square images: the largest
# absolute difference, a float, between layer(turned images) and the expected maps, for one right angle
# counter-clockwise: `torch.rot90` of the last two axes, and entry h of the group axis moved to entry h + 1 (mod 4).
#
# A hint: `print(hint("equivariance_error"))`; levels 2 and 3 tell more.

# %% exercise="equivariance_error"
from collections.abc import Callable
import torch
from torch import Tensor


def equivariance_error(layer: Callable[[Tensor], Tensor], images: Tensor) -> float:
    """Returns the largest absolute difference from equivariance.

    Args:
        layer: images [batch, channels, n, n] to maps [batch, channels, 4, m, m].
        images: square.
    """
    ### BEGIN SOLUTION
    turned = layer(torch.rot90(images, 1, (-2, -1)))
    expected = torch.rot90(layer(images), 1, (-2, -1)).roll(1, dims=2)
    return (turned - expected).abs().max().item()
    ### END SOLUTION


# %% check="equivariance_error"
verdict = check(equivariance_error)
print(verdict)

# %%
lift, convolve = equivariance.LiftingConvolution(c4, 1, 2, 3), equivariance.GroupConvolution(c4, 2, 2, 3)
x = torch.randn(1, 1, 9, 9, generator=generator)
with torch.no_grad():
    maps, maps_turned = convolve(lift(x)), convolve(lift(torch.rot90(x, 1, (2, 3))))
expected = torch.rot90(maps, 1, (-2, -1)).roll(1, dims=2)
print(f"turned by 90°, moved by one along the group: differs by {(maps_turned - expected).abs().max():.1e}")
print(f"turned alone, not moved along the group:     differs by {(maps_turned - expected.roll(-1, 2)).abs().max():.1e}")

# %% [markdown]
# ## Part 3: turned images, unseen in training
#
# Both networks learn from upright digits, and are asked about turned ones. They have about the same number of weights.

# %%
tried = try_out(group_equivariance, seeds=SEEDS)
show(*tried.page("Test accuracy over rotation"))

# %% [markdown]
# **How well does each generalise to turned images?**

# %%
results = tried.results
for arm in results["arms"]:
    upright, turned_ = mean_of(results, arm, "test_upright_accuracy") or 0.0, mean_of(results, arm) or 0.0
    print(f"{arm:4} upright {upright:.1%}, turned {turned_:.1%}: {100 * (upright - turned_):.1f} points lost")

# %% [markdown]
# Quarter turns cost the group network nothing; between them it is a network like any other. A finer group helps there.
#
# ## Part 3: inside

# %%
show(*tried.page("CNN: one image at eight angles", "C4: one image at eight angles"))
show(*tried.page("CNN: the vector before the last layer", "C4: the vector before the last layer"))

# %% [markdown]
# **What happens to the vector that is classified, at 90 degrees and at 45?**

# %%
for arm in ("CNN", "C4"):
    vectors = torch.from_numpy(tried.folder.arrays(f"{arm} inside")["vectors"])
    moved = (vectors - vectors[0]).norm(dim=1) / vectors[0].norm()
    told = ", ".join(f"{angle}°: {float(moved[angle // 45]):.1%}" for angle in (45, 90, 135, 180, 270))
    print(f"{arm:4} moves by, relative to its length: {told}")

# %% [markdown]
# The CNN's maps change in no simple way, and its last layer meets vectors that it never saw. The group network's maps
# turn and move along the group at quarter turns, so their mean stays; 45 degrees are not in $C_4$, and the image itself
# has to be interpolated.
#
# ## Beyond: turned images in training, too

# %%
learned = try_out(rotated_mnist, seeds=SEEDS)
show(*learned.page("Validation error over epochs"))
for arm in learned.results["arms"]:
    print(f"{arm}: {accuracy_of(learned.results, arm)}")

# %% [markdown]
# Other groups are worth a thought: reflections, finer turns, scales, and turns in space. A kernel that is interpolated
# suits them badly where the grid does not map onto itself; `gradlab.equivariance` therefore also has kernels made of
# waves and of small networks, and groups with several dimensions (`ProductGroup`), whose cost grows with the square of
# the number of elements.
