"""Linear probes: what a linear classifier on frozen features reaches with few labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gradlab.augment import Transform
from gradlab.data import Images, Splits
from gradlab.evaluation.classification import predict_logits
from gradlab.evaluation.label_counts import first_of_each
from gradlab.evaluation.logistic import Solution, logistic_regression
from gradlab.records import Row

PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Weights of the squared weights that a probe may choose from, for features of variance 1 on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What one or several networks make of the same images.

    Args:
        values: float [networks, images, numbers], on the CPU.
        labels: int64 [images].
    """

    values: Tensor
    labels: Tensor


def features(models: Mapping[int, nn.Module], images: Images, prepare: Transform) -> Features:
    """The features of images, in evaluation mode and without gradients, of one encoder a seed.

    Args:
        models: seed -> encoder, [batch, channels, height, width] to [batch, numbers].
        images: what is encoded.
        prepare: turns a batch of pixels into what the encoder takes.
    """
    made = [predict_logits(model, images.pixels, prepare).float() for model in models.values()]
    return Features(torch.stack(made), images.labels)


def probe_encoders(
    encoders: Mapping[int, nn.Module],
    splits: Splits,
    prepare: Transform,
    counts: Sequence[int],
    *,
    penalties: Sequence[float] = PENALTIES,
) -> Iterator[Row]:
    """Yields what `probe` says of encoders, from the first images of each class of the train split.

    Args:
        encoders: seed -> encoder, [batch, channels, height, width] to [batch, numbers].
        splits: of a dataset; of the train split, as many images of each class as the largest count.
        prepare: turns a batch of pixels into what an encoder takes.
        counts: labels of each class.
        penalties: what may be chosen.

    Raises:
        UsageError: a class has fewer labels than the largest count.
    """
    labelled = splits.train.take(first_of_each(splits.train.labels, max(counts)))
    if encoders:
        train, validation, test = (
            features(encoders, images, prepare) for images in (labelled, splits.validation, splits.test)
        )
        yield from probe(list(encoders), train, validation, test, counts, penalties=penalties)


def probe(
    seeds: Sequence[int],
    train: Features,
    validation: Features,
    test: Features,
    counts: Sequence[int],
    *,
    penalties: Sequence[float] = PENALTIES,
) -> Iterator[Row]:
    """Yields rows with the "probe_accuracy" of each number of labels and each seed, on validation and test split.

    Features are centred, and scaled so that their variance is 1 on average, by those of `train`, whose labels this does
    not need. For each probe the penalty with the best accuracy on the validation split is taken, the larger of two
    equal ones, and that probe alone is tested.

    Args:
        seeds: one for each network of the features.
        train: labels are taken from here, the first of each class.
        validation: chooses the penalty.
        test: is read for the chosen probes.
        counts: labels of each class; each is one set of probes.
        penalties: what may be chosen.

    Source: handbook, practical 5, part 2, and Chen et al. 2020, "A simple framework for contrastive learning", appendix
    B.6. Differs from the handbook: the test split chooses nothing; the minimum is found instead of approached.
    """
    axes, ordered = _Axes(train.values), torch.tensor(sorted(penalties, reverse=True), dtype=torch.float64)
    turned = axes.turned(train.values)
    classes = int(train.labels.max()) + 1
    for count in counts:
        rows = first_of_each(train.labels, count)
        solved = axes.back(logistic_regression(turned[:, rows], train.labels[rows], ordered, classes=classes))
        validated = accuracy(solved, validation)
        chosen = validated.argmax(1)  # the first of equal ones
        tested = accuracy(_picked(solved, chosen), test)
        for place, (seed, best) in enumerate(zip(seeds, chosen.tolist(), strict=True)):
            told = {"seed": seed, "labels": count, "penalty": float(ordered[best])}
            yield {**told, "split": "validation", "probe_accuracy": float(validated[place, best])}
            yield {**told, "split": "test", "probe_accuracy": float(tested[place, 0])}


def accuracy(solved: Solution, held_out: Features) -> Tensor:
    """The share of right answers of every probe, [networks, penalties]."""
    return (solved.logits(held_out.values).argmax(2) == held_out.labels).double().mean(2)


def _picked(solved: Solution, chosen: Tensor) -> Solution:
    """For each network the probe with the chosen penalty, and no other."""
    networks = torch.arange(len(chosen))
    return Solution(
        solved.weights[networks, chosen].unsqueeze(1),
        solved.biases[networks, chosen].unsqueeze(1),
        solved.gradient[networks, chosen].unsqueeze(1),
        solved.iterations,
    )


class _Axes:
    """The mean, the scale and the principal axes of features, along which probes converge soonest.

    A penalty on squared weights does not notice the rotation.
    """

    def __init__(self, values: Tensor) -> None:
        self._mean = values.mean(1, keepdim=True)
        centred = values - self._mean
        covariance = centred.transpose(1, 2) @ centred / values.shape[1]
        spread = covariance.diagonal(dim1=1, dim2=2).mean(1).sqrt().clamp(min=torch.finfo(values.dtype).tiny)
        self._axes = torch.linalg.eigh(covariance).eigenvectors / spread.view(-1, 1, 1)

    def turned(self, values: Tensor) -> Tensor:
        """Features [networks, images, numbers] in the new coordinates."""
        return (values - self._mean) @ self._axes

    def back(self, solved: Solution) -> Solution:
        """A solution for the new coordinates as one for features as they are."""
        weights = (solved.weights.flatten(1, 2) @ self._axes.transpose(1, 2)).view_as(solved.weights)
        biases = solved.biases - (weights * self._mean.unsqueeze(1)).sum(3)
        return Solution(weights, biases, solved.gradient, solved.iterations)
