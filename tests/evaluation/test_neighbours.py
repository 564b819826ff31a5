"""Nearest neighbours against loops."""

import math
from collections import defaultdict

import pytest
import torch
from torch import Tensor

from gradlab.evaluation import nearest, neighbour_accuracy, neighbours, retrieval_precision


def drawn(count: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (count,), generator=generator)
    centres = torch.eye(3, 4, dtype=torch.float64)
    return centres[labels] + torch.randn(count, 4, generator=generator, dtype=torch.float64), labels


def ordered(query: Tensor, bank: Tensor) -> list[tuple[float, int]]:
    cosines = torch.cosine_similarity(query[None], bank)
    return sorted(((cosine, place) for place, cosine in enumerate(cosines.tolist())), reverse=True)


def voted(bank, queries, count: int, weigh) -> float:
    right = 0
    for query, label in zip(*queries, strict=True):
        votes: dict[int, float] = defaultdict(float)
        for cosine, place in ordered(query, bank[0])[:count]:
            votes[int(bank[1][place])] += weigh(cosine)
        right += min(votes, key=lambda name: (-votes[name], name)) == label
    return right / len(queries[0])


def test_neighbours_are_those_of_a_sorted_list(monkeypatch):
    monkeypatch.setattr(neighbours, "QUERIES_AT_ONCE", 7)
    (bank, _), (queries, _) = drawn(30, 0), drawn(20, 1)
    cosines, places = nearest(queries, bank, 5)
    for row, query in enumerate(queries):
        expected = ordered(query, bank)[:5]
        assert places[row].tolist() == [place for _, place in expected]
        assert cosines[row].tolist() == pytest.approx([cosine for cosine, _ in expected])
    _, alone = nearest(bank, bank, 29, itself=True)
    assert all(row not in places for row, places in enumerate(alone.tolist()))


@pytest.mark.parametrize("count", [1, 4, 30])
def test_votes_are_counted(count):
    bank, queries = drawn(30, 0), drawn(50, 1)
    plain = neighbour_accuracy(bank, queries, count=count)
    assert plain == voted(bank, queries, count, lambda _cosine: 1)
    weighted = neighbour_accuracy(bank, queries, count=count, temperature=0.1)
    assert weighted == voted(bank, queries, count, lambda cosine: math.exp(cosine / 0.1))
    if count == 30:
        assert plain != weighted, "with all as neighbours only weights tell queries apart"


def test_precision_is_the_share_of_the_same_label():
    values, labels = drawn(25, 2)
    found = retrieval_precision(values, labels, [1, 3, 24])
    for count, share in found.items():
        same = [
            (labels[[place for _, place in ordered(query, values) if place != row][:count]] == labels[row])
            .double()
            .mean()
            for row, query in enumerate(values)
        ]
        assert share == pytest.approx(torch.stack(same).mean().item())
    assert found[1] > found[24]


def test_more_neighbours_than_there_are_are_refused():
    values, _ = drawn(5, 0)
    with pytest.raises(ValueError, match="a bank of 5 features has no 5 neighbours"):
        nearest(values, values, 5, itself=True)
