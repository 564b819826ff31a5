import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("smaller_dataset")


def indices(labels, per_label):
    seen, kept = {}, []
    for i, y in enumerate(labels.tolist()):
        seen[y] = seen.get(y, 0) + 1
        if seen[y] <= per_label:
            kept.append(i)
    return kept


@WRONG("the samples are grouped by label")
def grouped(features, labels, per_label):
    parts = [(features[labels == y][:per_label], labels[labels == y][:per_label]) for y in labels.unique()]
    return torch.cat([f for f, _ in parts]), torch.cat([y for _, y in parts])


@WRONG("the last samples of each label are taken")
def last(features, labels, per_label):
    kept = [len(labels) - 1 - i for i in indices(labels.flip(0), per_label)][::-1]
    return features[kept], labels[kept]


@WRONG("the first samples of the whole set are taken")
def head(features, labels, per_label):
    return features[range(per_label)], labels[range(per_label)]


@WRONG("the first labels times per_label samples are taken")
def balanced_guess(features, labels, per_label):
    n = per_label * (int(labels.max()) + 1)
    return features[:n], labels[:n]


@WRONG("one too many of each label")
def inclusive(features, labels, per_label):
    kept = indices(labels, per_label + 1)
    return features[kept], labels[kept]


@WRONG("one too few of each label")
def exclusive(features, labels, per_label):
    kept = torch.tensor(
        [i for i in range(len(labels)) if int((labels[: i + 1] == labels[i]).sum()) < per_label], dtype=torch.long
    )
    return features[kept], labels[kept]


@WRONG("only the features are cut")
def features_only(features, labels, per_label):
    return features[indices(labels, per_label)], labels


@WRONG("only the labels are cut")
def labels_only(features, labels, per_label):
    return features, labels[indices(labels, per_label)]


@WRONG("only the first label is kept")
def first_label(features, labels, per_label):
    kept = [i for i in indices(labels, per_label) if labels[i] == 0]
    return features[kept], labels[kept]


@WRONG("the labels are equally spaced in an ordered set")
def as_sorted(features, labels, per_label):
    each = len(labels) // 3
    x = features[: 3 * each].view(3, each, -1)[:, :per_label].flatten(0, 1)
    return x, labels[: 3 * each].view(3, each)[:, :per_label].flatten()


@WRONG("features and labels are swapped")
def swapped(features, labels, per_label):
    kept = indices(labels, per_label)
    return labels[kept], features[kept]


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
