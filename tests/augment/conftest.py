from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor


@pytest.fixture(scope="session")
def torchvision() -> dict[str, Tensor]:
    """What torchvision makes of eight small images and what it draws, as tools/augmentation_fixtures.py wrote it."""
    with np.load(Path(__file__).with_name("torchvision.npz"), allow_pickle=False) as found:
        return {name: torch.from_numpy(found[name]) for name in found.files}
