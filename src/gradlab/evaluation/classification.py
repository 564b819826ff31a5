"""Accuracy, loss, confusion and telling examples of a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab import rng
from gradlab.augment import Transform
from gradlab.data import Images
from gradlab.records import Row

EVALUATION_BATCH = 500  # larger ones are hardly faster on a CPU, or slower, and take more memory


def predict_logits(model: nn.Module, pixels: Tensor, prepare: Transform) -> Tensor:
    """The logits [samples, classes] of images, on the CPU; the model's mode is put back afterwards.

    Args:
        model: gives logits [batch, classes].
        pixels: [samples, channels, height, width], bytes or floats in [0, 1].
        prepare: turns a batch of pixels into what the network takes. If it is random, its draws are a function of the
            position in `pixels` alone: the same at every call, for every model.
    """
    first = next(model.parameters(), torch.empty(0))
    draws = torch.rand(len(pixels), prepare.uniforms, generator=rng.generator(0, "evaluation"))
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            logits = torch.cat(
                [
                    model(prepare(batch.to(first.device), uniforms.to(first.device)).to(first.dtype)).cpu()
                    for batch, uniforms in zip(
                        pixels.split(EVALUATION_BATCH), draws.split(EVALUATION_BATCH), strict=True
                    )
                ]
            )
            # In bfloat16 all confident probabilities are 1, and cannot be told apart.
            return logits.float() if logits.dtype == torch.bfloat16 else logits
    finally:
        for module, was_training in modes.items():  # one by one: a frozen part may stand in another mode
            module.training = was_training


def measure_classification(model: nn.Module, images: Images, prepare: Transform) -> dict[str, float]:
    """The mean cross entropy in nats ("loss") and the share of right answers ("accuracy") on a split."""
    return _metrics(predict_logits(model, images.pixels, prepare), images.labels)


@dataclass(frozen=True, slots=True)
class Examination:
    """What the selected networks of one arm do on a split.

    Args:
        rows: one result row a seed, to which the caller adds the arm.
        arrays: `confusion` int64 [classes, classes] summed over seeds (row: true class, column: predicted); for
            the first seed `sample_*` (images from all over the split) and `mistake_*` (the most confident mistakes):
            `pixels` uint8 [count, channels, height, width], `true`, `predicted` int64 [count], `probability` of the
            predicted class [count], and `files` text [count] where the images were read from files: their paths in
            the folder.
    """

    rows: list[Row]
    arrays: dict[str, np.ndarray]


def examine(
    models: Mapping[int, nn.Module], images: Images, prepare: Transform, *, split: str = "test", examples: int = 16
) -> Examination:
    """Reads a split once for each seed's network: metrics, confusion matrix, sample predictions, worst mistakes."""
    rows: list[Row] = []
    confusion = np.zeros((len(images.classes), len(images.classes)), np.int64)
    arrays: dict[str, np.ndarray] = {}
    for seed, model in models.items():
        logits = predict_logits(model, images.pixels, prepare)
        rows.append({"seed": seed, "split": split, **_metrics(logits, images.labels)})
        predicted = logits.argmax(1)
        np.add.at(confusion, (images.labels.numpy(), predicted.numpy()), 1)
        if not arrays:
            wrong = (predicted != images.labels).nonzero().flatten()
            confidence = logits.softmax(1).max(1).values
            worst = wrong[confidence[wrong].argsort(descending=True, stable=True)[:examples]]
            arrays |= _examples("sample", _from_all_over(len(images), examples), images, logits)
            arrays |= _examples("mistake", worst, images, logits)
    return Examination(rows, arrays | {"confusion": confusion})


def _metrics(logits: Tensor, labels: Tensor) -> dict[str, float]:
    # Double precision: the mean over a split is a number that people compare to the last digit.
    loss = F.cross_entropy(logits.double(), labels)
    return {"loss": loss.item(), "accuracy": (logits.argmax(1) == labels).double().mean().item()}


def _from_all_over(count: int, wanted: int) -> Tensor:
    """Indices at equal distances: the first images of a split sorted by class would be of one class."""
    return torch.arange(min(wanted, count)) * count // max(1, min(wanted, count))


def _examples(kind: str, indices: Tensor, images: Images, logits: Tensor) -> dict[str, np.ndarray]:
    # The largest logit, not the largest probability: rounding can make two probabilities equal.
    predicted = logits[indices].argmax(1)
    probability = logits[indices].softmax(1).gather(1, predicted.unsqueeze(1)).squeeze(1)
    named = {} if images.files is None else {f"{kind}_files": _as_text(images.files[indices.numpy()])}
    return named | {
        f"{kind}_pixels": images.pixels[indices].numpy(),
        f"{kind}_true": images.labels[indices].numpy(),
        f"{kind}_predicted": predicted.numpy(),
        f"{kind}_probability": probability.float().numpy(),
    }


def _as_text(files: np.ndarray) -> np.ndarray:
    # A path may hold bytes that are no text; a report must not.
    return np.array([path.decode("utf-8", "replace") for path in files.tolist()], dtype=np.str_)
