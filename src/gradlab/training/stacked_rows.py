"""Stacks of networks of linear layers: one pass for all replicas without `vmap`, whose calls outlast small products."""

import copy
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from gradlab.augment import Transform
from gradlab.objectives import classification, classification_of_replicas
from gradlab.training.compiled import Pass
from gradlab.training.task import Objective

ROW_BY_ROW = (
    nn.Linear, nn.Sequential, nn.Identity, nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh
)  # fmt: skip
"""Modules of torch's that make each row of their output from one row of their input."""
SMALL_STEP = 500_000
"""Products of a small step, samples times weights: below, calling torch takes longer than what torch computes (LOG.md,
"stacks of small networks")."""


def pass_of_rows(model: nn.Module, objective: Objective, stacked: Mapping[str, Tensor]) -> Pass | None:
    """The pass over a stack, (inputs, targets) -> (losses, metrics); None for other networks and objectives.

    The samples of all replicas go through the network as rows of one batch; each linear layer multiplies the rows of a
    replica by that replica's weights. A class of networks whose `forward` gives each sample's logits from that sample
    and these modules alone says so with the class attribute `samples_apart = True`.

    Args:
        model: one replica; left as it is.
        objective: what is made small: classification, or a `partial` of it.
        stacked: the weights by name, each [replicas, ...].
    """
    if not _fits(model, objective):
        return None
    settings = objective.keywords if isinstance(objective, partial) else {}
    shared = copy.deepcopy(model)
    for name, layer in [*shared.named_modules(prefix="model")]:
        if isinstance(layer, nn.Linear):
            place = f"{name}.".removeprefix("model.")
            layer.forward = partial(_multiplied, stacked[f"{place}weight"], stacked.get(f"{place}bias"))
            del layer.weight, layer.bias  # whoever reads them instead of calling the layer gets an error
    of_replicas = partial(classification_of_replicas, replicas=len(next(iter(stacked.values()))), **settings)

    def forward(inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return of_replicas(shared(inputs.flatten(0, 1)), targets.flatten(0, 1))

    return forward


def has_small_steps(model: nn.Module, objective: Objective, prepare: Transform | None, batch_size: int) -> bool:
    """Whether a stack's step costs little more than one replica's: a pass of rows, little to compute, nothing drawn."""
    weights = sum(parameter.numel() for parameter in model.parameters())
    drawn = 0 if prepare is None else prepare.uniforms
    return weights * batch_size <= SMALL_STEP and not drawn and _fits(model, objective)


def _fits(model: nn.Module, objective: Objective) -> bool:
    plain = objective.func if isinstance(objective, partial) and not objective.args else objective
    return plain is classification and all(_row_by_row(module) for module in model.modules())


def _row_by_row(module: nn.Module) -> bool:
    said = vars(type(module)).get("samples_apart", False) is True  # a subclass may have a `forward` of its own
    flattens = type(module) is nn.Flatten and (module.start_dim, module.end_dim) == (1, -1)
    own = isinstance(module, nn.Linear) or not (module._parameters or module._buffers)
    return (said or flattens or type(module) in ROW_BY_ROW) and own and not _is_changed(module)


def _is_changed(module: nn.Module) -> bool:
    """Whether this very module does otherwise than its class says: by a hook, or a `forward` of its own."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(hooks) or "forward" in vars(module)


def _multiplied(weight: Tensor, bias: Tensor | None, input: Tensor) -> Tensor:
    """[replicas x samples, ..., outputs] for input [replicas x samples, ..., inputs].

    (W X^T)^T instead of X W^T, for the reason that `multiply_from_the_left` gives.
    """
    turned = input.reshape(len(weight), -1, input.shape[-1]).mT
    product = weight @ turned if bias is None else torch.baddbmm(bias.unsqueeze(-1), weight, turned)
    return product.mT.reshape(*input.shape[:-1], weight.shape[1])
