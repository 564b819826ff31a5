"""gradlab's networks, objectives and recipes in Lightning's trainer. Needs `pip install 'gradlab[lightning]'`."""

from typing import Any

import lightning.pytorch as pl  # pyright: ignore[reportMissingImports] (an extra)
import torch
from torch import Tensor, nn

from gradlab.augment import Transform
from gradlab.training import Recipe
from gradlab.training.task import Objective

SHORT = {"accuracy": "acc"}
"""The handbook's names for what it logs."""


class TrainedByRecipe(pl.LightningModule):
    """A network with an objective and a recipe, for `Trainer.fit` over a loader of (inputs, targets).

    It logs what the handbook's modules log, train_loss, train_acc, val_loss, val_acc, test_loss and test_acc, so that
    `ModelCheckpoint(monitor="val_acc")` and `LearningRateMonitor` work as there.

    Args:
        model: the network.
        objective: as `training.fit` takes it, such as `objectives.classification`.
        recipe: of which the optimiser and the schedule are used; epochs, clipping and selection are the trainer's.
        prepare: turns training inputs into what the network takes, such as an augmentation of `gradlab.augment`.
        prepare_measured: the same for validation and test inputs.

    Raises:
        ValueError: the recipe has an L1 penalty, which this module does not add.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        recipe: Recipe,
        *,
        prepare: Transform | None = None,
        prepare_measured: Transform | None = None,
    ) -> None:
        super().__init__()
        if recipe.l1:
            raise ValueError(f"an L1 penalty is added by gradlab's own loop only: got {recipe.l1}")
        self.model, self.objective, self.recipe = model, objective, recipe
        self.prepare, self.prepare_measured = prepare, prepare_measured

    def forward(self, inputs: Tensor) -> Any:
        """What the network makes of the inputs."""
        return self.model(inputs)

    def configure_optimizers(self) -> dict[str, Any]:
        """The recipe's optimiser, and its schedule as a factor at every step."""
        optimizer = self.recipe.optimizer(self.model.parameters())
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self.recipe.schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        """The loss of a batch."""
        return self._measured("train", batch, self.prepare)

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        """Logs a validation batch."""
        self._measured("val", batch, self.prepare_measured)

    def test_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:  # noqa: PT019 (Lightning's, not pytest's)
        """Logs a test batch."""
        self._measured("test", batch, self.prepare_measured)

    def _measured(self, split: str, batch: tuple[Tensor, Tensor], prepare: Transform | None) -> Tensor:
        inputs, targets = batch
        if prepare is not None:
            inputs = prepare(inputs, torch.rand(len(inputs), prepare.uniforms, device=inputs.device))
        loss, sums = self.objective(self.model, inputs, targets)
        means = {name: total / len(targets) for name, total in sums.items()}
        for name, value in {"loss": loss, **means}.items():
            self.log(f"{split}_{SHORT.get(name, name)}", value, on_step=False, on_epoch=True, batch_size=len(targets))
        return loss
