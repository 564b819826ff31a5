"""Practical 1, multi-layer perceptrons, and the tutorial before it."""

from collections.abc import Iterator

from gradlab.answers.question import Practical, Question
from gradlab.experiments import mlp_cifar10, mlp_improvements, optimizer_paths, pixel_shuffle, xor
from gradlab.records import RunFolder
from gradlab.report import accuracy_of, best_validated, differences, mean_of, percent, ties_told

ASKED_FOR = 0.56
"""The accuracy on the test split that part 2 asks for."""


def _goal(run: RunFolder) -> Iterator[str]:
    """Whether the arm that validates best reaches what part 2 asks for."""
    results = run.document("results")
    arms = list(results["arms"])
    best = best_validated(run, arms)
    verb = "is reached" if (mean_of(results, best) or 0.0) >= ASKED_FOR else "is not reached"
    yield (
        f"The goal of at least {percent(ASKED_FOR)} {verb}: {best}, which validates best, has "
        f"{accuracy_of(results, best)}."
    )
    if tie := ties_told(run, arms):
        yield tie


def _structure(run: RunFolder) -> Iterator[str]:
    """What the two kinds of shuffling say about the plain network."""
    results = run.document("results")
    for found in differences(results, "MLP, no shuffle", ["MLP, fixed shuffle"]).values():
        if not found.significant:
            yield (
                "A fixed order changes nothing that these seeds can show: each weight of the first layer belongs to "
                "one pixel, so another order is another numbering of the weights. The network does not know which "
                "pixels are neighbours."
            )
        else:
            yield (
                "These seeds show a difference, which the network's arithmetic does not explain: another order is "
                "another numbering of the first layer's weights. More seeds would tell chance from cause."
            )
    fresh = mean_of(results, "MLP, shuffle per image") or mean_of(results, "MLP, shuffle per batch")
    classes = len(run.document("environment")["data"]["classes"])
    if fresh is not None:
        left = "more" if fresh > 1.5 / classes else "hardly more"
        yield (
            f"New orders leave {percent(fresh, 1)}, {left} than the {percent(1 / classes)} of guessing: what "
            "survives is how often each colour occurs, whatever its place."
        )


PRACTICAL = Practical(
    title="Practical 1: multi-layer perceptrons",
    subject="Plain networks on flat images, after the tutorial's XOR",
    questions=(
        Question(
            part="Tutorial",
            text="Does a small network learn the continuous XOR, and where does it draw the line?",
            experiment=xor,
        ),
        Question(
            part="Part 1",
            text="What does momentum change on a surface with a pathological curvature?",
            experiment=optimizer_paths,
        ),
        Question(
            part="Part 1",
            text="What accuracy does the network reach with the default settings?",
            experiment=mlp_cifar10,
            shows=("Accuracy over epochs",),
        ),
        Question(
            part="Part 2",
            text="Do augmentation, regularisation, depth or width, and normalisation help, over at least three seeds? "
            "Does it reach at least 56 %?",
            experiment=mlp_improvements,
            shows=("Accuracy on the test split", "The handbook's questions"),
            discuss=_goal,
        ),
        Question(
            part="Part 3",
            text="Does the network make use of the images' grid: what do a fixed and a new order of the pixels change?",
            experiment=pixel_shuffle,
            shows=("Accuracy on the test split",),
            discuss=_structure,
            arms=("MLP",),
        ),
    ),
)
"""Practical 1."""
