# %% [markdown]
# # Introduction: tensors, autograd, and a first network
#
# Tensors hold the numbers, autograd finds the gradients, a module holds the weights. This notebook goes through them in
# the handbook's order, and ends with a network of 17 weights that learns exclusive or.
#
# Where a cell says TODO, write that piece; the cell below checks it as `gradlab learn check` does. No later cell needs
# your pieces: they all go on with gradlab's own.
#
# Where gradlab is missing (on Colab, say), install it first, from a copy of its repository:
# `%pip install ./gradlab`.

# %%
import tempfile
import time
from pathlib import Path

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from gradlab import data, models
from gradlab.cli.explain_graph import graph_chart
from gradlab.experiments import xor
from gradlab.explain import explain
from gradlab.inline import show, try_out
from gradlab.learn import check, hint
from gradlab.training import Run
from gradlab.training.board import Board

SEEDS = (0, 1, 2)
generator = torch.Generator().manual_seed(42)

# %% [markdown]
# ## Tensors
#
# A tensor is an array with a number of axes, one kind of number, and a device it lives on.

# %%
x = torch.rand(2, 3, 4, generator=generator)
for name, made in {
    "zeros": torch.zeros(2, 3),
    "arange": torch.arange(6),
    "from a list": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
    "random": x,
}.items():
    print(f"{name:12} shape {tuple(made.shape)}, {made.dtype}")
depth, height, width = x.shape
print("the same memory as an array:", torch.arange(4).numpy())

# %% [markdown]
# ## Operations
#
# An operation makes a new tensor; one whose name ends in an underscore changes the old one. `view` reads the same
# numbers in another shape, `permute` in another order of axes.

# %%
a, b = torch.arange(6).view(2, 3), torch.ones(2, 3, dtype=torch.int64)
total = a + b
b.add_(a)
print("a new tensor, and the old one changed:", torch.equal(total, b))
print("permuted:", a.permute(1, 0).tolist())
weights = torch.arange(9).view(3, 3)
print("matrix product:", (a @ weights).tolist())
print("the same with einsum:", torch.einsum("bi,io->bo", a, weights).tolist())

# %% [markdown] exercise="squared_distances"
# ### Distances of all pairs, without a loop
#
# Write `squared_distances(a, b)` for points a [n, d] and b [m, d]: the matrix [n, m] of squared Euclidean distances,
# entry (i, j) between a[i] and b[j]. Give the tensors axes of length 1 where they need them, and broadcasting does
# the rest.
#
# A hint: `print(hint("squared_distances"))`; levels 2 and 3 tell more.

# %% exercise="squared_distances"
from torch import Tensor


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Returns the squared distances [n, m] of points a [n, d] and b [m, d]."""
    ### BEGIN SOLUTION
    return (a[:, None] - b[None]).square().sum(-1)
    ### END SOLUTION


# %% check="squared_distances"
verdict = check(squared_distances)
print(verdict)

# %% [markdown] exercise="bilinear_form"
# ### A sum over two indices with einsum
#
# Write `bilinear_form(x, weight, y)` for x [batch, n], weight [k, n, m] and y [batch, m]:
#
#     out[b, k] = sum over i and j of  x[b, i] * weight[k, i, j] * y[b, j]
#
# The result is [batch, k]. Each sample meets only itself.
#
# A hint: `print(hint("bilinear_form"))`; levels 2 and 3 tell more.

# %% exercise="bilinear_form"
import torch
from torch import Tensor


def bilinear_form(x: Tensor, weight: Tensor, y: Tensor) -> Tensor:
    """Returns [batch, k] from x [batch, n], weight [k, n, m] and y [batch, m]."""
    ### BEGIN SOLUTION
    return torch.einsum("bi,kij,bj->bk", x, weight, y)
    ### END SOLUTION


# %% check="bilinear_form"
verdict = check(bilinear_form)
print(verdict)

# %% [markdown]
# ## Indexing
#
# As in numpy: a number takes an axis away, a slice keeps it.

# %%
table = torch.arange(12).view(3, 4)
for told, part in {"second column": table[:, 1], "first row": table[0], "last of two rows": table[:2, -1],
                   "the last two rows": table[1:3, :]}.items():  # fmt: skip
    print(f"{told:18} {part.tolist()}")

# %% [markdown]
# ## The graph of a computation, and backward through it
#
# Autograd notes every operation on a tensor that wants a gradient. `backward()` walks back and multiplies the local
# derivatives. Here for the mean of $(x + 2)^2 + 3$, where the handbook finds $[4/3, 2, 8/3]$.

# %%
x = torch.arange(3, dtype=torch.float32, requires_grad=True)
y = ((x + 2) ** 2 + 3).mean()
story = explain(y, names={"x": x}, name="y")
print(story)
show(graph_chart(story))

# %% [markdown] exercise="gradient_by_hand"
# ### A gradient by hand
#
# For x of any shape with n numbers, out = mean of 3 (x + 2)^2 over all of them. Write `gradient_by_hand(x)`, which
# returns d out / d x: one number for each number of x, in the shape of x. Differentiate on paper; autograd is not
# allowed here. For x = ones(2, 2) every entry is 4.5.
#
# A hint: `print(hint("gradient_by_hand"))`; levels 2 and 3 tell more.

# %% exercise="gradient_by_hand"
from torch import Tensor


def gradient_by_hand(x: Tensor) -> Tensor:
    """Returns the gradient of mean(3 (x + 2)^2) in the shape of x."""
    ### BEGIN SOLUTION
    return 6 * (x + 2) / x.numel()
    ### END SOLUTION


# %% check="gradient_by_hand"
verdict = check(gradient_by_hand)
print(verdict)

# %% [markdown]
# ## Devices
#
# Code that names its device once runs on both. A product of matrices is where a GPU gains most; time it several times,
# and let a GPU finish before the clock is read.

# %%
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
large = torch.randn(500, 500, generator=generator).to(device)
times = []
for _ in range(5):
    begin = time.perf_counter()
    product = large @ large
    if device.type == "cuda":
        torch.cuda.synchronize()
    times.append(time.perf_counter() - begin)
print(f"a product of 500 x 500 on the {device.type}: {1000 * sorted(times)[2]:.2f} ms")

# %% [markdown]
# ## Continuous exclusive or: the model
#
# Two inputs, four hidden units with tanh, one logit. No line can separate the classes, so the hidden layer is needed.

# %%
model = models.SimpleClassifier(num_inputs=2, num_hidden=4, num_outputs=1)
for name, parameter in model.named_parameters():
    print(f"{name:16} {tuple(parameter.shape)}")
print("weights in all:", sum(parameter.numel() for parameter in model.parameters()))

# %% [markdown]
# ## The data
#
# Corners of the unit square with noise; the label is the exclusive or of the corner, not of the noisy point.

# %% [markdown] exercise="continuous_xor"
# ### The continuous XOR data
#
# Write `continuous_xor(bits, noise, std)`, which makes a small data set: `bits` [count, 2] holds zeros and ones (int64),
# `noise` [count, 2] holds standard normal numbers. It returns the points, the bits as floating-point numbers plus noise
# of standard deviation `std`, [count, 2]; and the labels, 1 where exactly one of the two bits is 1 and 0 elsewhere,
# int64 [count]. A label belongs to the clean bits.
#
# A hint: `print(hint("continuous_xor"))`; levels 2 and 3 tell more.

# %% exercise="continuous_xor"
from torch import Tensor


def continuous_xor(bits: Tensor, noise: Tensor, std: float) -> tuple[Tensor, Tensor]:
    """Returns points [count, 2] (float32) and labels [count] (int64).

    Args:
        bits: zeros and ones [count, 2] (int64).
        noise: standard normal numbers [count, 2].
        std: standard deviation of the noise.
    """
    ### BEGIN SOLUTION
    labels = (bits.sum(dim=1) == 1).long()
    return bits.float() + std * noise, labels
    ### END SOLUTION


# %% check="continuous_xor"
verdict = check(continuous_xor)
print(verdict)

# %%
points = data.XORDataset(200, generator=torch.Generator().manual_seed(0))
loader = torch.utils.data.DataLoader(points, batch_size=8, shuffle=True)
inputs, labels = next(iter(loader))
print("a batch:", tuple(inputs.shape), tuple(labels.shape))

# %% [markdown]
# ## The loss
#
# Binary cross-entropy is taken from logits: the logarithm of a sigmoid that was computed first loses its digits, and
# overflows for sure mistakes.

# %%
logit = torch.tensor([-200.0])
naive = -torch.log(torch.sigmoid(logit))
print("by way of the sigmoid:", naive.item(), " from the logit:", nn.functional.softplus(-logit).item())

# %% [markdown] exercise="binary_cross_entropy"
# ### Binary cross-entropy from logits
#
# A binary classifier gives logits [batch]; sigmoid(logit) is its probability of class 1. Write
# `binary_cross_entropy(logits, labels)` for labels 0 or 1 (float32, [batch]): the mean over the batch of
#
#     - y log p - (1 - y) log (1 - p),    p = sigmoid(logit)
#
# It must be right for logits of +-100 as well, where p rounds to 0 or 1 and its logarithm to minus infinity.
#
# A hint: `print(hint("binary_cross_entropy"))`; levels 2 and 3 tell more.

# %% exercise="binary_cross_entropy"
from torch import Tensor
from torch.nn import functional


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the mean loss, one number.

    Args:
        logits: [batch].
        labels: 0.0 or 1.0 [batch].
    """
    ### BEGIN SOLUTION
    terms = labels * functional.logsigmoid(logits) + (1 - labels) * functional.logsigmoid(-logits)
    return -terms.mean()
    ### END SOLUTION


# %% check="binary_cross_entropy"
verdict = check(binary_cross_entropy)
print(verdict)

# %% [markdown]
# ## Training, and evaluation
#
# Five steps: a batch, the prediction, the loss, backward, the update. Gradients add up, so they are cleared in between.
# To evaluate, count what is right on points that training never saw.

# %% [markdown] exercise="descent_step"
# ### One step of gradient descent
#
# Write `descent_step(parameters, loss, lr)` for a list of leaf tensors and a loss that was computed from them: compute
# the gradients of the loss, move every parameter by lr against its gradient, in place, and leave no gradient behind
# (`.grad` is None), so that the next step does not add to it. Gradients that are left over from before must not count.
# The step itself must not be recorded. It returns nothing.
#
# A hint: `print(hint("descent_step"))`; levels 2 and 3 tell more.

# %% exercise="descent_step"
import torch
from torch import Tensor


def descent_step(parameters: list[Tensor], loss: Tensor, lr: float) -> None:
    """Moves the parameters one step down the loss.

    Args:
        parameters: leaves that require gradients; changed in place.
        loss: one number, computed from them.
        lr: learning rate.
    """
    ### BEGIN SOLUTION
    for p in parameters:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            if p.grad is not None:
                p -= lr * p.grad
            p.grad = None
    ### END SOLUTION


# %% check="descent_step"
verdict = check(descent_step)
print(verdict)

# %% [markdown] exercise="binary_accuracy"
# ### Accuracy of a binary classifier
#
# Write `binary_accuracy(logits, labels)` for logits [batch] or [batch, 1] and labels 0 or 1, int64 [batch]: the share of
# samples that are classified right, a Python float. A sample counts as class 1 where its probability sigmoid(logit) is
# above one half.
#
# A hint: `print(hint("binary_accuracy"))`; levels 2 and 3 tell more.

# %% exercise="binary_accuracy"
from torch import Tensor


def binary_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Returns the share of right predictions, in [0, 1].

    Args:
        logits: [batch] or [batch, 1].
        labels: 0 or 1 [batch] (int64).
    """
    ### BEGIN SOLUTION
    predicted = logits.reshape(-1) > 0
    return (predicted == labels.bool()).float().mean().item()
    ### END SOLUTION


# %% check="binary_accuracy"
verdict = check(binary_accuracy)
print(verdict)

# %% [markdown]
# ## Saving
#
# What is worth saving are the parameters, by name. Loaded into a second network they make it the first one's equal.

# %%
other = models.SimpleClassifier(num_inputs=2, num_hidden=4, num_outputs=1)
with torch.no_grad():
    print("equal before:", torch.equal(model(inputs), other(inputs)))
    other.load_state_dict(model.state_dict())
    print("equal after: ", torch.equal(model(inputs), other(inputs)))

# %% [markdown]
# ## The experiment
#
# `xor` trains the network with each seed and keeps the weights that validate best. The same runs on a command line as
# `gradlab run xor --quick`; `Config` in its file holds everything that it can vary.

# %%
trial = try_out(xor, seeds=SEEDS)
show(*trial.page("Loss over epochs", "Accuracy over epochs", "What the network of seed 0 says of every point"))

# %% [markdown]
# **Does a network with four hidden units learn it?** From the test rows, one for each seed:

# %%
tested = {row["seed"]: row["accuracy"] for row in trial.rows if row.get("split") == "test" and "accuracy" in row}
print({seed: f"{accuracy:.1%}" for seed, accuracy in tested.items()})
print(trial.answer)

# %% [markdown]
# ## TensorBoard
#
# A run can log while it trains: its graph once, the loss after every epoch, a picture of the boundary. `gradlab run`
# always does; `tensorboard --logdir FOLDER` shows it. Here the events are read back.

# %%
with tempfile.TemporaryDirectory() as folder:
    board = Board(Path(folder))
    for row in xor.run(xor.QUICK, Run(seeds=(0,), together="in a row", board=board)):
        board.add(row)
    board.close()
    for events in sorted(Path(folder).iterdir()):
        found = EventAccumulator(str(events))
        found.Reload()
        tags = found.Tags()
        print(f"{events.name}: graph {tags['graph']}, curves {tags['scalars']}, pictures {tags['images']}")
