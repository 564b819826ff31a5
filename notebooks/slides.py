# %% [markdown]
# # The slides: from tensors to LeNet
#
# What a tensor can stand for, gradients of a product, logistic regression, and the first convolutional network.
#
# Where a cell says TODO, write that piece; the cell below checks it as `gradlab learn check` does. No later cell waits
# for you: they all go on with gradlab's own pieces.
#
# Where gradlab is missing (on Colab, say), install it first, from a copy of its repository:
# `%pip install ./gradlab`.
#
# The settings are small (`QUICK`, on embedded digits of 8 x 8 pixels), so that everything runs in seconds on a laptop.
# What they show settles little; `gradlab run slides` runs the same experiments on MNIST.

# %%
import torch

from gradlab import data, models
from gradlab.experiments import lenet, logistic_regression, mlp_mnist
from gradlab.explain import explain, layer_table
from gradlab.inline import show, try_out
from gradlab.learn import check, hint
from gradlab.report import ConfusionMatrix, Pictures, Table, accuracy_of, mean_of

SEEDS = (0, 1, 2)

# %% [markdown]
# ## Tensors
#
# The first axis counts samples, the second channels; what follows are places in a signal, an image or a film.

# %%
for axes, shape in {
    "scores of classes": (8, 10),
    "signals": (8, 1, 500),
    "images": (8, 3, 32, 32),
    "films": (8, 3, 16, 32, 32),
}.items():
    print(f"{axes:18} {len(shape)} axes {shape}")
x = torch.arange(12.0).view(3, 4)
print("joined:", tuple(torch.cat([x, x]).shape), " repeated:", tuple(x.repeat(2, 3).shape), " in two:", [
    tuple(part.shape) for part in x.split(2)
])  # fmt: skip
print("sum", x.sum().item(), " product of a row", x[1].prod().item(), " largest of each row", x.amax(dim=1).tolist())

# %% [markdown] exercise="select_parts"
# ### Parts of a matrix
#
# Write `select_parts(matrix)` for a matrix [rows, columns] with at least 3 rows and 2 columns. It returns three tensors:
# its last column [rows]; the matrix without its first row and without its last column [rows - 1, columns - 1]; and
# every second row, beginning with the first. Slices do it; no loop is needed.
#
# A hint: `print(hint("select_parts"))`; levels 2 and 3 tell more.

# %% exercise="select_parts"
from torch import Tensor


def select_parts(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the last column, the part without first row and last column, and every second row.

    Args:
        matrix: numbers [rows, columns].
    """
    ### BEGIN SOLUTION
    return matrix[:, -1], matrix[1:, :-1], matrix[::2]
    ### END SOLUTION


# %% check="select_parts"
verdict = check(select_parts)
print(verdict)

# %% [markdown] exercise="replace_where"
# ### Replace numbers where a mask says so
#
# Write `replace_where(numbers, marks, mark, value)`: a copy of `numbers` in which every place where `marks` equals
# `mark` holds `value`. Both tensors have the same shape. The tensor that was handed in stays as it is.
#
# A hint: `print(hint("replace_where"))`; levels 2 and 3 tell more.

# %% exercise="replace_where"
from torch import Tensor


def replace_where(numbers: Tensor, marks: Tensor, mark: int, value: float) -> Tensor:
    """Returns a copy of `numbers` with `value` wherever `marks` equals `mark`.

    Args:
        numbers: any numbers.
        marks: whole numbers of the same shape.
        mark: which places to replace.
        value: what to put there.
    """
    ### BEGIN SOLUTION
    result = numbers.clone()
    result[marks == mark] = value
    return result
    ### END SOLUTION


# %% check="replace_where"
verdict = check(replace_where)
print(verdict)

# %% [markdown] exercise="images_to_tensor"
# ### From stored images to a batch for a network
#
# Image files are read as whole numbers from 0 to 255 with the colours last: [batch, height, width, channels].
# Layers want floating-point numbers with the channels second. Write `images_to_tensor(pixels)`, which returns
# float32 numbers from 0 to 1 of shape [batch, channels, height, width]: 255 becomes 1.
#
# A hint: `print(hint("images_to_tensor"))`; levels 2 and 3 tell more.

# %% exercise="images_to_tensor"
from torch import Tensor


def images_to_tensor(pixels: Tensor) -> Tensor:
    """Returns float32 numbers in [0, 1] of shape [batch, channels, height, width].

    Args:
        pixels: uint8 numbers [batch, height, width, channels].
    """
    ### BEGIN SOLUTION
    return pixels.permute(0, 3, 1, 2).float() / 255
    ### END SOLUTION


# %% check="images_to_tensor"
verdict = check(images_to_tensor)
print(verdict)

# %% [markdown]
# ## Autograd
#
# Of a product of two vectors each one's gradient is the other: here 5 and 3 for x, 7 and 1 for w.

# %%
w = torch.tensor([5.0, 3.0], requires_grad=True)
x = torch.tensor([7.0, 1.0], requires_grad=True)
y = w @ x
story = explain(y, names={"w": w, "x": x}, name="y")
y.backward()
print("y =", y.item(), " gradient of x", x.grad, " gradient of w", w.grad)
print(story)

# %% [markdown] exercise="linear_backward"
# ### Backward through a linear layer
#
# A linear layer computes y = x W^T + b for x [batch, in], weight W [out, in] and bias b [out]. Given the gradient of the
# loss with respect to y, [batch, out], write `linear_backward(x, weight, upstream)`, which returns the gradients with
# respect to x, the weight and the bias, each in the shape of what it belongs to. No autograd here.
#
# A hint: `print(hint("linear_backward"))`; levels 2 and 3 tell more.

# %% exercise="linear_backward"
from torch import Tensor


def linear_backward(x: Tensor, weight: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients with respect to x [batch, in], weight [out, in] and bias [out].

    Args:
        x: input [batch, in].
        weight: [out, in].
        upstream: gradient with respect to the output [batch, out].
    """
    ### BEGIN SOLUTION
    return upstream @ weight, upstream.T @ x, upstream.sum(0)
    ### END SOLUTION


# %% check="linear_backward"
verdict = check(linear_backward)
print(verdict)

# %% [markdown]
# ## Images with labels

# %%
splits = data.load("digits")
train = splits.train
show(Pictures(train.pixels[:10, 0].numpy(), [str(int(label)) for label in train.labels[:10]], "Digits", 10))

# %% [markdown] exercise="one_hot"
# ### One-hot vectors
#
# Write `one_hot(labels, classes)` for labels [batch] (int64, from 0 to classes - 1): float32 [batch, classes], a row for
# each sample with a 1 in the column of its label and 0 elsewhere.
#
# A hint: `print(hint("one_hot"))`; levels 2 and 3 tell more.

# %% exercise="one_hot"
import torch
from torch import Tensor


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Returns float32 rows [batch, classes] with a single 1 each.

    Args:
        labels: class numbers [batch] (int64).
        classes: how many there are.
    """
    ### BEGIN SOLUTION
    return (labels[:, None] == torch.arange(classes)).float()
    ### END SOLUTION


# %% check="one_hot"
verdict = check(one_hot)
print(verdict)

# %% [markdown]
# ## Logistic regression
#
# One linear layer gives a score for each class; cross-entropy compares the softmax of the scores with the label. Its
# gradient is the softmax minus the one-hot label, and a step goes *against* it.

# %% [markdown] exercise="cross_entropy"
# ### Cross-entropy from logits
#
# Write `cross_entropy(logits, labels)` for logits [batch, classes] and labels [batch] (int64): the mean over the batch of
# minus the logarithm of the probability that softmax gives to the right class. It must be right for logits of 1000, too:
# log softmax(x)[k] = x[k] - log(sum of exp(x)), and the last term can be computed without overflow.
#
# A hint: `print(hint("cross_entropy"))`; levels 2 and 3 tell more.

# %% exercise="cross_entropy"
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the mean loss in nats, one number.

    Args:
        logits: [batch, classes].
        labels: the right classes [batch] (int64).
    """
    ### BEGIN SOLUTION
    right = logits[torch.arange(len(labels)), labels]
    return (logits.logsumexp(dim=1) - right).mean()
    ### END SOLUTION


# %% check="cross_entropy"
verdict = check(cross_entropy)
print(verdict)

# %% [markdown] exercise="cross_entropy_gradient"
# ### The gradient of cross-entropy
#
# For logits [batch, classes] and labels [batch], write `cross_entropy_gradient(logits, labels)`: the gradient of the
# mean cross-entropy with respect to the logits, [batch, classes], from its formula and without autograd. Differentiate
# logsumexp(x) - x[label] for one sample: the first part gives the softmax, the second takes 1 off the right class.
#
# A hint: `print(hint("cross_entropy_gradient"))`; levels 2 and 3 tell more.

# %% exercise="cross_entropy_gradient"
import torch
from torch import Tensor


def cross_entropy_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the gradient of the mean cross-entropy [batch, classes].

    Args:
        logits: [batch, classes].
        labels: the right classes [batch] (int64).
    """
    ### BEGIN SOLUTION
    gradient = logits.softmax(dim=1)
    gradient[torch.arange(len(labels)), labels] -= 1
    return gradient / len(labels)
    ### END SOLUTION


# %% check="cross_entropy_gradient"
verdict = check(cross_entropy_gradient)
print(verdict)

# %% [markdown] exercise="logistic_regression_step"
# ### One step of logistic regression
#
# A linear classifier has a weight [classes, inputs] and a bias [classes]. Write
# `logistic_regression_step(weight, bias, images, labels, lr)`: flatten the images [batch, ...], compute the logits, the
# gradient of the mean cross-entropy, and return the new weight and the new bias after one step of gradient descent.
# Nothing that was handed in may change.
#
# A hint: `print(hint("logistic_regression_step"))`; levels 2 and 3 tell more.

# %% exercise="logistic_regression_step"
import torch
from torch import Tensor


def logistic_regression_step(
    weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    """Returns the weight [classes, inputs] and the bias [classes] after one step.

    Args:
        weight: [classes, inputs].
        bias: [classes].
        images: [batch, ...] with `inputs` numbers each.
        labels: [batch] (int64).
        lr: learning rate.
    """
    ### BEGIN SOLUTION
    x = images.flatten(1)
    logits = x @ weight.T + bias
    gradient = (logits.softmax(dim=1) - torch.eye(len(bias))[labels]) / len(x)
    return weight - lr * gradient.T @ x, bias - lr * gradient.sum(0)
    ### END SOLUTION


# %% check="logistic_regression_step"
verdict = check(logistic_regression_step)
print(verdict)

# %% [markdown] exercise="running_error"
# ### The training error of an epoch
#
# Training adds up statistics batch by batch. Write `running_error(logits, labels)` for two lists, a tensor
# [batch, classes] and a tensor [batch] (int64) for each batch: the share of wrong predictions among all samples of all
# batches in per cent, a Python float. The predicted class has the largest logit. The last batch may be smaller.
#
# A hint: `print(hint("running_error"))`; levels 2 and 3 tell more.

# %% exercise="running_error"
from torch import Tensor


def running_error(logits: list[Tensor], labels: list[Tensor]) -> float:
    """Returns the share of wrong predictions in per cent, in [0, 100].

    Args:
        logits: [batch, classes] for each batch.
        labels: [batch] for each batch (int64).
    """
    ### BEGIN SOLUTION
    right, seen = 0, 0
    for scores, truth in zip(logits, labels, strict=True):
        right += int((scores.argmax(dim=1) == truth).sum())
        seen += len(truth)
    return 100 * (1 - right / seen)
    ### END SOLUTION


# %% check="running_error"
verdict = check(running_error)
print(verdict)

# %%
linear = try_out(logistic_regression, seeds=SEEDS)
show(*linear.page("Training error", "Error over epochs"))

# %% [markdown]
# **How far does a linear classifier come?** The training error is measured while the weights still change; the test
# error once, on images that it never saw.

# %%
print("test accuracy:", accuracy_of(linear.results, logistic_regression.ARM))
print(linear.answer)

# %% [markdown] exercise="confusion_matrix"
# ### The confusion matrix
#
# Write `confusion_matrix(predicted, labels, classes)` for two tensors [count] of class numbers (int64): whole numbers
# [classes, classes], where row t and column p hold how many samples of class t were predicted as class p.
#
# A hint: `print(hint("confusion_matrix"))`; levels 2 and 3 tell more.

# %% exercise="confusion_matrix"
import torch
from torch import Tensor


def confusion_matrix(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Returns counts [classes, classes] (int64), a row for each true class.

    Args:
        predicted: [count] (int64).
        labels: [count] (int64).
        classes: how many there are.
    """
    ### BEGIN SOLUTION
    return torch.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    ### END SOLUTION


# %% check="confusion_matrix"
verdict = check(confusion_matrix)
print(verdict)

# %%
show(*(block for block in linear.page() if isinstance(block, ConfusionMatrix)))

# %% [markdown]
# ## Convolutions
#
# A kernel slides over the image; each place of the result is a weighted sum of the pixels below it.

# %% [markdown] exercise="convolve"
# ### A convolution by hand
#
# Write `convolve(images, weight, bias)` for images [batch, in, height, width], weight [out, in, k, k] and bias [out]:
# what a convolutional layer of stride 1 without padding computes, [batch, out, height - k + 1, width - k + 1]. Each
# output is the sum of products of the kernel and the window below it, plus the bias. The kernel is not flipped.
#
# A hint: `print(hint("convolve"))`; levels 2 and 3 tell more.

# %% exercise="convolve"
import torch
from torch import Tensor


def convolve(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Returns [batch, out, height - k + 1, width - k + 1].

    Args:
        images: [batch, in, height, width].
        weight: [out, in, k, k].
        bias: [out].
    """
    ### BEGIN SOLUTION
    side = weight.shape[-1]
    rows, columns = images.shape[2] - side + 1, images.shape[3] - side + 1
    out = bias[:, None, None].expand(len(images), -1, rows, columns).clone()
    for i in range(side):
        for j in range(side):
            part = images[:, :, i : i + rows, j : j + columns]
            out += torch.einsum("bihw,oi->bohw", part, weight[:, :, i, j])
    return out
    ### END SOLUTION


# %% check="convolve"
verdict = check(convolve)
print(verdict)

# %% [markdown] exercise="lenet"
# ### LeNet
#
# Write the class `LeNet()` for images [batch, 1, 28, 28]: a convolution with 20 kernels of 5 x 5, ReLU, max pooling
# 2 x 2; a convolution with 50 kernels of 5 x 5, ReLU, max pooling 2 x 2; a linear layer with 500 units and ReLU; a
# linear layer with 10 outputs. No padding; logits come out, [batch, 10]. (How many numbers reach the first linear layer?)
#
# A hint: `print(hint("lenet"))`; levels 2 and 3 tell more.

# %% exercise="lenet"
from torch import Tensor, nn


class LeNet(nn.Module):
    """Two convolutions with pooling, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.features = nn.Sequential(
            nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, 10] of images [batch, 1, 28, 28]."""
        ### BEGIN SOLUTION
        return self.classifier(self.features(x))
        ### END SOLUTION


# %% check="lenet"
verdict = check(LeNet)
print(verdict)

# %% [markdown]
# **How many filters, how many parameters, and what shape leaves each layer?** The slides' exercise, for images of 28 x
# 28 pixels:

# %%
network = models.LeNet()
rows = [
    (layer.name, layer.kind, layer.filters or "–", f"{layer.parameters:,}", layer.output)
    for layer in layer_table(network, (1, 28, 28))
]
show(Table(("layer", "kind", "filters", "parameters", "output"), [tuple(map(str, row)) for row in rows]))
print(f"{sum(weight.numel() for weight in network.parameters()):,} parameters in all")

# %%
convolutional = try_out(lenet, seeds=SEEDS[:1])
show(*convolutional.page("Error over epochs"))

# %% [markdown]
# ## Beside the networks of 1998

# %%
plain = try_out(mlp_mnist, seeds=SEEDS)
found = {arm: mean_of(plain.results, arm) for arm in plain.results["arms"]}
found |= {f"LeNet, {arm}": mean_of(convolutional.results, arm) for arm in convolutional.results["arms"]}
for arm, accuracy in sorted(found.items(), key=lambda pair: pair[1] or 0.0):
    print(f"{arm:22} test error {1 - (accuracy or 0.0):.1%}")
