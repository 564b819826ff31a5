import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.data import Images
from gradlab.data.partition import carve, held_out, proportional, shuffled
from gradlab.errors import UsageError

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(np.array)


class TestShuffled:
    def test_rests_on_numpys_published_stream(self):
        # The first draws of numpy's own test vector for this generator (pcg64-testset-1.csv).
        assert np.random.PCG64(0xDEADBEAF).random_raw(2).tolist() == [0x60D24054E17A0698, 0xD5E79D89856E4F12]
        assert shuffled(8, 42).tolist() == [4, 1, 3, 6, 0, 7, 2, 5]

    @settings(max_examples=50, deadline=None)
    @given(st.integers(0, 200), st.integers(0, 2**63))
    def test_is_a_permutation(self, count, seed):
        assert sorted(shuffled(count, seed)) == list(range(count))

    def test_refuses_a_negative_seed(self):
        with pytest.raises(UsageError, match="0 or more: got -1"):
            shuffled(3, -1)


class TestProportional:
    @settings(max_examples=200, deadline=None)
    @given(LABELS, st.data())
    def test_adds_up_and_is_within_one_of_each_share(self, labels, data):
        count = data.draw(st.integers(0, len(labels)))
        quotas = proportional(labels, count)
        sizes = np.bincount(labels)
        assert quotas.sum() == count
        assert (quotas <= sizes).all()
        assert (np.abs(quotas - sizes * count / len(labels)) < 1).all()

    def test_largest_remainders_round_up(self):
        # Shares 1.5, 0.9 and 0.6 of 3: whole parts 1, 0, 0, then the remainders .9 and .6 go first.
        assert proportional(np.repeat([0, 1, 2], [5, 3, 2]), 3).tolist() == [1, 1, 1]

    @pytest.mark.parametrize("count", [-1, 4])
    def test_refuses_more_than_there_are(self, count):
        with pytest.raises(ValueError, match=f"0 to 3 images: got {count}"):
            proportional(np.array([0, 1, 1]), count)


class TestHeldOut:
    @settings(max_examples=200, deadline=None)
    @given(LABELS, st.integers(0, 99), st.data())
    def test_takes_each_class_by_its_quota_and_repeats(self, labels, seed, data):
        quotas = proportional(labels, data.draw(st.integers(0, len(labels))))
        out = held_out(labels, quotas, seed)
        assert np.bincount(labels[out], minlength=len(quotas)).tolist() == quotas.tolist()
        assert (np.diff(out) > 0).all()
        assert held_out(labels, quotas, seed).tolist() == out.tolist()

    def test_seeds_differ(self):
        labels = np.zeros(100, dtype=np.int64)
        assert held_out(labels, np.array([10]), 0).tolist() != held_out(labels, np.array([10]), 1).tolist()

    def test_every_image_is_held_out_equally_often(self):
        labels = np.arange(20) % 2
        counts = np.zeros(20)
        for seed in range(2000):
            counts[held_out(labels, np.array([3, 3]), seed)] += 1
        # 2,000 draws of probability 0.3: standard deviation 20.5, so 5 of them.
        assert np.abs(counts - 600).max() < 103

    def test_refuses_a_class_that_is_too_small(self):
        with pytest.raises(ValueError, match="class 1 has 1 images: cannot hold out 2"):
            held_out(np.array([0, 0, 1]), np.array([0, 2]), 0)


class TestCarve:
    @settings(max_examples=100, deadline=None)
    @given(st.integers(1, 2500), st.integers(0, 99), st.floats(0, 1))
    def test_loses_and_doubles_nothing_and_keeps_the_order(self, count, seed, share):
        values = np.arange(count)
        pixels = np.stack([values % 251, values // 251], axis=1).astype(np.uint8).reshape(count, 2, 1, 1)
        labels = values % 3
        whole = Images(torch.from_numpy(pixels.copy()), torch.from_numpy(labels), ("a", "b", "c"))
        kept, apart = carve(whole, proportional(labels, int(share * count)), seed)
        numbers = [part.pixels[:, 0, 0, 0].long() + 251 * part.pixels[:, 1, 0, 0].long() for part in (kept, apart)]
        for part, number in zip((kept, apart), numbers, strict=True):
            assert part.labels.tolist() == (number % 3).tolist()
            assert number.tolist() == sorted(number.tolist())
        assert sorted(torch.cat(numbers).tolist()) == list(range(count))

    def test_keeps_the_memory_of_what_stays(self):
        whole = Images(torch.zeros(100, 1, 2, 2, dtype=torch.uint8), torch.zeros(100, dtype=torch.int64), ("a",))
        kept, apart = carve(whole, np.array([10]), 0)
        assert kept.pixels.data_ptr() == whole.pixels.data_ptr()
        apart.pixels.fill_(9)
        assert int(whole.pixels.max()) == 0
