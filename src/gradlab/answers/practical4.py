"""Practical 4, regular group convolutions."""

from collections.abc import Iterator, Mapping

import numpy as np

from gradlab.answers.question import Practical, Question
from gradlab.experiments import group_equivariance
from gradlab.records import RunFolder
from gradlab.report import mean_of

ANGLES = np.array(group_equivariance.ANGLES)
STILL = 1e-3
"""Relative change below which a vector counts as unmoved: rounding, not turning."""


def _moved(kept: Mapping[str, np.ndarray]) -> np.ndarray:
    """How far the projected vector moves from the upright image's, relative to its length, at each angle."""
    vectors = kept["vectors"]
    return np.linalg.norm(vectors - vectors[0], axis=1) / np.linalg.norm(vectors[0])


def _gap(run: RunFolder) -> Iterator[str]:
    """What each network loses when images turn, and which one loses least."""
    results = run.document("results")
    lost = {arm: (mean_of(results, arm, "test_upright_accuracy") or 0.0) - (mean_of(results, arm) or 0.0)
            for arm in results["arms"]}  # fmt: skip
    told = ", ".join(f"{arm} {points * 100:.1f}" for arm, points in lost.items())
    least = min(lost, key=lambda arm: lost[arm])
    yield f"Points lost between upright and turned images: {told}; the least with {least}."


def _maps(run: RunFolder) -> Iterator[str]:
    """What happens to the feature maps of every network at quarter turns, and between them."""
    for arm in run.document("results")["arms"]:
        kept = run.arrays(f"{arm} inside")
        if not kept:
            continue
        maps = kept["maps"].astype(float)
        back = np.stack([np.rot90(maps[place], -int(angle) // 90, axes=(1, 2)) if angle % 90 == 0 else maps[place]
                         for place, angle in enumerate(ANGLES)])  # fmt: skip
        quarter = ANGLES.tolist().index(90)
        shifted = back[quarter].mean((1, 2)), maps[0].mean((1, 2))
        same = np.abs(np.sort(shifted[0]) - np.sort(shifted[1])).max() / max(shifted[1].max(), 1e-12)
        if arm == group_equivariance.PLAIN or same > 0.02:
            yield f"{arm}: at 90 degrees its maps are other maps, neither turned nor exchanged."
        else:
            yield (
                f"{arm}: at 90 degrees its maps are the same maps, turned, and moved along the group; at 45 degrees "
                + ("they are so, too, up to interpolation." if arm in ("C8", "C16") else "only approximately.")
            )


def _vectors(run: RunFolder) -> Iterator[str]:
    """What happens to the vector that is classified, and what that means."""
    for arm in run.document("results")["arms"]:
        kept = run.arrays(f"{arm} inside")
        if not kept:
            continue
        moved = _moved(kept)
        quarters, between = moved[(ANGLES % 90 == 0) & (ANGLES > 0)].max(), moved[ANGLES % 90 == 45].max()
        if quarters < STILL:
            yield (
                f"{arm}: equal at every quarter turn, so that those images get the same answer; at 45 degrees it moves "
                f"by up to {between:.0%} of its length, and all four such angles agree among themselves."
            )
        else:
            yield (
                f"{arm}: it moves by up to {quarters:.0%} of its length at quarter turns, and the last layer meets "
                "vectors that it never saw in training."
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
            discuss=_maps,
        ),
        Question(
            part="Part 3",
            text="What happens to the projected vectors, what does it mean for the prediction, and why do 45 and 90 "
            "degrees differ?",
            experiment=group_equivariance,
            opening=False,
            discuss=_vectors,
        ),
    ),
)
"""Practical 4."""
