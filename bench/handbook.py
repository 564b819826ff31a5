"""The handbook's way of training, for benches to run beside: PIL images, a loader with workers, Lightning's trainer."""

import logging
import tempfile
import warnings
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from bench.torchvision_wheel import import_torchvision

transforms = import_torchvision().transforms

import lightning.pytorch as pl  # noqa: E402 (it imports torchvision)
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint  # noqa: E402

WORKERS = 3
NORMALIZE = transforms.Normalize((0.491, 0.482, 0.447), (0.247, 0.243, 0.261))
AUGMENT = (transforms.RandomHorizontalFlip(), transforms.RandomResizedCrop((32, 32), (0.8, 1.0), (0.9, 1.1)))


class PilImages(Dataset):
    """Images as torchvision's CIFAR-10 keeps them: one array, made into a PIL image when asked for."""

    def __init__(self, pixels: Tensor, labels: Tensor, transform: Callable) -> None:
        self.pixels, self.labels, self.transform = pixels.permute(0, 2, 3, 1).numpy(), labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


class Classifier(pl.LightningModule):
    """A network with the handbook's optimiser and its two logged numbers."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        return [optimizer], [torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[70, 90], gamma=0.1)]

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        images, labels = batch
        predicted = self.model(images)
        loss = F.cross_entropy(predicted, labels)
        accuracy = (predicted.argmax(dim=-1) == labels).float().mean()
        self.log("train_acc", accuracy, on_step=False, on_epoch=True)
        self.log("train_loss", loss)
        return loss


class Contrastive(pl.LightningModule):
    """A network on two views of each image, with the practical's optimiser and its four logged numbers."""

    def __init__(self, model: nn.Module, loss: Callable[[Tensor, float], Tensor]) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=5e-4, weight_decay=1e-4)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=500, eta_min=1e-5)]

    def training_step(self, batch: tuple[list[Tensor], Tensor], _index: int) -> Tensor:
        features = self.model(torch.cat(batch[0]))
        loss = self.loss(features, 0.07)
        self.log("train_loss", loss)
        with torch.no_grad():
            found = F.normalize(features.detach(), dim=-1)
            cosines = (found @ found.T).fill_diagonal_(-torch.inf)
            count = len(cosines)
            own = cosines[torch.arange(count), (torch.arange(count) + count // 2) % count]
            position = (cosines >= own[:, None]).sum(1) - 1
        self.log("train_acc_top1", (position == 0).float().mean())
        self.log("train_acc_top5", (position < 5).float().mean())
        self.log("train_acc_mean_pos", 1 + position.float().mean())
        return loss


class Views:
    """Two views of an image, each by the practical's row of transforms."""

    row = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomResizedCrop(32, scale=(0.25, 1.0)),
            transforms.RandomApply([transforms.ColorJitter(0.5, 0.5, 0.5, 0.1)], p=0.8),
            transforms.RandomGrayscale(0.2),
            transforms.GaussianBlur(3),
            transforms.ToTensor(),
            transforms.Normalize((0.5,), (0.5,)),
        ]
    )

    def __call__(self, image: Image.Image) -> list[Tensor]:
        return [self.row(image), self.row(image)]


def train_by_handbook(
    make_model: Callable[[], nn.Module], pixels: Tensor, labels: Tensor, batch: int, augment: bool, steps: int
) -> None:
    """One epoch of so many steps, as the handbook trains."""
    transform = transforms.Compose([*(AUGMENT if augment else ()), transforms.ToTensor(), NORMALIZE])
    one_epoch(Classifier(make_model()), pixels, labels, transform, batch, steps)


def contrast_by_handbook(
    make_model: Callable[[], nn.Module],
    loss: Callable[[Tensor, float], Tensor],
    pixels: Tensor,
    labels: Tensor,
    batch: int,
    steps: int,
) -> None:
    """One epoch of so many steps of contrastive learning, as the handbook trains."""
    one_epoch(Contrastive(make_model(), loss), pixels, labels, Views(), batch, steps)


def one_epoch(
    module: pl.LightningModule, pixels: Tensor, labels: Tensor, transform: Callable, batch: int, steps: int
) -> None:
    """So many steps of Lightning's trainer as it comes, fed by a loader with workers."""
    rows = steps * batch
    images = PilImages(pixels[:rows], labels[:rows], transform)
    loader = DataLoader(images, batch_size=batch, shuffle=True, drop_last=True, num_workers=WORKERS)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            default_root_dir=folder, max_epochs=1, accelerator="cpu", devices=1, enable_progress_bar=True,
            enable_model_summary=False,
            callbacks=[ModelCheckpoint(save_weights_only=True), LearningRateMonitor("epoch")],
        )  # fmt: skip
        trainer.fit(module, loader)
