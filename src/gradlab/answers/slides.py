"""The slides: logistic regression, LeNet and fully connected networks on handwritten digits."""

from collections.abc import Iterator

from gradlab.answers.question import Practical, Question
from gradlab.experiments import lenet, logistic_regression, mlp_mnist
from gradlab.explain import layer_table
from gradlab.records import RunFolder
from gradlab.report import error_of, percent, with_error
from gradlab.stats import format_interval, summarise


def _layers(run: RunFolder) -> Iterator[str]:
    """How many trainable numbers there are, and which layer has most of them."""
    data = run.document("environment")["data"]
    network = lenet.network(lenet.Config(), "slides", tuple(data["shape"]), len(data["classes"]))
    layers = layer_table(network, data["shape"])
    total, largest = sum(layer.parameters for layer in layers), max(layers, key=lambda layer: layer.parameters)
    yield (
        f"{total:,} trainable parameters in all, {percent(largest.parameters / total)} of them in {largest.name}; "
        "pooling and ReLU have none."
    )


def _errors(run: RunFolder) -> Iterator[str]:
    """Every arm's training error over its last epoch beside its test error."""
    results, rows = run.document("results"), with_error(run.rows())
    for arm in results["arms"]:
        errors: dict[int, list[float]] = {}
        for row in rows:
            error, epoch = row.get("error"), row.get("epoch")
            whole = row.get("arm") == arm and row.get("split") == "train" and "step" not in row
            if whole and isinstance(error, float) and isinstance(epoch, int):
                errors.setdefault(epoch, []).append(error)
        if errors:
            last = max(errors)
            yield (
                f"{arm}: {format_interval(summarise(errors[last], share=True), percent=True)} of the training images "
                f"over epoch {last}, while the weights still changed; {error_of(results, arm)} of the test images "
                "afterwards."
            )


PRACTICAL = Practical(
    title="Slides: handwritten digits",
    subject="From logistic regression to a convolutional network, and what their errors mean",
    questions=(
        Question(
            part="Example",
            text="Logistic regression: what is its training error, and is that the performance of the model?",
            experiment=logistic_regression,
            shows=("Training error in the first epoch",),
            discuss=_errors,
        ),
        Question(
            part="Example",
            text="Fully connected networks: how do those of 1998 perform with the training of today?",
            experiment=mlp_mnist,
            shows=("Test error",),
        ),
        Question(
            part="Exercise",
            text="LeNet: how many filters and trainable parameters does each layer have, and what are the dimensions "
            "and sizes of each output?",
            experiment=lenet,
            opening=False,
            shows=("layer, filters or units, parameters, output, one image",),
            discuss=_layers,
            measured=False,
        ),
        Question(
            part="Exercise",
            text="LeNet: what training and test error does it reach?",
            experiment=lenet,
            shows=("Error over epochs",),
            discuss=_errors,
        ),
    ),
)
"""The slides."""
