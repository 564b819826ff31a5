"""Practical 4, regular group convolutions."""

from collections.abc import Iterator, Mapping

import numpy as np

from gradlab.answers.question import Practical, Question
from gradlab.experiments import group_equivariance
from gradlab.records import RunFolder
from gradlab.report import mean_of, percent

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


PRACTICAL = Practical(
    title="Practical 4: regular group convolutions",
    subject="Networks that are equivariant by construction",
    questions=(
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
    ),
)
"""Practical 4."""
