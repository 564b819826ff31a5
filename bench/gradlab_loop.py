"""gradlab's own way of training, for benches to set beside others'."""

from collections.abc import Callable

from torch import Tensor, nn

from gradlab.augment import Transform
from gradlab.training import Place, Recipe, collect, fit
from gradlab.training.recipe import MakeOptimizer
from gradlab.training.task import Objective, Precision


def train_by_gradlab(
    make_model: Callable[[], nn.Module],
    pixels: Tensor,
    labels: Tensor,
    objective: Objective,
    optimizer: MakeOptimizer,
    prepare: Transform,
    batch: int,
    precision: Precision,
    steps: int,
    *,
    seeds: int = 1,
) -> None:
    """One epoch of so many steps, for one seed or for several in processes of their own."""
    rows = steps * batch
    recipe = Recipe(epochs=1, batch_size=batch, optimizer=optimizer)
    examples, place = (pixels[:rows], labels[:rows]), Place(precision=precision)
    together = "processes" if seeds > 1 else "in a row"
    collect(fit(make_model, examples, objective, recipe, seeds=range(seeds), together=together, prepare=prepare,
                place=place))  # fmt: skip
