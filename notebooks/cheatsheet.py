# %% [markdown]
# # The cheat-sheet, tried out
#
# Its rules in the order in which it gives them, each with an experiment that shows what the rule is worth.
#
# Where a cell says TODO, write that piece; the cell below checks it as `gradlab learn check` does. No later cell waits
# for you: they all go on with gradlab's own pieces.
#
# Where gradlab is missing (on Colab, say), install it first, from a copy of its repository:
# `%pip install ./gradlab`.
#
# The settings are small (`QUICK`, on embedded digits or sequences), so that everything runs in seconds on a laptop. What
# they show settles little; `gradlab run cheatsheet` runs the same experiments in full.

# %%
import torch
from torch import nn

from gradlab import models
from gradlab import nn as pieces
from gradlab.experiments import (
    initialization,
    learning_rates,
    lstm_next_symbol,
    regularization,
    rnn_rows,
    transformer_reverse,
    vae,
)
from gradlab.inline import show, try_out
from gradlab.learn import check, hint
from gradlab.report import accuracies_sentence, value_of

SEEDS = (0, 1, 2)
generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Autograd
#
# Leaves keep their gradient; results on the way do only if asked before `backward()`. For the mean of $3 (x + 2)^2$ at
# ones, the gradient is 4.5 at every place.

# %%
x = torch.ones(2, 2, requires_grad=True)
y = x + 2
y.retain_grad()
(3 * y * y).mean().backward()
print("x is a leaf:", x.grad, " y was asked to keep its own:", y.grad)

# %% [markdown] exercise="intermediate_gradient"
# ### The gradient of an intermediate result
#
# Autograd keeps the gradients of leaves and forgets those of intermediate results unless told otherwise. Write
# `intermediate_gradient(x)`: with y = 2 x and out = the sum of y^3, let autograd compute the gradients, and return
# d out / d y and d out / d x, both in the shape of x. The x that is handed in records nothing and must have no `.grad`
# afterwards: work on a copy of it.
#
# A hint: `print(hint("intermediate_gradient"))`; levels 2 and 3 tell more.

# %% exercise="intermediate_gradient"
from torch import Tensor


def intermediate_gradient(x: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """Returns d out / d y and d out / d x for y = 2 x and out = sum of y^3."""
    ### BEGIN SOLUTION
    leaf = x.clone().requires_grad_()
    y = 2 * leaf
    y.retain_grad()
    (y**3).sum().backward()
    return y.grad, leaf.grad
    ### END SOLUTION


# %% check="intermediate_gradient"
verdict = check(intermediate_gradient)
print(verdict)

# %% [markdown]
# A chain of steps is a product of Jacobians. Autograd never builds them: it carries one vector back through each.

# %% [markdown] exercise="jacobian_chain"
# ### The chain rule with Jacobians
#
# For a vector x [n] let y = x + 2, z = 3 y^2 (each number by itself) and out = mean(z). Write `jacobian_chain(x)`, which
# returns three tensors, computed from their formulas without autograd:
#
#     d out / d z   [n]        the row of the mean
#     d z / d y     [n, n]     row i holds the derivatives of z[i]
#     d out / d x   [n]        the product of all Jacobians
#
# A hint: `print(hint("jacobian_chain"))`; levels 2 and 3 tell more.

# %% exercise="jacobian_chain"
import torch
from torch import Tensor


def jacobian_chain(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns d out / d z [n], d z / d y [n, n] and d out / d x [n] for x [n]."""
    ### BEGIN SOLUTION
    row = torch.full_like(x, 1 / len(x))
    middle = torch.diag(6 * (x + 2))
    return row, middle, row @ middle
    ### END SOLUTION


# %% check="jacobian_chain"
verdict = check(jacobian_chain)
print(verdict)

# %% [markdown]
# ## Networks, and what belongs into the loss
#
# `CrossEntropyLoss` takes logits and does the softmax itself, so the network must not. Gradients add up until they are
# cleared.

# %% [markdown] exercise="softmax"
# ### Softmax that does not overflow
#
# Turn logits [batch, classes] into probabilities of the same shape: the exponential of each logit, divided by the sum
# of its row's exponentials. exp(100) is already infinite in float32, so logits of 1000 must work as well: softmax does
# not change when the same number is taken off every logit of a row.
#
# A hint: `print(hint("softmax"))`; levels 2 and 3 tell more.

# %% exercise="softmax"
from torch import Tensor


def softmax(logits: Tensor) -> Tensor:
    """Returns the probabilities [batch, classes] of logits [batch, classes]; each row adds to 1."""
    ### BEGIN SOLUTION
    exponentials = (logits - logits.max(dim=1, keepdim=True).values).exp()
    return exponentials / exponentials.sum(dim=1, keepdim=True)
    ### END SOLUTION


# %% check="softmax"
verdict = check(softmax)
print(verdict)

# %%
net = nn.Linear(3, 2)
inputs, labels = torch.randn(5, 3, generator=generator), torch.tensor([0, 1, 1, 0, 1])
for step in (1, 2):
    nn.functional.cross_entropy(net(inputs), labels).backward()
    gradient = torch.cat([weight.grad.flatten() for weight in net.parameters() if weight.grad is not None])
    print(
        f"backward called {step} times without zero_grad the gradient has length {torch.linalg.vector_norm(gradient):.4f}"
    )

# %% [markdown]
# ## Learning rates
#
# The sheet gives SGD with momentum 0.01 to 0.1, Adam 3e-4 to 1e-5.

# %%
rates = try_out(learning_rates, seeds=SEEDS)
show(*rates.page("Validation accuracy by learning rate"))
print(rates.answer)

# %% [markdown]
# ## Initial weights
#
# The variance of what a layer gives should be that of what it gets: 2 / n for ReLU, which kills half; 1 / n for tanh.

# %% [markdown] exercise="initial_weights"
# ### Initial weights of the right size
#
# A layer keeps the variance of its signal when its weights have the right variance. Write
# `initial_weights(normal, gain)`: `normal` holds standard normal numbers in the shape of the weight, [out, in] of a
# linear layer or [out, in, height, width] of a convolution; the result has variance gain / fan_in, where fan_in is how
# many numbers one output is summed from. (gain is 2 for ReLU, after He et al., and 1 for a recurrent network, whose
# unit adds two such sums.)
#
# A hint: `print(hint("initial_weights"))`; levels 2 and 3 tell more.

# %% exercise="initial_weights"
from torch import Tensor


def initial_weights(normal: Tensor, gain: float) -> Tensor:
    """Returns weights of variance gain / fan_in in the shape of `normal`.

    Args:
        normal: standard normal numbers [out, in] or [out, in, height, width].
        gain: 2 for ReLU, 1 for none.
    """
    ### BEGIN SOLUTION
    return normal * (gain / normal[0].numel()) ** 0.5
    ### END SOLUTION


# %% check="initial_weights"
verdict = check(initial_weights)
print(verdict)

# %%
scales = try_out(initialization, seeds=SEEDS)
show(*scales.page("Activations through layers of ReLU", "Gradients through layers of ReLU"))
print(scales.answer)

# %% [markdown]
# ## Regularisation
#
# Few images, and a network that learns them by heart: what closes the gap between training and validation? Dropout,
# penalties and batch normalisation are exercises of practical 1.

# %%
gaps = try_out(regularization, seeds=SEEDS)
show(*gaps.page("Error over epochs"))
show(*gaps.page("arm, training images, gap, change"))

# %% [markdown]
# ## Sizes of convolutions

# %% [markdown] exercise="convolution_size"
# ### The output size of a convolution
#
# Write `convolution_size(size, kernel, stride, padding, dilation)`: how many outputs a convolution (or a pooling) has
# along one axis of `size` pixels, a whole number. The kernel has `kernel` weights that lie `dilation` pixels apart,
# `padding` zeros are added at both ends, and the kernel moves in steps of `stride`.
#
# A hint: `print(hint("convolution_size"))`; levels 2 and 3 tell more.


# %% exercise="convolution_size"
def convolution_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Returns the number of outputs along one axis.

    Args:
        size: pixels of the input.
        kernel: weights of the kernel.
        stride: pixels from one output to the next.
        padding: zeros at each end.
        dilation: pixels from one weight to the next.
    """
    ### BEGIN SOLUTION
    covered = dilation * (kernel - 1) + 1
    return (size + 2 * padding - covered) // stride + 1
    ### END SOLUTION


# %% check="convolution_size"
verdict = check(convolution_size)
print(verdict)

# %% [markdown]
# ## Recurrent networks
#
# A state that each step rewrites. Here an image is read row by row, and an LSTM counts.

# %% [markdown] exercise="rnn_step"
# ### Recurrent steps
#
# Write two functions. `rnn(x, h, w_x, w_h, b)` runs a simple recurrent network over a sequence x [batch, time, inputs]
# from state h [batch, units]: h = tanh(x_t w_x^T + h w_h^T + b) at each time; it returns all states [batch, time, units]
# and the last one. `lstm_step(x, h, c, w_x, w_h, b)` does one step of an LSTM for x [batch, inputs]: the four parts of
# x w_x^T + h w_h^T + b [batch, 4 units] are, in this order, input gate i, forget gate f, candidate g and output gate o;
# sigmoid for the gates, tanh for g; c = f c + i g; h = o tanh(c). It returns the new h and c.
#
# A hint: `print(hint("rnn_step"))`; levels 2 and 3 tell more.

# %% exercise="rnn_step"
import torch
from torch import Tensor


def rnn(x: Tensor, h: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Returns all states [batch, time, units] and the last one [batch, units].

    Args:
        x: [batch, time, inputs].
        h: first state [batch, units].
        w_x: [units, inputs].
        w_h: [units, units].
        b: [units].
    """
    ### BEGIN SOLUTION
    states = []
    for part in x.unbind(1):
        h = torch.tanh(part @ w_x.T + h @ w_h.T + b)
        states.append(h)
    return torch.stack(states, dim=1), h
    ### END SOLUTION


def lstm_step(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the new h and c [batch, units].

    Args:
        x: [batch, inputs].
        h: state [batch, units].
        c: cell [batch, units].
        w_x: [4 units, inputs].
        w_h: [4 units, units].
        b: [4 units].
    """
    ### BEGIN SOLUTION
    i, f, g, o = (x @ w_x.T + h @ w_h.T + b).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c
    ### END SOLUTION


# %% check="rnn_step"
verdict = check(rnn)
print(verdict)

# %%
rows = try_out(rnn_rows, seeds=SEEDS)
show(*rows.page("Accuracy by the number of rows seen"))
print(accuracies_sentence(rows.results))

# %%
counted = try_out(lstm_next_symbol, seeds=SEEDS)
show(*counted.page("Determined symbols right, by n"))
print(counted.answer)

# %% [markdown]
# ## Attention
#
# Scores are divided by the square root of the key's size: otherwise their variance grows with it, and the softmax has
# hardly a gradient left.

# %% [markdown] exercise="attention"
# ### Scaled dot-product attention
#
# Write `attention(query, key, value, mask)` for query [..., targets, d], key [..., sources, d] and value
# [..., sources, e]: softmax(query key^T / sqrt(d)) value, where the softmax runs over the sources. `mask` is None or
# [..., targets, sources]; where it is 0 a target may not look at that source, which then gets weight 0. Return the values
# [..., targets, e] and the weights [..., targets, sources].
#
# A hint: `print(hint("attention"))`; levels 2 and 3 tell more.

# %% exercise="attention"
import math
from torch import Tensor


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Returns the attended values [..., targets, e] and the weights [..., targets, sources].

    Args:
        query: [..., targets, d].
        key: [..., sources, d].
        value: [..., sources, e].
        mask: 0 where a target may not look; [..., targets, sources].
    """
    ### BEGIN SOLUTION
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
    ### END SOLUTION


# %% check="attention"
verdict = check(attention)
print(verdict)

# %% [markdown] exercise="multi_head_attention"
# ### Attention with several heads
#
# `dot_product_attention(query, key, value)` is given; it works on the last two axes. Write the class
# `MultiHeadAttention(embed_dim, num_heads)`: linear layers `query`, `key`, `value` and `out`, each from embed_dim to
# embed_dim. For x [batch, tokens, embed_dim] compute query, key and value of x, split each into num_heads heads of
# embed_dim / num_heads consecutive numbers, attend in each head, put the heads beside each other again and apply `out`.
#
# A hint: `print(hint("multi_head_attention"))`; levels 2 and 3 tell more.

# %% exercise="multi_head_attention"
from torch import Tensor, nn


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


# %% check="multi_head_attention"
verdict = check(MultiHeadAttention)
print(verdict)

# %%
for size in (4, 64, 1024):
    query, key = torch.randn(2, 1000, size, generator=generator)
    scores = (query * key).sum(1)
    print(
        f"size {size:4}: variance of the scores {scores.var():8.1f}, after the division {(scores / size**0.5).var():.2f}"
    )

# %%
reversed_ = try_out(transformer_reverse, seeds=SEEDS)
show(*reversed_.page("Accuracy over epochs", "Attention of one head"))
print(accuracies_sentence(reversed_.results))

# %% [markdown]
# ## Variational autoencoder
#
# The encoder gives mean and logarithm of the deviation (which so is positive); a sample is made of noise that does not
# depend on them, so that gradients pass.

# %% [markdown] exercise="reparameterize"
# ### A Gaussian that gradients flow through
#
# The encoder of a variational autoencoder gives mu and log_sigma [batch, latent] of a normal distribution for each
# sample. Write `rsample(mu, log_sigma, noise)`: a sample of it made from standard normal `noise` of the same shape, such
# that gradients flow to mu and log_sigma. Write `log_prob(mu, log_sigma, z)`: the logarithm of the density of every
# number of z, [batch, latent]:
#
#     - log sigma - (log 2 pi) / 2 - (z - mu)^2 / (2 sigma^2)
#
# A hint: `print(hint("reparameterize"))`; levels 2 and 3 tell more.

# %% exercise="reparameterize"
import math
from torch import Tensor


def rsample(mu: Tensor, log_sigma: Tensor, noise: Tensor) -> Tensor:
    """Returns samples [batch, latent] through which gradients flow."""
    ### BEGIN SOLUTION
    return mu + log_sigma.exp() * noise
    ### END SOLUTION


def log_prob(mu: Tensor, log_sigma: Tensor, z: Tensor) -> Tensor:
    """Returns the log density of each number of z [batch, latent], in nats."""
    ### BEGIN SOLUTION
    return -log_sigma - 0.5 * math.log(2 * math.pi) - 0.5 * ((z - mu) / log_sigma.exp()).square()
    ### END SOLUTION


# %% check="reparameterize"
verdict = check(rsample)
print(verdict)

# %% [markdown] exercise="negative_elbo"
# ### The loss of a variational autoencoder
#
# Write `negative_elbo(logits, x, mu, log_sigma, beta)`: for each sample the reconstruction term log p(x|z), the sum over
# its pixels of the Bernoulli log-probability of x [batch, pixels] in [0, 1] under sigmoid(logits); minus beta times the
# Kullback-Leibler divergence between N(mu, sigma^2) and N(0, 1), summed over the latent numbers [batch, latent]:
#
#     KL = sum of  (mu^2 + sigma^2 - 1) / 2 - log sigma
#
# Return minus its mean over the batch, one number.
#
# A hint: `print(hint("negative_elbo"))`; levels 2 and 3 tell more.

# %% exercise="negative_elbo"
from torch import Tensor
from torch.nn import functional


def negative_elbo(logits: Tensor, x: Tensor, mu: Tensor, log_sigma: Tensor, beta: float) -> Tensor:
    """Returns the loss in nats, one number.

    Args:
        logits: of the decoder [batch, pixels].
        x: pixels in [0, 1] [batch, pixels].
        mu: [batch, latent].
        log_sigma: [batch, latent].
        beta: weight of the divergence.
    """
    ### BEGIN SOLUTION
    missed = functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    divergence = (0.5 * (mu.square() + (2 * log_sigma).exp() - 1) - log_sigma).sum(1)
    return (missed + beta * divergence).mean()
    ### END SOLUTION


# %% check="negative_elbo"
verdict = check(negative_elbo)
print(verdict)

# %%
posterior = pieces.ReparameterizedDiagonalGaussian(torch.zeros(1, 2), torch.zeros(1, 2))
print("a sample lets gradients through:", posterior.rsample().shape)
weights = sum(weight.numel() for weight in models.VariationalAutoencoder(torch.Size([1, 28, 28]), 2).parameters())
print(f"the handbook's network with a code of two numbers has {weights:,} weights")
coded = try_out(vae, seeds=SEEDS)
show(*coded.page("Test images reconstructed", "New images", "Where test images lie: 2 dimensions"))
for arm in coded.results["arms"]:
    print(f"{arm}: ELBO {value_of(coded.results, arm, 'test_elbo')} nats")
