"""Digits row by row: what a row is, which rows are seen, what each arm starts from, and a whole run."""

import pytest
import torch

from gradlab.cli.run import main
from gradlab.data import Images
from gradlab.experiments import rnn_rows
from gradlab.experiments.rnn_rows import ARMS, Config, Rows, network, row_counts, upper_rows
from gradlab.records import RunFolder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows") / "run"
    words = ["rnn_rows", "--quick", "--epochs", "2", "--seeds", "0", "1", "--arms", "RNN", "orthogonal RNN"]
    assert main([*words, "--quiet", "--together", "in a row", "--out", str(out)]) == 0
    return RunFolder(out)


def test_a_step_is_a_row_with_its_channels_side_by_side():
    images = torch.arange(2 * 3 * 4 * 5).view(2, 3, 4, 5)
    sequences = Rows()(images)
    assert sequences.shape == (2, 4, 15)
    assert torch.equal(sequences[1, 2], torch.cat([images[1, channel, 2] for channel in range(3)]))


def test_rows_below_are_black_and_the_images_stay():
    images = Images(torch.full((2, 1, 4, 4), 9, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), ("0",))
    seen = upper_rows(images, 3)
    assert seen.pixels[:, :, :3].eq(9).all()
    assert seen.pixels[:, :, 3:].eq(0).all()
    assert images.pixels.eq(9).all()


@pytest.mark.parametrize(("apart", "counts"), [(3, [0, 3, 6, 8]), (8, [0, 8]), (0, list(range(9)))])
def test_the_accuracy_is_measured_from_no_row_to_all(apart, counts):
    assert row_counts(Config(rows_apart=apart), 8) == counts


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_is_the_layer_and_the_start_of_its_name(arm):
    model = network(Config(hidden=20), arm, (1, 8, 30), 4)
    layer = model[1].rnn
    assert layer.mode.startswith(arm.split()[-1])
    values = torch.linalg.svdvals(layer.weight_hh_l0.detach()[:20])
    assert torch.allclose(values, torch.ones(20), atol=1e-5) == (arm == "orthogonal RNN")
    assert layer.bias_hh_l0.eq(0).all() == (arm in rnn_rows.STARTS)
    assert model(torch.randn(3, 1, 8, 30)).shape == (3, 4)


def test_the_page_tells_the_starts_and_the_rows(finished):
    words = [block.text for block in rnn_rows.page(finished) if hasattr(block, "text")]
    assert words[0].startswith("The network that validates best, ")
    assert any("uniform within 1 / sqrt(hidden): orthogonal RNN " in text for text in words)
    seen = [row for row in finished.rows() if row["arm"] == "RNN" and row["seed"] == 0 and "rows" in row]
    assert [row["rows"] for row in seen] == [0, 2, 4, 6, 8]
    metrics = finished.document("results")["arms"]["RNN"]["metrics"]
    assert metrics["test_accuracy"]["values"][0] == seen[-1]["accuracy"]


def test_how_many_rows_it_takes_is_read_off_the_mean():
    found = {0: (0.1, 0.1), 4: (0.45, 0.6), 8: (0.8, 0.9)}
    rows = [{"arm": "GRU", "seed": seed, "split": "test", "rows": count, "accuracy": accuracy}
            for count, pair in found.items() for seed, accuracy in enumerate(pair)]  # fmt: skip
    assert rnn_rows._rows_told(rows, "GRU", 8) == (
        "GRU is right for half of the images after 4 of 8 rows and for nine tenths of the images after no number of "
        "rows."
    )
