"""Practical 4, regular group convolutions."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradlab.answers import group_reasons
from gradlab.answers.question import Practical, Question
from gradlab.experiments import group_equivariance
from gradlab.records import RunFolder
from gradlab.report import differences, mean_of, percent, reading

ANGLES = np.array(group_equivariance.ANGLES)
STILL = 1e-3
"""Relative change below which a vector counts as unmoved: rounding, not turning."""


def _moved(kept: Mapping[str, np.ndarray]) -> np.ndarray:
    """How far the projected vector moves from the upright image's, relative to its length, at each angle."""
    vectors = kept["vectors"]
    return np.linalg.norm(vectors - vectors[0], axis=1) / np.linalg.norm(vectors[0])


def _gap(run: RunFolder) -> Iterator[str]:
    """What each network keeps of its accuracy when images turn."""
    results = run.document("results")
    for arm in results["arms"]:
        upright, turned = mean_of(results, arm, "test_upright_accuracy"), mean_of(results, arm)
        if upright is not None and turned is not None:
            lost = f"{(upright - turned) * 100:.1f} points lost"
            yield f"{arm}: {percent(upright, 1)} upright, {percent(turned, 1)} turned, {lost}."
    yield from _improvement(results)


def _improvement(results: Mapping[str, Any]) -> Iterator[str]:
    """What the other groups gain over the first one on turned images."""
    groups = [arm for arm in results["arms"] if arm != group_equivariance.PLAIN]
    gained = differences(results, groups[0], groups[1:]) if groups else {}
    if not gained:
        yield "What finer groups and smoother kernels bring: gradlab run group_equivariance --arms CNN C4 C8 SmoothC4."
        return
    for arm, found in gained.items():
        holds = "has a" if _turns_between(arm) else "has no"
        kernels = " and kernels of C8" if arm in group_equivariance.FAMILIES else ""
        yield f"{arm} {holds} turn by 45 degrees{kernels}; against {groups[0]} on turned images: {reading(found)}."
    yield "Training on turned images, which teaches what no element does: gradlab run rotated_mnist."


def _turns_between(arm: str) -> bool:
    """Whether a turn by 45 degrees is in an arm's group."""
    return arm in group_equivariance.GROUPS and "45°" in group_equivariance.element_names(arm)


def _maps(run: RunFolder) -> Iterator[str]:
    """How far the maps of every network are from turned ones, at 90 degrees and at 45."""
    for arm in run.document("results")["arms"]:
        kept = run.arrays(f"{arm} inside")
        if not kept:
            continue
        at_90, at_45 = kept["turned"].tolist()
        along = "" if arm == group_equivariance.PLAIN else " and moved along the group"
        same = (
            "are the upright ones, turned"
            if at_90 < STILL
            else f"differ by {percent(at_90)} from the upright ones, turned"
        )
        yield (
            f"{arm}: at 90 degrees its maps {same}{along}; at 45 degrees their means over the plane differ by "
            f"{percent(at_45)} from the upright ones{along and ', at their best place along the group'}."
        )


def _vectors(run: RunFolder) -> Iterator[str]:
    """What happens to the vector that is classified, and what that means."""
    for arm in run.document("results")["arms"]:
        kept = run.arrays(f"{arm} inside")
        if not kept:
            continue
        moved = _moved(kept)
        quarters, between = moved[(ANGLES % 90 == 0) & (ANGLES > 0)].max(), moved[ANGLES % 90 == 45].max()
        halves = kept["vectors"][ANGLES % 90 == 45]
        spread = np.linalg.norm(halves - halves[0], axis=1).max() / np.linalg.norm(halves[0])
        agree = ", and the four such angles agree among themselves" if spread < STILL else ""
        if quarters < STILL:
            yield (
                f"{arm}: equal at every quarter turn, so that those images get the same answer; at 45 degrees it moves "
                f"by up to {percent(between)} of its length{agree}."
            )
        else:
            yield (
                f"{arm}: it moves by up to {percent(quarters)} of its length at quarter turns, and the last layer "
                "meets vectors that it never saw in training."
            )
    yield from _cause(run)


def _cause(run: RunFolder) -> Iterator[str]:
    """Why quarter turns and the angles between them differ, from groups with and without a turn by 45 degrees."""
    moved = {}
    for arm in run.document("results")["arms"]:
        kept = run.arrays(f"{arm} inside")
        if kept and arm in group_equivariance.GROUPS:
            moved[arm] = _moved(kept)[ANGLES % 90 == 45].max()
    # The kernels of SmoothC4 are C8's, so that the groups alone differ.
    same_kernels = [arm for arm in moved if arm in group_equivariance.FAMILIES]
    without = next((arm for arm in [*same_kernels, *moved] if not _turns_between(arm)), None)
    if without is None:
        return
    yield (
        f"Quarter turns are elements of {without} and move pixels onto pixels, and a mean over plane and group does "
        "not notice who moved. A turn by 45 degrees is neither: no element undoes it, and the picture is read between "
        "its pixels."
    )
    if (held := next((arm for arm in moved if _turns_between(arm)), None)) is None:
        yield "Which of the two counts for more, an arm C8 in the run would tell, whose group holds that turn."
        return
    kernels = "" if same_kernels else ", whose kernels are others as well"
    yield (
        f"With that element, in {held}, the vector of this one image and seed moves by {percent(moved[held])} where it "
        f"moves by {percent(moved[without])} in {without}{kernels}; what is left comes from pictures and kernels that "
        "are read between the pixels."
    )


PRACTICAL = Practical(
    title="Practical 4: regular group convolutions",
    subject="Networks that are equivariant by construction",
    questions=(
        Question(
            part="Part 2",
            text="Lifting: why can the copies of a kernel be further output channels of a plain convolution?",
            experiment=group_equivariance,
            opening=False,
            discuss=group_reasons.why_lifting,
            measured=False,
        ),
        Question(
            part="Part 2",
            text="Group convolution: why can the group be folded into the input and output channels?",
            experiment=group_equivariance,
            opening=False,
            discuss=group_reasons.why_group,
            measured=False,
        ),
        Question(
            part="Part 3",
            text="How well do the plain and the group network generalise to turned images, and how can that improve?",
            experiment=group_equivariance,
            shows=("Test accuracy over rotation",),
            discuss=_gap,
        ),
        Question(
            part="Part 3",
            text="What happens to the feature maps as the input turns, by 45 and by 90 degrees?",
            experiment=group_equivariance,
            opening=False,
            shows=("CNN: one image at eight angles", "C4: one image at eight angles", "C4: a kernel and its copies"),
            discuss=_maps,
        ),
        Question(
            part="Part 3",
            text="What happens to the projected vectors, what does it mean for the prediction, and why do 45 and 90 "
            "degrees differ?",
            experiment=group_equivariance,
            opening=False,
            shows=("CNN: the vector before the last layer", "C4: the vector before the last layer"),
            discuss=_vectors,
        ),
        Question(
            part="Concluding remarks",
            text="What other groups could be interesting in computer vision?",
            experiment=group_equivariance,
            opening=False,
            discuss=group_reasons.other_groups,
            measured=False,
        ),
        Question(
            part="Concluding remarks",
            text="Would interpolated kernels work well for other groups, and how else can a kernel be defined over a "
            "continuous domain?",
            experiment=group_equivariance,
            opening=False,
            discuss=group_reasons.interpolation,
            measured=False,
        ),
        Question(
            part="Concluding remarks",
            text="What would it take to implement group convolutions for groups H of several dimensions?",
            experiment=group_equivariance,
            opening=False,
            discuss=group_reasons.several_dimensions,
            measured=False,
        ),
    ),
)
"""Practical 4."""
