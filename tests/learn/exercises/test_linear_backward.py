import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("linear_backward")


@WRONG("the weight's gradient is transposed")
def transposed(x, weight, upstream):
    return upstream.matmul(weight), torch.einsum("bi,bo->io", x, upstream), upstream.sum(dim=0)


@WRONG("the weight's gradient is averaged over the batch")
def mean_weight(x, weight, upstream):
    return (
        upstream @ weight,
        torch.stack([torch.outer(g, r) for g, r in zip(upstream, x, strict=False)]).mean(0),
        upstream.sum(0),
    )


@WRONG("the bias's gradient is averaged over the batch")
def mean_bias(x, weight, upstream):
    return upstream @ weight, upstream.T @ x, upstream.sum(0) / x.shape[0]


@WRONG("weight and bias are averaged over the batch")
def both_mean(x, weight, upstream):
    n = x.shape[0]
    return upstream @ weight, (upstream / n).T @ x, (upstream / n).sum(0)


@WRONG("the bias's gradient is not summed over the batch")
def bias_per_sample(x, weight, upstream):
    return upstream @ weight, upstream.T @ x, upstream.clone()


@WRONG("the bias's gradient is summed over the outputs")
def wrong_axis(x, weight, upstream):
    return upstream @ weight, upstream.T @ x, upstream.sum(dim=-1)


@WRONG("the bias's gradient ignores the upstream gradient")
def counts(x, weight, upstream):
    return upstream @ weight, upstream.T @ x, torch.ones(upstream.shape[1]) * len(x)


@WRONG("the input's gradient does not use the upstream gradient")
def no_chain(x, weight, upstream):
    return torch.ones_like(upstream) @ weight, upstream.T @ x, upstream.sum(0)


@WRONG("the gradients of input and weight are swapped")
def order(x, weight, upstream):
    gw = torch.einsum("bo,bi->oi", upstream, x)
    return gw, upstream.mm(weight), upstream.sum(0)


@WRONG("the signs are flipped")
def negative(x, weight, upstream):
    gx, gw, gb = upstream @ weight, upstream.T @ x, upstream.sum(0)
    return -gx, -gw, -gb


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
