"""Does a network that is equivariant by construction recognise images turned in ways that it never saw in training?

Expect: the plain network, trained on upright digits, loses half of its accuracy on turned ones; C4 keeps nearly all of
it at quarter turns and some of it between them, more with kernels that turn well by 45 degrees (SmoothC4: those of C8);
finer groups close the gap between the angles. All networks have about the same number of weights.
Source: handbook, practical 4, part 3; Cohen and Welling 2016, "Group equivariant convolutional networks".
Command: `gradlab run group_equivariance`
Cost: 1 h 12 min with `--arms CNN C4 --data mnist` for 2 arms x 3 seeds, bfloat16, 1 core
(results/group_equivariance-c4.json).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from gradlab import rng
from gradlab.augment import Normalize, Transform
from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    Family,
    FiniteGroup,
    GroupBase,
    GroupConvolution,
    cyclic,
    default_family,
    restricted,
    subgroup_indices,
    transformed,
)
from gradlab.evaluation import accuracy_over_rotation, examine, measure_classification, rotate, turned
from gradlab.models import CNN, GroupEquivariantCNN
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Bullets,
    HeatMaps,
    Pictures,
    Table,
    Text,
    accuracies_sentence,
    best_validated,
    cell,
    classification_blocks,
    differences,
    kernel_copies,
    lifted_grids,
    line_chart,
    maps_at_angles,
    moved_grids,
    percent,
    reading,
    values_by_seed,
)
from gradlab.stats import format_interval, summarise
from gradlab.training import Recipe, Run, Selection, schedules

PLAIN, UPRIGHT = "CNN", "test_upright_accuracy"
GROUPS = {"C4": partial(CyclicGroup, 4), "C8": partial(CyclicGroup, 8), "C16": partial(CyclicGroup, 16),
          "D4": partial(DihedralGroup, 4), "SmoothC4": partial(CyclicGroup, 4)}  # fmt: skip
FAMILIES = {"SmoothC4": restricted(CyclicGroup(8))}
"""Which kernels are possible, where it is not `default_family` that says it."""
ANGLES = tuple(range(0, 360, 45))
"""Of the image whose feature maps and projected vectors are shown."""
SHOWN_MAPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    arms: tuple[Literal["CNN", "C4", "C8", "C16", "D4", "SmoothC4"], ...] = ("CNN", "C4", "C8", "C16", "D4")
    """the plain network and groups"""
    train_images: int = 0
    """trains on so many images only, the first ones; 0 for all"""
    epochs: int = 10
    """passes over the training split"""
    batch_size: int = 64
    """images a step"""
    image_size: int = 28
    """side to which other images are resized, in pixels"""
    kernel_size: int = 5
    """taps along a side"""
    num_hidden: int = 4
    """convolutions after the first"""
    parameters: int = 103000
    """the most weights of a group network; the plain network's channels are as the handbook's, 32"""
    plain_channels: int = 32
    """channels of the plain network"""
    learning_rate: float = 0.003
    """highest learning rate of AdamW along the one cycle"""
    weight_decay: float = 0.01
    """of AdamW"""
    step: int = 15
    """degrees from one angle to the next, from 0 to 360"""
    rotated_images: int = 2000
    """at most so many test images are turned by every angle, the first ones"""


QUICK = Config(data="digits", arms=("CNN", "C4", "C8"), epochs=6, batch_size=32, image_size=8, kernel_size=3,
               num_hidden=2, parameters=5000, plain_channels=15, learning_rate=0.02, step=45)  # fmt: skip


def channels_within(config: Config, group: GroupBase, family: Family, in_channels: int, classes: int) -> int:
    """The most channels with which a group network stays within the number of weights."""
    dimensions, order = family(group.table, config.kernel_size).dimensions, group.table.order

    def weights(channels: int) -> int:
        hidden = config.num_hidden * channels**2 * order * dimensions
        return channels * in_channels * dimensions + hidden + (channels + 1) * classes

    channels = 1
    while weights(channels + 1) <= config.parameters:
        channels += 1
    return channels


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> CNN | GroupEquivariantCNN:
    """The network of an arm, for images of [channels, height, width]."""
    if arm == PLAIN:
        return CNN(shape[0], classes, config.kernel_size, config.num_hidden, config.plain_channels)
    group, family = GROUPS[arm](), FAMILIES.get(arm, default_family)
    channels = channels_within(config, group, family, shape[0], classes)
    return GroupEquivariantCNN(group, shape[0], classes, config.kernel_size, config.num_hidden, channels, family=family)


def recipe(config: Config, samples: int) -> Recipe:
    """How every arm learns."""
    steps = max(2, config.epochs * (samples // config.batch_size))
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.AdamW, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True),
        schedule=schedules.one_cycle(steps=steps),
        drop_last=True,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains on upright images; selects on the turned validation split; tests upright, turned, and at every angle."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    train = splits.train.first(config.train_images)
    run.facts["data"]["sizes"]["train"] = len(train)
    validation, test = (
        turned(images, rng.generator(0, f"angles {part}"))
        for part, images in (("validation", splits.validation), ("test", splits.test))
    )
    some = splits.test.take(range(min(config.rotated_images, len(splits.test))))
    run.keep_arrays("turned", {"upright": splits.test.pixels[:8].numpy(), "turned": test.pixels[:8].numpy()})
    for arm in config.arms:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (train.pixels, train.labels),
            classification,
            recipe(config, len(train)),
            prepare=normalize,
            measure={
                "validation": run.place.in_precision(
                    partial(measure_classification, images=validation, prepare=normalize)
                )
            },
        )
        with run.place.autocast():
            found = examine(trained.models, test, normalize)
            upright = examine(trained.models, splits.test, normalize)
            angles = range(0, 361, config.step)
            at_angles = list(accuracy_over_rotation(trained.models, some, normalize, angles))
        run.keep_arrays(arm, found.arrays)
        yield from ({"arm": arm, **row} for row in found.rows)
        for row in upright.rows:
            yield {"arm": arm, "seed": row["seed"], "split": "test", "upright_accuracy": row["accuracy"]}
        yield from ({"arm": arm, **row} for row in at_angles)
        model = next(iter(trained.models.values()), None)
        if isinstance(model, CNN | GroupEquivariantCNN):
            run.keep_arrays(f"{arm} inside", inside(model, splits.test.pixels[:1], normalize))


@torch.no_grad()
def inside(model: CNN | GroupEquivariantCNN, pixels: Tensor, normalize: Transform) -> dict[str, np.ndarray]:
    """One image at eight angles as a network sees it: `image`, `maps` of a layer, `vectors` before the last layer.

    Maps are uint8 [angles, maps, height, width], the largest value over all angles white: of a plain network the first
    channels, of a group network the first channel for its first elements. Group networks have `kernels`, too, of the
    first channels: [order, order * size, size], the copies of a kernel, the group's axis downwards. `turned` holds how
    far the layer's whole maps at 90 degrees are from the upright ones turned (and moved along the group), and how far
    their means over the plane at 45 degrees are from the upright ones at their best place along the group, relative.
    """
    images = torch.cat([rotate(pixels, angle).float() / (255 if angle % 90 == 0 else 1) for angle in ANGLES])
    weights = next(model.parameters())
    prepared = normalize(images, torch.empty(len(images), 0)).to(weights.device, weights.dtype)
    maps = model.feature_maps(prepared)[min(2, len(model.feature_maps(prepared)) - 1)]
    groups = isinstance(model, GroupEquivariantCNN)
    shown = maps[:, 0, :SHOWN_MAPS] if groups else maps[:, :SHOWN_MAPS]
    arrays = {
        "image": (images[:, 0] * 255).round().to(torch.uint8),
        "maps": (255 * shown / shown.max().clamp(min=1e-12)).clamp(min=0).round().to(torch.uint8),
        "vectors": model.projected(prepared).float(),
        "turned": torch.tensor(turned_maps(maps, model.lifting_conv.kernel.table if groups else None)),
    }
    if groups and len(model.gconvs):
        convolution = model.gconvs[0]
        assert isinstance(convolution, GroupConvolution)
        arrays["kernels"] = convolution.kernel()[0, :, 0].flatten(1, 2).float()
    return {name: array.cpu().numpy() for name, array in arrays.items()}


def turned_maps(maps: Tensor, group: FiniteGroup | None) -> tuple[float, float]:
    """The two numbers of `turned`, for maps [angles, channels, (order,) height, width]; see `inside`."""
    upright, quarter, half = (maps[ANGLES.index(angle)] for angle in (0, 90, 45))
    if group is None:
        expected, moved = upright.rot90(1, (-2, -1)), [upright.mean((-2, -1))]
    else:
        quarter_turn = int(subgroup_indices(group, cyclic(4))[1])
        expected = transformed(group, quarter_turn, upright, on_group=True)
        means = upright.mean((-2, -1))
        moved = [means[:, shift] for shift in group.shifts.to(means.device)]
    at_90 = (quarter - expected).norm() / expected.norm()
    at_45 = min((half.mean((-2, -1)) - means).norm() / means.norm() for means in moved)
    return float(at_90), float(at_45)


def page(run: RunFolder) -> list[Block]:
    """The table, accuracy over the angle, what the networks see inside, and what it says."""
    rows, results = run.rows(), run.document("results")
    arms = list(results["arms"])
    compared = differences(results, PLAIN, [arm for arm in arms if arm != PLAIN])
    groups = [arm for arm in arms if arm != PLAIN]
    blocks: list[Block] = [
        Answer(f"On turned images, after training on upright ones. {accuracies_sentence(results)} "
               + " ".join(f"{arm} against the CNN: {reading(found)}." for arm, found in compared.items())),
        _table(results, arms),
        _turned(run.arrays("turned")),
        line_chart(rows, x="angle", where={"split": "test"}, percent=True, title="Test accuracy over rotation",
                   x_label="rotation, degrees counter-clockwise", caption="Bilinear, black corners."),
        line_chart(rows, where={"split": "validation"}, percent=True, title="Accuracy on turned validation images"),
        *[block for arm in groups[:1] for block in _grids(arm, run.arrays(f"{arm} inside"))],
        Text("A convolution over the group gives the same numbers for a turned image, moved: turned in the plane and "
             "shifted along the group. The mean over both is then the same number for every turn in the group.",
             heading="What the networks see inside"),
        Bullets(tuple(sentence for arm in arms for sentence in _seen(arm, run.arrays(f"{arm} inside")))),
    ]  # fmt: skip
    for arm in arms:
        blocks += _inside_blocks(arm, run.arrays(f"{arm} inside"))
    return blocks + classification_blocks(run, best_validated(run, arms))


def _table(results: Mapping[str, Any], arms: list[str]) -> Table:
    """Every network's accuracy on upright and on turned images, and what turning costs, paired by seed."""
    cells = []
    for arm in arms:
        upright, after = (values_by_seed(results["arms"][arm], name) for name in (UPRIGHT, "test_accuracy"))
        lost = [upright[seed] - after[seed] for seed in upright.keys() & after.keys()]
        gap = format_interval(summarise(lost), percent=True).partition(" (n")[0].replace(" %", "") if lost else "–"
        weights = f"{results['arms'][arm]['parameters']:,}"
        found = results["arms"][arm]
        cells.append((arm, weights, cell(found, UPRIGHT), cell(found, "test_accuracy"), gap))
    header = ("network", "parameters", "upright", "turned", "points lost")
    return Table(header, cells, "Test accuracy after training on upright images, 95 % intervals over seeds.",
                 metrics=(UPRIGHT, "test_accuracy"))  # fmt: skip


def _seen(arm: str, kept: Mapping[str, np.ndarray]) -> Iterator[str]:
    """How far the projected vector moves at quarter turns and between them, relative to its length."""
    if not kept:
        return
    vectors = kept["vectors"]
    moved = np.linalg.norm(vectors - vectors[0], axis=1) / np.linalg.norm(vectors[0])
    quarters = [moved[place] for place, angle in enumerate(ANGLES) if angle % 90 == 0 and angle]
    between = [moved[place] for place, angle in enumerate(ANGLES) if angle % 90]
    constant = "does not move" if max(quarters) < 1e-3 else f"moves by up to {percent(max(quarters))} of its length"
    yield (f"{arm}: when an image turns by quarter turns, the vector before the last layer {constant}; at the angles "
           f"half way between them it moves by up to {percent(max(between))}.")  # fmt: skip


def _turned(arrays: Mapping[str, np.ndarray]) -> Pictures:
    pixels = np.concatenate([arrays["upright"], arrays["turned"]])
    images = pixels[:, 0] if pixels.shape[1] == 1 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
    count = len(arrays["upright"])
    captions = ["upright"] * count + ["turned"] * count
    return Pictures(images, captions, "Test images, and as they are turned", columns=count)


def _inside_blocks(arm: str, kept: Mapping[str, np.ndarray]) -> list[Block]:
    if not kept:
        return []
    kind = "channels" if arm == PLAIN else "elements of one channel"
    blocks: list[Block] = [
        maps_at_angles(kept["image"], kept["maps"], ANGLES, f"{arm}: one image at eight angles", kind),
        HeatMaps([kept["vectors"]], [arm], f"{arm}: the vector before the last layer", label="value", row_name="angle",
                 row_labels=[f"{angle}°" for angle in ANGLES], column_name="channel"),
    ]  # fmt: skip
    if "kernels" in kept and max(kept["kernels"].shape[1:]) <= 64:
        blocks.append(kernel_copies(kept["kernels"], element_names(arm), f"{arm}: a kernel and its copies"))
    return blocks


def _grids(arm: str, kept: Mapping[str, np.ndarray]) -> list[Block]:
    """A picture, its grid and the grid of the group under every element."""
    if not kept:
        return []
    table, names = GROUPS[arm]().table, element_names(arm)
    matrices = table.matrices.numpy()
    return [
        Text(f"Every element of {arm} acts on the plane, and on the group from the left.", heading=f"What {arm} does"),
        moved_grids(kept["image"][0], matrices, names),
        lifted_grids(matrices, table.product.numpy(), names),
    ]


def element_names(arm: str) -> list[str]:
    """What each element of an arm's group does, such as "90°" or, after a reflection in the x axis, "90°, mirrored"."""
    return [
        f"{round(math.degrees(math.atan2(c, a)), 6) % 360:g}°" + ("" if a * d > b * c else ", mirrored")
        for (a, b), (c, d) in GROUPS[arm]().table.matrices.tolist()
    ]
