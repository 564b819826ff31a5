"""Numbers of labels: those asked for are there or refused, the others fit themselves to the split and say so."""

import pytest
import torch

from gradlab.errors import UsageError
from gradlab.evaluation import first_of_each, label_counts, too_few
from gradlab.evaluation.label_counts import LABEL_COUNTS


def labels_of(*counts: int) -> torch.Tensor:
    return torch.cat([torch.full((count,), index) for index, count in enumerate(counts)])


def test_the_first_of_each_label_in_their_order():
    labels = torch.tensor([2, 0, 0, 1, 2, 2, 1, 0, 1])
    assert first_of_each(labels, 1).tolist() == [0, 1, 3]
    assert first_of_each(labels, 2).tolist() == [0, 1, 2, 3, 4, 6]
    assert set(first_of_each(labels, 1).tolist()) < set(first_of_each(labels, 2).tolist())
    with pytest.raises(UsageError, match="class 0 has 3 labelled images: cannot take 4 of each class"):
        first_of_each(labels, 4)


@pytest.mark.parametrize("there", [500, 4500])
def test_a_split_with_all_labels_gets_the_handbooks_numbers(there):
    assert label_counts(labels_of(there, there + 1)) == LABEL_COUNTS


@pytest.mark.parametrize(
    ("there", "counts"), [(450, (10, 20, 50, 100, 200, 450)), (200, (10, 20, 50, 100, 200)), (7, (7,)), (1, (1,))]
)
def test_a_smaller_split_ends_with_all_of_its_rarest_class_and_says_so(there, counts):
    with pytest.warns(UserWarning, match=rf"^{there} labels of each class are the most .* instead of 500\.$"):
        assert label_counts(labels_of(600, there)) == counts


def test_what_is_asked_for_is_there_or_refused():
    assert label_counts(labels_of(9, 8), (8, 3)) == (8, 3)
    with pytest.raises(UsageError, match="class 1 has 8 labelled images: cannot take 9 of each class"):
        label_counts(labels_of(9, 8), (3, 9))
    with pytest.raises(UsageError, match="--labels must be at least 1: got 0"):
        label_counts(labels_of(9, 8), (0, 3))


def test_a_report_says_nothing_of_numbers_that_were_asked_for():
    assert too_few((), (10, 450)).startswith("450 labels of each class are the most")
    assert (too_few((10, 450), (10, 450)), too_few((), LABEL_COUNTS), too_few((), ())) == ("", "", "")
