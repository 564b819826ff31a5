"""Runs where Lightning is installed: `pip install 'gradlab[lightning]'`."""

import logging
import warnings

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from gradlab import data
from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip
from gradlab.models import LogRegression
from gradlab.objectives import classification
from gradlab.training import Recipe
from gradlab.training.schedules import linear

pytest.importorskip("lightning")
BATCH, EPOCHS = 64, 2


@pytest.fixture(scope="module")
def splits():
    return data.load("digits")


def recipe(steps: int, **more: float) -> Recipe:
    return Recipe(
        epochs=EPOCHS, batch_size=BATCH, optimizer=lambda p: torch.optim.SGD(p, lr=0.5), schedule=linear(steps=steps),
        **more,
    )  # fmt: skip


def loader(images: data.Images) -> DataLoader:
    return DataLoader(TensorDataset(images.pixels, images.labels), batch_size=BATCH)


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_makes_the_recipe_s_steps_and_logs_the_handbook_s_names(splits, tmp_path):
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint

    from gradlab.lightning import TrainedByRecipe

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    normalize = Normalize(*splits.normalisation)
    steps = EPOCHS * -(-len(splits.train) // BATCH)
    torch.manual_seed(0)
    model = LogRegression(64, 10)
    by_hand = LogRegression(64, 10)
    by_hand.load_state_dict(model.state_dict())
    module = TrainedByRecipe(
        model, classification, recipe(steps), prepare=Pipeline([normalize]), prepare_measured=normalize
    )
    checkpoint = ModelCheckpoint(monitor="val_acc", mode="max", save_weights_only=True)
    trainer = pl.Trainer(
        default_root_dir=tmp_path, max_epochs=EPOCHS, accelerator="cpu", devices=1, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[checkpoint, LearningRateMonitor("epoch")],
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(module, loader(splits.train), loader(splits.validation))
        logged = set(trainer.callback_metrics)
        tested = trainer.test(module, loader(splits.test), verbose=False)[0]

    step, rate = 0, linear(steps=steps)
    for _ in range(EPOCHS):
        for pixels, labels in loader(splits.train):
            loss = F.cross_entropy(by_hand(normalize(pixels)), labels)
            gradients = torch.autograd.grad(loss, list(by_hand.parameters()))
            with torch.no_grad():
                for parameter, gradient in zip(by_hand.parameters(), gradients, strict=True):
                    parameter.sub_(0.5 * rate(step) * gradient)
            step += 1
    assert step == steps
    for mine, other in zip(model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)
    right = (model(normalize(splits.test.pixels)).argmax(1) == splits.test.labels).float().mean().item()
    assert tested["test_acc"] == pytest.approx(right, abs=1e-6)
    assert checkpoint.best_model_score is not None
    assert {"train_loss", "train_acc", "val_loss", "val_acc"} <= logged


def test_an_l1_penalty_is_refused():
    from gradlab.lightning import TrainedByRecipe

    with pytest.raises(ValueError, match="L1 penalty"):
        TrainedByRecipe(LogRegression(64, 10), classification, recipe(1, l1=0.1), prepare=RandomHorizontalFlip())
