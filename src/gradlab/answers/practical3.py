"""Practical 3, vision transformers."""

from collections.abc import Iterator
from itertools import pairwise

from gradlab.answers.question import Practical, Question
from gradlab.experiments import positional_embedding, vit
from gradlab.records import RunFolder
from gradlab.report import accuracies_sentence, differences, reading


def _beside_the_cnn(run: RunFolder) -> Iterator[str]:
    """Which of the two is better at equal epochs, and at equal time."""
    results = run.document("results")
    yield accuracies_sentence(results)
    beside = differences(results, "CNN", [arm for arm in results["arms"] if arm != "CNN"])
    for arm, found in beside.items():
        yield f"The transformer '{arm}' differs from the CNN by {reading(found)}."
    if beside and all(found.high is not None and found.high < 0 for found in beside.values()):
        yield (
            "It starts without the two things a convolutional network knows, that neighbouring pixels belong "
            "together and that a pattern means the same everywhere, and must learn both from few images."
        )


def _settings(run: RunFolder) -> Iterator[str]:
    """What smaller patches and another recipe change together."""
    for found in differences(run.document("results"), "handbook", ["recommended"]).values():
        yield (
            f"Smaller patches, a one-cycle learning rate and stronger weight decay together change the accuracy by "
            f"{reading(found)}."
        )


def _by_patch_size(run: RunFolder) -> Iterator[str]:
    """How the drop without positions goes with the size of a patch."""
    results, sizes = run.document("results"), run.document("config")["config"]["patch_sizes"]
    changes = {}
    for size in sizes:
        for found in differences(results, f"patch {size}", [f"patch {size}, no positions"]).values():
            changes[size] = found
    if len(changes) < 2:
        return
    ordered = [-changes[size].mean_difference for size in sorted(changes, reverse=True)]
    grows = all(before < after for before, after in pairwise(ordered))
    told = "; ".join(f"{reading(found)} with patches of {size}" for size, found in changes.items())
    yield f"Leaving out the positions changes the accuracy by {told}. In the mean over the seeds " + (
        "the drop grows as patches shrink: the smaller they are, the more of the layout lies between them."
        if grows
        else "the drop does not grow steadily as patches shrink."
    )


PRACTICAL = Practical(
    title="Practical 3: vision transformers",
    subject="Images as sequences of patches",
    questions=(
        Question(
            part="Experiments",
            text="What accuracy does the vision transformer achieve, and how does it compare to the convolutional "
            "network of practical 2?",
            experiment=vit,
            opening=False,
            shows=("Accuracy over epochs",),
            discuss=_beside_the_cnn,
            arms=("CNN",),
        ),
        Question(
            part="Experiments",
            text="How do its settings change that?",
            experiment=vit,
            opening=False,
            discuss=_settings,
            arms=("handbook", "recommended"),
        ),
        Question(
            part="Bonus",
            text="Does the accuracy drop without position embeddings, and how does that change with the patch size?",
            experiment=positional_embedding,
            shows=("Validation accuracy over epochs",),
            discuss=_by_patch_size,
        ),
    ),
)
"""Practical 3."""
