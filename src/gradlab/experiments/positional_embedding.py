"""What is the positional embedding worth, and does that depend on the size of the patches?

Expect: without it the network sees a bag of patches: put in another order they give the same answer. Smaller patches
hold less of the layout each, yet short runs do not show that more is lost with them: after two epochs 7.2 points at
patches of 8 and 2.9 at patches of 4. Patches of 2 lost 2.3 points, which three seeds cannot tell from nothing, after
one epoch on 9,000 images: too different a run to stand beside those.
Source: handbook, practical 3, bonus.
Command: `gradlab run positional_embedding`; with the dear patches of 2: `--patch-sizes 8 4 2`
Cost: 46 min 18 s with `--epochs 2` for 4 arms x 3 seeds, bfloat16, 1 core (results/positional_embedding-2-epochs.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.evaluation import examine, measure_classification
from gradlab.models import VisionTransformer
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Table,
    Text,
    accuracy_of,
    best_validated,
    classification_blocks,
    differences,
    line_chart,
)
from gradlab.stats import verdicts_told
from gradlab.training import Recipe, Run, Selection, schedules

WITHOUT = ", no positions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "cifar10"
    """dataset, or folder:PATH"""
    patch_sizes: tuple[int, ...] = (8, 4)
    """sides of the patches, in pixels"""
    train_images: int = 0
    """trains on so many images only, the first ones; 0 for all"""
    epochs: int = 10
    """passes over the training split"""
    batch_size: int = 128
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    embed_dim: int = 128
    """numbers of a token"""
    layers: int = 6
    """attention blocks"""
    learning_rate: float = 0.002
    """highest learning rate of AdamW along the one cycle"""
    weight_decay: float = 0.05
    """of AdamW"""


QUICK = Config(data="digits", patch_sizes=(4, 2), epochs=2, batch_size=64, image_size=8, embed_dim=32, layers=2)


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> VisionTransformer:
    """The network of an arm, for images of [channels, side, side]."""
    patch = int(arm.removesuffix(WITHOUT).removeprefix("patch "))
    return VisionTransformer(
        embed_dim=config.embed_dim,
        hidden_dim=2 * config.embed_dim,
        num_channels=shape[0],
        num_heads=8,
        num_layers=config.layers,
        num_classes=classes,
        patch_size=patch,
        num_patches=(shape[-1] // patch) ** 2,
        positional_embedding=WITHOUT not in arm,
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains each patch size with and without positions; tests the weights that validate best once."""
    splits = run.load(config.data, side=config.image_size)
    train = splits.train.first(config.train_images)
    run.facts["data"]["sizes"]["train"] = len(train)
    normalize = Normalize(*splits.normalisation)
    crop = RandomResizedCrop(splits.shape[-1], scale=(0.8, 1.0), ratio=(0.9, 1.1))
    recipe = Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.AdamW, lr=config.learning_rate, weight_decay=config.weight_decay),
        schedule=schedules.one_cycle(steps=max(2, config.epochs * (len(train) // config.batch_size))),
        drop_last=True,
        select=Selection(),
    )
    for arm in (f"patch {size}{without}" for size in config.patch_sizes for without in ("", WITHOUT)):
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (train.pixels, train.labels),
            classification,
            recipe,
            prepare=Pipeline([RandomHorizontalFlip(), crop, normalize]),
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        examination = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, examination.arrays)
        yield from ({"arm": arm, **row} for row in examination.rows)


def page(run: RunFolder) -> list[Block]:
    """What positions are worth at each patch size, and the learning curves."""
    rows, results, config = run.rows(), run.document("results"), run.document("config")["config"]
    sizes, few = config["patch_sizes"], config["train_images"]
    found = {size: differences(results, f"patch {size}", [f"patch {size}{WITHOUT}"]) for size in sizes}
    verdicts = verdicts_told([made for by_arm in found.values() for made in by_arm.values()])
    cells = tuple(
        (f"{size} x {size}", accuracy_of(results, f"patch {size}"), accuracy_of(results, f"patch {size}{WITHOUT}"))
        for size in sizes
    )
    few_told = f" This is a subset: trained on {few:,} images." if few else ""
    return [
        Answer((verdicts or "Nothing was measured on the test split.") + few_told),
        Table(("patch", "with positions", "without"), cells, "Test accuracy, 95 % interval over seeds."),
        line_chart(rows, where={"split": "validation"}, percent=True, title="Validation accuracy over epochs"),
        Text("Without positions the network cannot tell one order of patches from another; that is a property of its "
             "arithmetic, held by a test, not a matter of training."),
        *classification_blocks(run, best_validated(run, list(results["arms"]))),
    ]  # fmt: skip
