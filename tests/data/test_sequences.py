"""Sequences to count and to turn round."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab import rng
from gradlab.data import COUNTING_SYMBOLS, counting_sequences, counting_words, reversing_sequences
from gradlab.data.sequences import NOT_COUNTED
from gradlab.objectives.tokens import IGNORED


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 20), largest=st.integers(1, 12), seed=st.integers(0, 1000))
def test_every_word_is_as_many_a_as_b_and_an_end(size, largest, seed):
    sequences, targets = counting_sequences(size, largest=largest, generator=rng.generator(seed, "words"))
    assert sequences.shape == targets.shape == (size, 2 * largest)
    for row, following in zip(sequences.tolist(), targets.tolist(), strict=True):
        pairs = row.count(0)
        assert 1 <= pairs <= largest
        word = [0] * pairs + [1] * pairs + [2]
        assert row == word[:-1] + [2] * (2 * largest - 2 * pairs)
        assert following == word[1:] + [NOT_COUNTED] * (2 * largest - 2 * pairs)


def test_lengths_are_equally_likely_and_the_mark_is_the_objective_s():
    sequences, _ = counting_sequences(9000, largest=3, generator=rng.generator(0, "words"))
    counts = torch.bincount((sequences == 0).sum(1), minlength=4)[1:].double()
    assert ((counts / 9000 - 1 / 3).abs() < 5 * (2 / 9 / 9000) ** 0.5).all()
    assert NOT_COUNTED == IGNORED
    assert COUNTING_SYMBOLS == ("a", "b", "end")


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 10), length=st.integers(1, 9), symbols=st.integers(1, 6), seed=st.integers(0, 1000))
def test_targets_are_the_sequence_backwards(size, length, symbols, seed):
    sequences, targets = reversing_sequences(
        size, length=length, symbols=symbols, generator=rng.generator(seed, "sequences")
    )
    assert sequences.shape == (size, length)
    assert 0 <= sequences.min() <= sequences.max() < symbols
    assert [row[::-1] for row in sequences.tolist()] == targets.tolist()


def test_a_generator_decides():
    def draw(purpose):
        generator = rng.generator(0, purpose)
        return counting_sequences(9, largest=9, generator=generator)[0], reversing_sequences(9, generator=generator)[0]

    first, again, other = (draw(purpose) for purpose in ("a", "a", "b"))
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))


def test_nothing_to_make_is_refused():
    generator = rng.generator(0, "words")
    with pytest.raises(ValueError, match="at least one word of one pair: got 3 and 0"):
        counting_sequences(3, largest=0, generator=generator)
    with pytest.raises(ValueError, match="got 3, 4 and 0"):
        reversing_sequences(3, length=4, symbols=0, generator=generator)


def test_words_of_given_n():
    sequences, targets = counting_words(torch.tensor([2, 1]), steps=5)
    assert sequences.tolist() == [[0, 0, 1, 1, 2], [0, 1, 2, 2, 2]]
    assert targets.tolist() == [[0, 1, 1, 2, NOT_COUNTED], [1, 2, NOT_COUNTED, NOT_COUNTED, NOT_COUNTED]]
    assert counting_words(torch.tensor([3]))[0].shape == (1, 6)
    with pytest.raises(ValueError, match="words of up to 6 symbols do not fit into 5 steps"):
        counting_words(torch.tensor([1, 3]), steps=5)
    with pytest.raises(ValueError, match="at least one pair"):
        counting_words(torch.tensor([1, 0]))
