"""Practical 2, convolutional networks."""

from collections.abc import Iterator

from gradlab.answers.question import Practical, Question
from gradlab.experiments import pixel_shuffle, resnet, rotation_robustness
from gradlab.records import RunFolder
from gradlab.report import change_compared, mean_of, percent


def _invariance(run: RunFolder) -> Iterator[str]:
    """What the curve over angles says about each network."""
    results = run.document("results")
    for arm in results["arms"]:
        upright, turned = mean_of(results, arm), mean_of(results, arm, "test_rotated_accuracy")
        if upright and turned is not None:
            kept = turned / upright
            verdict = "not invariant to rotation" if kept < 0.9 else "nearly invariant to rotation"
            yield f"{arm} keeps {percent(kept)} of its accuracy on average over all angles: it is {verdict}."
    yield (
        "A convolution gives the same answer wherever a pattern lies, not however it is turned: its kernels hold "
        "each pattern in the directions in which training showed it."
    )


def _locality(run: RunFolder) -> Iterator[str]:
    """Whether the shuffle costs the convolutional network more than the plain one."""
    results = run.document("results")
    more = change_compared(
        results, ("ResNet, fixed shuffle", "ResNet, no shuffle"), ("MLP, fixed shuffle", "MLP, no shuffle")
    )
    if more is None:
        return
    if more.high is None or more.high >= 0:
        yield "These seeds do not show that the shuffle costs the convolutional network more than the plain one."
        return
    if not more.significant:
        yield f"The interval lies below zero, although {more.n} seeds are too few for the exact test to confirm it."
    yield (
        "That is how a network behaves that uses the structure which the plain one ignores: kernels that look at "
        "neighbours, and weights shared over places, are right for images and wrong for shuffled ones."
    )


PRACTICAL = Practical(
    title="Practical 2: convolutional networks",
    subject="Residual networks, what they know about images, and what they do not",
    questions=(
        Question(
            part="Part 1",
            text="What accuracy does the residual network reach?",
            experiment=resnet,
            shows=("Accuracy over epochs",),
        ),
        Question(
            part="Part 2",
            text="What does the accuracy over the angle of rotation indicate?",
            experiment=rotation_robustness,
            shows=("Test accuracy over rotation",),
            discuss=_invariance,
        ),
        Question(
            part="Part 3",
            text="Does the convolutional network treat the structure of images differently from the plain one?",
            experiment=pixel_shuffle,
            shows=("Accuracy on the test split",),
            discuss=_locality,
            arms=("ResNet", "MLP"),
        ),
    ),
)
"""Practical 2."""
