"""How does a vision transformer do on small natural images, beside a convolutional network?

Expect: with the handbook's settings the transformer stays far behind; patches of 4, a one-cycle learning rate and
stronger decay close part of the gap at equal epochs; in the CNN's time, which is fewer epochs, they get no further than
the handbook's settings do at equal epochs. It has no notion of neighbourhood or of
weights shared over places, and 45,000 images are few to learn both from.
Source: handbook, practical 3, part 1. Its text says patches of 4 and 4 heads, its code patches of 8 and 8 heads: the
arm "handbook" is the code.
Command: `gradlab run vit`; for the handbook's report: `gradlab run vit --epochs 100`; one training on a
GPU, not run: `gradlab run vit --device cuda --precision bfloat16 --epochs 100 --arms handbook --seeds 0`
Cost: 2 h 27 min with `--no-equal-time` for 3 arms x 3 seeds, bfloat16, 1 core (results/vit.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import nn

from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.data import Images, Splits
from gradlab.evaluation import examine, measure_classification
from gradlab.models import ResNet, VisionTransformer
from gradlab.nn import img_to_patch
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Pictures,
    Text,
    accuracies_sentence,
    best_validated,
    classification_blocks,
    differences,
    line_chart,
    results_table,
)
from gradlab.stats import verdicts_told
from gradlab.training import Recipe, Run, Selection, schedules, step_seconds

SHOWN = 4
RECOMMENDED, CNN = "recommended", "CNN"
EQUAL_TIME = f"{RECOMMENDED}, equal time"
MOST_EPOCHS = 8
"""times the epochs, at most, that equal time may give"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "cifar10"
    """dataset, or folder:PATH"""
    arms: tuple[Literal["handbook", "recommended", "CNN"], ...] = ("handbook", "recommended", "CNN")
    """the transformer by two recipes, and practical 2's residual network"""
    equal_time: bool = True
    """where the CNN is an arm, trains the recommended transformer also for only as long as the CNN's epochs take"""
    epochs: int = 10
    """passes over the training split"""
    batch_size: int = 128
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    patch_size: int = 8
    """side of the handbook's patches, in pixels"""
    recommended_patch_size: int = 4
    """side of the recommended recipe's patches, in pixels"""
    embed_dim: int = 128
    """numbers of a token"""
    hidden_dim: int = 256
    """units of each block's feed-forward network"""
    heads: int = 8
    """attention heads of each block"""
    layers: int = 6
    """attention blocks"""
    learning_rate: float = 0.0003
    """of the handbook's AdamW"""
    weight_decay: float = 0.001
    """of the handbook's AdamW"""
    recommended_learning_rate: float = 0.002
    """highest learning rate along the one cycle"""
    recommended_weight_decay: float = 0.05
    """in the recommended recipe"""


QUICK = Config(data="digits", epochs=3, batch_size=64, image_size=8, patch_size=4, recommended_patch_size=2,
               embed_dim=32, hidden_dim=64, heads=4, layers=2)  # fmt: skip


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of an arm, for images of [channels, side, side]."""
    channels, side, _width = shape
    if arm == CNN:
        return ResNet(classes, (2, 2, 3), (16, 24, 32), in_channels=channels)
    patch = config.patch_size if arm == "handbook" else config.recommended_patch_size
    return VisionTransformer(
        embed_dim=config.embed_dim,
        hidden_dim=config.hidden_dim,
        num_channels=channels,
        num_heads=config.heads,
        num_layers=config.layers,
        num_classes=classes,
        patch_size=patch,
        num_patches=(side // patch) ** 2,
    )


def recipe(config: Config, arm: str, samples: int, epochs: int) -> Recipe:
    """How an arm learns: the handbook's rate falls after 75 % and 90 % of the epochs; the others make one cycle."""
    steps = samples // config.batch_size
    schedule = schedules.one_cycle(steps=max(2, epochs * steps))
    optimizer = partial(
        torch.optim.AdamW, lr=config.recommended_learning_rate, weight_decay=config.recommended_weight_decay
    )
    if arm == "handbook":
        schedule = schedules.multi_step([round(share * epochs) * steps for share in (0.75, 0.9)])
        optimizer = partial(torch.optim.AdamW, lr=config.learning_rate, weight_decay=config.weight_decay)
    if arm == CNN:
        optimizer = partial(torch.optim.SGD, lr=0.2, momentum=0.9, weight_decay=5e-4, nesterov=True)
    return Recipe(
        epochs=epochs,
        batch_size=config.batch_size,
        optimizer=optimizer,
        schedule=schedule,
        drop_last=True,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every arm on flipped and cropped images; keeps the weights that validate best and tests those once."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    crop = RandomResizedCrop(splits.shape[-1], scale=(0.8, 1.0), ratio=(0.9, 1.1))
    prepare = Pipeline([RandomHorizontalFlip(), crop, normalize])
    for arm, epochs in run.remember("epochs", lambda: epochs_of_arms(config, run, splits, prepare)).items():
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, arm, len(splits.train), epochs),
            prepare=prepare,
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        examination = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, examination.arrays)
        yield from ({"arm": arm, **row} for row in examination.rows)
        model = next(iter(trained.models.values()), None)
        if isinstance(model, VisionTransformer):
            run.keep_arrays(f"{arm} attention", attention_pictures(model, splits.validation, normalize))


def epochs_of_arms(config: Config, run: Run, splits: Splits, prepare: Pipeline) -> dict[str, int]:
    """Arm -> epochs: equal ones, and for the recommended transformer also as many as fit into the CNN's time."""
    arms: dict[str, int] = dict.fromkeys(config.arms, config.epochs)
    if not config.equal_time or CNN not in arms:
        return arms
    transformer, cnn = (
        step_seconds(
            partial(network, config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, arm, len(splits.train), config.epochs),
            prepare=prepare,
            place=run.place,
        )
        for arm in (RECOMMENDED, CNN)
    )
    fitting = max(1, round(config.epochs * min(cnn / transformer, MOST_EPOCHS)))
    return arms if RECOMMENDED in arms and fitting == config.epochs else arms | {EQUAL_TIME: fitting}


def attention_pictures(model: VisionTransformer, images: Images, normalize: Normalize) -> dict[str, np.ndarray]:
    """For the first validation images: `pixels`, `patches` in a strip, and `attention` of the class token, all uint8.

    The attention is the last block's, the mean over its heads, brightest where the class token looks most; one square
    a patch.
    """
    pixels = images.pixels[:SHOWN]
    weights = next(model.parameters())
    with torch.no_grad():
        maps = model.attention_maps(normalize(pixels).to(weights.device, weights.dtype))[-1]
    side, patch = pixels.shape[-1], model.patch_size
    looked_at = maps.mean(1)[:, 0, 1:].float().cpu().reshape(SHOWN, side // patch, side // patch)
    scaled = (255 * looked_at / looked_at.amax((1, 2), keepdim=True)).round().to(torch.uint8)
    attention = scaled.repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    strips = img_to_patch(pixels, patch, flatten_channels=False)
    gaps = torch.full((*strips.shape[:-1], 1), 255, dtype=torch.uint8)
    strip = torch.cat([strips, gaps], -1).permute(0, 2, 3, 1, 4).flatten(3)
    return {"pixels": pixels.numpy(), "patches": strip.numpy(), "attention": attention.numpy()}


def page(run: RunFolder) -> list[Block]:
    """The comparison, learning curves, what a patch is, where the class token looks, and what is taken for what."""
    rows, results = run.rows(), run.document("results")
    arms = list(results["arms"])
    beside_cnn = differences(results, CNN, [arm for arm in arms if arm != CNN])
    blocks: list[Block] = [
        Answer(f"{accuracies_sentence(results)} {verdicts_told(list(beside_cnn.values()))}".strip()),
        line_chart(rows, where={"split": ["train", "validation"]}, percent=True, title="Accuracy over epochs",
                   caption="Training accuracy is a running mean over the epoch, on flipped and cropped images."),
        results_table(results, ["test_accuracy", "test_loss"]),
        Text("A convolutional network knows before training that neighbouring pixels belong together and that a "
             "pattern means the same everywhere; a transformer learns both from its images, and few images make it "
             "learn them badly. Smaller patches give more tokens with less in each, at a cost that grows with the "
             "square of their number."),
    ]  # fmt: skip
    if EQUAL_TIME in arms:
        blocks.append(Text(f"At equal time the recommended transformer makes {_epochs(rows, EQUAL_TIME)} epochs in the "
                           f"time of the CNN's {_epochs(rows, CNN)}; the cost of a step of each was measured on a few "
                           f"steps before training."))  # fmt: skip
    for arm in arms:
        kept = run.arrays(f"{arm} attention")
        if kept and arm != EQUAL_TIME:
            blocks += _patch_blocks(arm, kept)
    return blocks + classification_blocks(run, best_validated(run, arms))


def _epochs(rows: list[Row], arm: str) -> int:
    return max(int(row["epoch"] or 0) for row in rows if row["arm"] == arm and "epoch" in row)


def _patch_blocks(arm: str, kept: dict[str, np.ndarray]) -> list[Block]:
    count = len(kept["pixels"])
    names = [f"image {place}" for place in range(1, count + 1)]
    looks = np.concatenate([_with_colours(kept["pixels"]), np.repeat(kept["attention"][..., None], 3, -1)])
    return [
        Pictures(_with_colours(kept["patches"]), names, f"What the {arm} transformer is given: patches", columns=1),
        Pictures(looks, names + [f"looked at in {name}" for name in names], columns=count,
                 title=f"Where the class token of the {arm} transformer looks (last block, mean over heads)"),
    ]  # fmt: skip


def _with_colours(pixels: np.ndarray) -> np.ndarray:
    """[N, channels, height, width] as [N, height, width, 3]."""
    return np.ascontiguousarray(np.broadcast_to(pixels, (len(pixels), 3, *pixels.shape[2:])).transpose(0, 2, 3, 1))
