"""Lightning's loops over batches that are in memory already, for benches to run beside."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from bench.torchvision_wheel import import_torchvision

import_torchvision()

import lightning.pytorch as pl  # noqa: E402 (it imports torchvision)
from lightning.fabric import Fabric  # noqa: E402

MakeOptimizer = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]


class Batches(IterableDataset):
    """So many shuffled batches of normalised images, drawn by index out of one tensor."""

    def __init__(self, images: Tensor, labels: Tensor, batch: int, steps: int) -> None:
        self.images, self.labels, self.batch, self.steps = images, labels, batch, steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.images))
        for start in range(0, self.steps * self.batch, self.batch):
            rows = order[start : start + self.batch]
            yield self.images.index_select(0, rows), self.labels.index_select(0, rows)

    def __len__(self) -> int:
        return self.steps


class Classifier(pl.LightningModule):
    """A network, its optimiser, and the two numbers that the handbook logs, where they are asked for."""

    def __init__(self, model: nn.Module, make_optimizer: MakeOptimizer, *, logs: bool) -> None:
        super().__init__()
        self.model, self.make_optimizer, self.logs = model, make_optimizer, logs

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.make_optimizer(self.model.parameters())

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        images, labels = batch
        predicted = self.model(images)
        loss = F.cross_entropy(predicted, labels)
        if self.logs:
            self.log("train_acc", (predicted.argmax(dim=-1) == labels).float().mean(), on_step=False, on_epoch=True)
            self.log("train_loss", loss)
        return loss


def by_trainer(model: nn.Module, make_optimizer: MakeOptimizer, batches: Batches, *, barebones: bool) -> None:
    """One epoch of Lightning's trainer: barebones, or as it comes with two logged numbers."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dressed = {} if barebones else {"default_root_dir": folder, "enable_model_summary": False}
        trainer = pl.Trainer(max_epochs=1, accelerator="cpu", devices=1, barebones=barebones, **dressed)
        trainer.fit(
            Classifier(model, make_optimizer, logs=not barebones), DataLoader(batches, batch_size=None, num_workers=0)
        )


def by_fabric(model: nn.Module, make_optimizer: MakeOptimizer, batches: Batches) -> None:
    """A loop written by hand around Fabric's wrappers."""
    fabric = Fabric(accelerator="cpu", devices=1)
    wrapped, optimizer = fabric.setup(model, make_optimizer(model.parameters()))
    loss_sum, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
    for images, labels in fabric.setup_dataloaders(DataLoader(batches, batch_size=None, num_workers=0)):
        optimizer.zero_grad()
        predicted = wrapped(images)
        loss = F.cross_entropy(predicted, labels)
        fabric.backward(loss)
        optimizer.step()
        loss_sum += loss.detach() * len(labels)
        right += (predicted.argmax(1) == labels).sum()
