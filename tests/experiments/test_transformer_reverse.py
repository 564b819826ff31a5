"""Reversing sequences: the mirror image in an attention map, what can be known without order, and a whole run."""

import itertools

import numpy as np
import pytest
import torch

from gradlab.cli.run import main
from gradlab.experiments import transformer_reverse
from gradlab.experiments.transformer_reverse import (
    Config,
    antidiagonal,
    best_without_order,
    draw_sequences,
    looks_at_mirror,
    mean_maps,
    measure,
    network,
)
from gradlab.models import TransformerPredictor
from gradlab.records import RunFolder

SMALL = Config(length=6, symbols=5, train_sequences=20, validation_sequences=8, test_sequences=8)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("reverse") / "run"
    words = ["transformer_reverse", "--quick", "--seeds", "0", "1", "--arms", "two layers", "no positions"]
    assert main([*words, "--quiet", "--together", "in a row", "--out", str(out)]) == 0
    return RunFolder(out)


def test_the_mirror_image_is_told_from_the_diagonal():
    mirror, straight, even = np.eye(4)[::-1], np.eye(4), np.full((4, 4), 0.25)
    assert [antidiagonal(found) for found in (mirror, straight, even)] == [1, 0, 0.25]
    assert [looks_at_mirror(found) for found in (mirror, straight)] == [1, 0]
    assert antidiagonal(0.5 * mirror + 0.5 * straight) == 0.5


def test_maps_are_rows_of_weights_for_each_layer_and_head():
    model = network(SMALL, "two layers", (6, 5), 5)
    maps = mean_maps(model, draw_sequences(SMALL)["test"][0])
    assert maps.shape == (2, 2, 6, 6)
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-6)


def test_without_positions_the_order_of_the_others_is_unknown():
    model = network(SMALL, "no positions", (6, 5), 5).eval()
    sequence, turned = torch.tensor([[0, 1, 2, 3, 4, 1]]), torch.tensor([[0, 1, 4, 3, 2, 1]])
    torch.testing.assert_close(model(sequence)[:, 0], model(turned)[:, 0])
    torch.testing.assert_close(model(sequence)[:, 2], model(turned)[:, 4])
    knowing = network(SMALL, "one head", (6, 5), 5).eval()
    assert not torch.allclose(knowing(sequence)[:, 0], knowing(turned)[:, 0])


def test_what_can_be_known_without_order_by_enumeration():
    sequence = torch.tensor([[0, 0, 1, 2, 0, 1]])
    right = 0.0
    for order in itertools.permutations(sequence[0].tolist()):
        for place, symbol in enumerate(order):
            others = list(sequence[0].tolist())
            others.remove(symbol)
            right += max(set(others), key=others.count) == order[-1 - place]
    assert best_without_order(sequence, 3) == pytest.approx(right / 720 / 6)


def test_measures_of_a_network_that_never_is_right_and_of_one_that_is():
    sequences, targets = draw_sequences(SMALL)["test"]

    class Knows(TransformerPredictor):
        def forward(self, sequences, mask=None):
            return 50 * torch.nn.functional.one_hot(sequences.flip(1), 5).float()

    model = Knows(5, 5, 8)
    assert measure(model, (sequences, targets)) == {"loss": 0.0, "accuracy": 1.0, "sequence_accuracy": 1.0}
    assert measure(model, (sequences, (targets + 1) % 5))["accuracy"] == 0


def test_parts_differ_and_repeat():
    parts, again = draw_sequences(Config()), draw_sequences(Config())
    assert [len(parts[name][0]) for name in ("train", "validation", "test")] == [20000, 1000, 10000]
    assert torch.equal(parts["test"][0], again["test"][0])
    assert not torch.equal(parts["train"][0][:1000], parts["validation"][0])


def test_the_page_tells_the_maps(finished):
    arrays = finished.arrays("two layers")
    best = np.mean([max(antidiagonal(head) for layer in arrays[f"maps_{seed}"] for head in layer) for seed in (0, 1)])
    blocks = transformer_reverse.page(finished)
    told = blocks[0].text.partition("mirror image: two layers ")[2]
    assert float(told.split()[0]) == pytest.approx(100 * best, abs=1)
    assert finished.document("results")["arms"]["two layers"]["metrics"]["test_accuracy"]["mean"] > 0.9
    assert f"{100 * arrays['blind'][0]:.1f} % of the test symbols" in " ".join(
        getattr(block, "text", "") for block in blocks
    )
    (pictures, _) = (block for block in blocks if isinstance(block, transformer_reverse.HeatMaps))
    assert list(pictures.names) == [f"layer {layer}, head {head}" for layer in (1, 2) for head in (1, 2)]
