"""A small task that every training test can afford: noisy pictures of two kinds of bar."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from gradlab.augment import Normalize
from gradlab.training import Recipe


class SmallNet(nn.Module):
    """A convolution with batch norm, so that running statistics are part of every comparison."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.mix = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(4 * 6 * 6, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.out(self.dropout(torch.relu(self.norm(self.mix(self.conv(images)))).flatten(1)))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """The threads that `Place` defaults to, for what is computed beside it: sums depend on how they are cut."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def bars() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 120, (70, 1, 8, 8), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 2, (70,), generator=generator)
    pixels[labels == 0, :, 3, :] = 255
    pixels[labels == 1, :, :, 3] = 255
    return pixels, labels


@pytest.fixture
def normalize() -> Normalize:
    return Normalize((0.3,), (0.25,))


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    def make(**changes) -> Recipe:
        settings = {
            "epochs": 3,
            "batch_size": 16,
            "optimizer": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=1e-3),
        }
        return Recipe(**{**settings, **changes})

    return make


@pytest.fixture
def make_small_net() -> type[SmallNet]:
    return SmallNet
