"""The next symbol of a^n b^n: which symbols are determined, what the parts hold, and a whole run."""

import pytest
import torch
from torch import nn

from gradlab.cli.run import main
from gradlab.data import counting_words
from gradlab.errors import UsageError
from gradlab.experiments import lstm_next_symbol
from gradlab.experiments.lstm_next_symbol import ARM, Config, cells, ends_after, foretell, measure, parts, right_up_to
from gradlab.models import MyRecurrentNet
from gradlab.records import RunFolder


class Counter(nn.Module):
    """Counts what it has read, and is wrong from a largest n on; never foretells the first b."""

    def __init__(self, largest=1000):
        super().__init__()
        self.largest, self.unused = largest, nn.Parameter(torch.zeros(1))

    def forward(self, sequences):
        a, b = ((sequences == symbol).cumsum(1) for symbol in (0, 1))
        answer = torch.where(b == 0, 0, torch.where((b < a) | (a > self.largest), 1, 2))
        return 50 * nn.functional.one_hot(answer, 3).float().flatten(0, 1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("counting") / "run"
    words = ["lstm_next_symbol", "--quick", "--epochs", "5", "--seeds", "0", "1"]
    assert main([*words, "--quiet", "--together", "in a row", "--out", str(out)]) == 0
    return RunFolder(out)


def test_whoever_counts_is_right_for_every_determined_symbol():
    assert measure(Counter(), [1, 2, 7]) == {"loss": pytest.approx(0, abs=1e-12), "accuracy": 1.0, "word_accuracy": 1.0}
    assert ends_after(Counter(), 5) == 5


def test_determined_are_the_symbols_after_the_first_b():
    logits, targets, determined = foretell(Counter(), [3])
    assert determined.tolist() == [[False, False, False, True, True, True]]
    assert targets[determined].tolist() == [1, 1, 2]
    assert logits.shape == (1, 6, 3)


def test_who_always_says_b_misses_the_end_of_each_word():
    found = measure(Counter(largest=0), [4, 6])
    assert found["accuracy"] == pytest.approx(8 / 10)
    assert found["word_accuracy"] == 0
    assert ends_after(Counter(largest=0), 5) == 11


def test_a_count_that_falls_short_is_told():
    class Hasty(Counter):
        def forward(self, sequences):
            a, b = ((sequences == symbol).cumsum(1) for symbol in (0, 1))
            return 50 * nn.functional.one_hot(torch.where(b < a - 2, 1, 2), 3).float().flatten(0, 1)

    assert ends_after(Hasty(), 9) == 7
    assert measure(Hasty(), [9])["accuracy"] == pytest.approx(7 / 9)


def test_the_first_mistake_ends_what_is_right():
    shares = {n: measure(Counter(largest=9), [n])["accuracy"] for n in range(1, 13)}
    assert right_up_to(shares) == 9
    assert right_up_to({1: 1.0, 2: 0.5, 3: 1.0}) == 1
    assert right_up_to({1: 1.0, 2: 1.0}) == 2


@pytest.mark.parametrize("config", [Config(), lstm_next_symbol.QUICK, Config(largest=6, reach=7)])
def test_no_n_is_in_two_parts_and_none_is_lost(config):
    split = parts(config)
    together = [n for pairs in split.values() for n in pairs]
    assert sorted(together) == list(range(1, config.reach + 1))
    assert all(split.values())
    assert min(split["longer"]) == config.largest + 1


@pytest.mark.parametrize(("largest", "reach"), [(5, 20), (12, 12)])
def test_ranges_that_leave_nothing_to_test_are_refused(largest, reach):
    with pytest.raises(UsageError, match=f"got {largest} and {reach}"):
        parts(Config(largest=largest, reach=reach))


def test_cells_are_the_layer_s_last_ones():
    torch.manual_seed(0)
    model = MyRecurrentNet(3, 5)
    sequences, _ = counting_words(torch.tensor([4]))
    _, (_, last) = model.lstm(nn.functional.one_hot(sequences, 3).float())
    found = cells(model, 4)
    assert found.shape == (8, 5)
    torch.testing.assert_close(torch.from_numpy(found[-1]), last.flatten())


def test_the_page_tells_how_far_it_reaches(finished):
    metrics = finished.document("results")["arms"][ARM]["metrics"]
    reached = metrics["longer_right_up_to"]["values"]
    told = lstm_next_symbol.page(finished)[0].text
    assert f"right up to n = {reached[0]:.0f} (seed 0), {reached[1]:.0f} (seed 1)" in told
    assert {"test_accuracy", "test_word_accuracy", "validation_loss", "longer_accuracy"} <= metrics.keys()
    assert finished.document("environment")["data"]["sizes"] == {"train": 8, "validation": 2, "test": 2, "longer": 24}
