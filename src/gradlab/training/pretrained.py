"""Networks that begin with given weights, a set for each seed, instead of drawn ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from gradlab.errors import UsageError


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Makes networks for `fit`, whose seeds begin with what they learned before; weights that are not given are drawn.

    Args:
        make: builds the network.
        weights: seed -> weights by name, all of them names of the network's state.
    """

    make: Callable[[], nn.Module]
    weights: Mapping[int, Mapping[str, Tensor]]

    def __call__(self) -> nn.Module:
        """A network with drawn weights."""
        return self.make()

    def among(self, seeds: Sequence[int]) -> tuple[int, ...]:
        """Those of the seeds that weights are given for."""
        return tuple(seed for seed in seeds if seed in self.weights)

    def given(self, model: nn.Module, seed: int) -> nn.Module:
        """The network with the weights of a seed put in.

        Raises:
            UsageError: there are none for this seed, or the network has none of that name and shape.
        """
        if seed not in self.weights:
            raise UsageError(f"there are weights to begin with for seeds {sorted(self.weights)}, and none for {seed}")
        own = model.state_dict()
        for name, tensor in self.weights[seed].items():
            found = list(own[name].shape) if name in own else "none of that name"
            if found != list(tensor.shape):
                raise UsageError(f"a network cannot begin with {name} {list(tensor.shape)}: it has {found}")
        model.load_state_dict({**own, **self.weights[seed]})
        return model
