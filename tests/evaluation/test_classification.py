import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gradlab.augment import Normalize, Pipeline, SmallAffine
from gradlab.data import Images
from gradlab.evaluation import classification as evaluation
from gradlab.evaluation import examine, measure_classification, predict_logits

CLASSES = ("cat", "dog", "fox", "owl")
NORMALIZE = Normalize((0.4,), (0.3,))


class Sums(nn.Module):
    """A linear classifier with dropout and batch norm, so that a forgotten mode shows."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.norm, self.dropout, self.out = nn.BatchNorm2d(1), nn.Dropout(0.5), nn.Linear(9, len(CLASSES))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.out.weight.copy_(torch.randn(4, 9, generator=generator))
            self.out.bias.copy_(torch.randn(4, generator=generator))
            self.norm.running_mean.fill_(0.25)
            self.norm.running_var.fill_(2.0)

    def forward(self, images: Tensor) -> Tensor:
        return self.out(self.dropout(self.norm(images)).flatten(1))


class Told(nn.Module):
    """Says the logits that it was told, image by image: the first pixel of an image is its number."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(logits)

    def forward(self, images: Tensor) -> Tensor:
        return self.table[(images[:, 0, 0, 0] * 255).round().long()]


AS_TOLD = Normalize((0.0,), (1.0,))


def drawn(count: int = 60, seed: int = 0) -> Images:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, 1, 3, 3), generator=generator, dtype=torch.uint8)
    return Images(pixels, torch.randint(0, len(CLASSES), (count,), generator=generator), CLASSES)


def numbered(labels: list[int]) -> Images:
    pixels = torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()
    return Images(pixels, torch.tensor(labels), CLASSES)


def by_formula(model: Sums, images: Images) -> np.ndarray:
    """The logits of `Sums` in evaluation, in double precision."""
    shares = images.pixels.numpy().reshape(-1, 9) / 255
    values = ((shares - 0.4) / 0.3 - 0.25) / math.sqrt(2.0 + 1e-5)
    weight, bias = (tensor.detach().double().numpy() for tensor in (model.out.weight, model.out.bias))
    return values @ weight.T + bias


def shares_of(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


# --- logits


def check_logits(predict) -> None:
    model, images = Sums(0).train(), drawn()
    found = predict(model, images.pixels, NORMALIZE)
    np.testing.assert_allclose(found.numpy(), by_formula(model, images), rtol=0, atol=1e-5)


def in_training_mode(model: nn.Module, pixels: Tensor, prepare) -> Tensor:
    """Wrong: forgets to switch dropout and batch statistics off."""
    with torch.no_grad():
        return model(prepare(pixels))


def test_logits_are_those_of_the_network_in_evaluation():
    check_logits(predict_logits)


def test_logits_in_training_mode_are_told_apart():
    with pytest.raises(AssertionError):
        check_logits(in_training_mode)


@pytest.mark.parametrize("size", [1, 7, 59, 60, 500])
def test_logits_do_not_depend_on_the_batches(size, monkeypatch):
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", size)
    model, images = Sums(0), drawn()
    found = predict_logits(model, images.pixels, NORMALIZE)
    with torch.no_grad():
        expected = model.eval()(NORMALIZE(images.pixels))
    assert found.shape == (60, 4)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_batches_are_bounded(monkeypatch):
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 25)
    model, sizes = Sums(0), []
    model.register_forward_hook(lambda _model, inputs, _output: sizes.append(len(inputs[0])))
    predict_logits(model, drawn().pixels, NORMALIZE)
    assert sizes == [25, 25, 10]


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_each_part_is_put_back(training):
    model = Sums(0).train(training)
    model.norm.train(not training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    predict_logits(model, drawn().pixels, NORMALIZE)
    assert (model.training, model.norm.training, model.dropout.training) == (training, not training, training)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_mode_is_put_back_after_an_error():
    model = Sums(0).train()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        predict_logits(model, torch.zeros(2, 1, 4, 4, dtype=torch.uint8), NORMALIZE)
    assert model.training
    assert model.dropout.training


def test_logits_have_no_gradient_and_the_network_s_precision():
    model, images = Sums(0).double(), drawn()
    found = predict_logits(model, images.pixels, Normalize((0.4,), (0.3,), dtype=torch.float64))
    assert not found.requires_grad
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found.numpy(), by_formula(model, images), rtol=0, atol=1e-12)


def check_random_views_belong_to_their_place(predict, monkeypatch) -> None:
    """A random transform gives each place of the split one view: at every call, for every network, in any batches."""
    prepare = Pipeline([SmallAffine(degrees=90, translate=1, scale=0.5), NORMALIZE])
    model, images = Sums(0), drawn()
    first = predict(model, images.pixels, prepare)
    assert not torch.allclose(first, predict_logits(model, images.pixels, NORMALIZE), atol=1e-2)
    torch.rand(5)
    predict(Sums(1), images.pixels, prepare)
    assert torch.equal(predict(model, images.pixels, prepare), first)
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 7)
    torch.testing.assert_close(predict(model, images.pixels, prepare), first, rtol=0, atol=1e-5)
    repeated = predict(model, images.pixels[:1].expand(10, -1, -1, -1), prepare)
    assert len(repeated.round(decimals=3).unique(dim=0)) == 10, "one image at ten places is seen in ten ways"


def with_global_draws(model: nn.Module, pixels: Tensor, prepare) -> Tensor:
    """Wrong: draws from wherever the global generator stands."""
    with torch.no_grad():
        return model.eval()(prepare(pixels, torch.rand(len(pixels), prepare.uniforms)))


def test_random_views_belong_to_their_place(monkeypatch):
    check_random_views_belong_to_their_place(predict_logits, monkeypatch)


def test_draws_from_the_global_generator_are_told_apart(monkeypatch):
    with pytest.raises(AssertionError):
        check_random_views_belong_to_their_place(with_global_draws, monkeypatch)


def test_evaluation_leaves_the_global_generator_alone():
    model = Sums(0)
    before = torch.get_rng_state()
    predict_logits(model, drawn().pixels, SmallAffine(degrees=90, translate=1, scale=0.5))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_network_without_parameters_can_be_asked():
    found = predict_logits(nn.Flatten(), drawn(3).pixels, AS_TOLD)
    torch.testing.assert_close(found, drawn(3).pixels.flatten(1) / 255, rtol=0, atol=1e-7)


# --- metrics


def test_loss_and_accuracy_by_formula():
    model, images = Sums(1), drawn()
    logits, labels = by_formula(model, images), images.labels.numpy()
    found = measure_classification(model, images, NORMALIZE)
    expected = -np.log(shares_of(logits)[np.arange(60), labels]).mean()
    assert found == {
        "loss": pytest.approx(expected, abs=1e-6),
        "accuracy": pytest.approx((logits.argmax(1) == labels).mean(), abs=1e-15),
    }
    assert all(type(value) is float for value in found.values())


def test_metrics_do_not_depend_on_the_batches(monkeypatch):
    """A mean of the batches' means would: 60 images in batches of 25 leave a last batch of 10."""
    model, images = Sums(1), drawn()
    whole = measure_classification(model, images, NORMALIZE)
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 25)
    assert measure_classification(model, images, NORMALIZE) == pytest.approx(whole, abs=1e-7)
    parts = [images.take(torch.arange(60)[part]) for part in (slice(0, 25), slice(25, 50), slice(50, 60))]
    mean_of_means = np.mean([measure_classification(model, part, NORMALIZE)["accuracy"] for part in parts])
    assert mean_of_means != pytest.approx(whole["accuracy"], abs=1e-3)


def test_knowing_nothing_costs_the_logarithm_of_the_number_of_classes():
    found = measure_classification(Told(torch.zeros(8, 4)), numbered([0, 1, 2, 3, 0, 1, 2, 3]), AS_TOLD)
    assert found == {"loss": pytest.approx(math.log(4), abs=1e-15), "accuracy": 0.25}


def test_the_mean_is_taken_in_double_precision():
    """100 losses near 1e-4: single precision would lose the sixth digit of each, since they come out of 1 + tiny."""
    logits = torch.tensor([[10.0, 0.0, 0.0, 0.0]]).repeat(100, 1)
    found = measure_classification(Told(logits), numbered([0] * 100), AS_TOLD)
    assert found["loss"] == pytest.approx(math.log1p(3 * math.exp(-10)), rel=1e-12)
    single = nn.functional.cross_entropy(logits, torch.zeros(100, dtype=torch.int64)).item()
    assert single != pytest.approx(math.log1p(3 * math.exp(-10)), rel=1e-4)


# --- examination


def check_confusion(confusion_of) -> None:
    models, images = {3: Sums(3), 1: Sums(1), 7: Sums(7)}, drawn()
    found = confusion_of(models, images)
    expected = np.zeros((4, 4), np.int64)
    for model in models.values():
        for label, logits in zip(images.labels.tolist(), by_formula(model, images), strict=True):
            expected[label, logits.argmax()] += 1
    np.testing.assert_array_equal(found, expected)
    assert found.sum() == 60 * 3
    assert found.dtype == np.int64


def confusion(models, images) -> np.ndarray:
    return examine(models, images, NORMALIZE).arrays["confusion"]


def transposed(models, images) -> np.ndarray:
    """Wrong: rows are what was predicted."""
    return confusion(models, images).T


def assigned(models, images) -> np.ndarray:
    """Wrong: `matrix[true, predicted] += 1` counts repeated pairs once."""
    matrix = np.zeros((4, 4), np.int64)
    for model in models.values():
        predicted = predict_logits(model, images.pixels, NORMALIZE).argmax(1)
        matrix[images.labels.numpy(), predicted.numpy()] += 1
    return matrix


def test_confusion_counts_every_image_of_every_seed():
    check_confusion(confusion)


@pytest.mark.parametrize("wrong", [transposed, assigned])
def test_other_confusions_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_confusion(wrong)


def test_rows_are_those_of_a_direct_computation():
    models, images = {3: Sums(3), 1: Sums(1)}, drawn()
    examination = examine(models, images, NORMALIZE, split="validation")
    assert examination.rows == [
        {"seed": seed, "split": "validation", **measure_classification(model, images, NORMALIZE)}
        for seed, model in models.items()
    ]
    right = examination.arrays["confusion"].trace()
    assert right == round(sum(row["accuracy"] for row in examination.rows) * 60)


def test_mistakes_are_the_most_confident_ones_in_order():
    images, model = drawn(200), Sums(3)
    arrays = examine({3: model, 1: Sums(1)}, images, NORMALIZE, examples=10).arrays
    logits, labels = by_formula(model, images), images.labels.numpy()
    shares, predicted = shares_of(logits).max(1), logits.argmax(1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-shares[wrong])][:10]
    assert len(wrong) > 10, "there must be more mistakes than are shown"
    np.testing.assert_array_equal(arrays["mistake_pixels"], images.pixels.numpy()[worst])
    np.testing.assert_array_equal(arrays["mistake_true"], labels[worst])
    np.testing.assert_array_equal(arrays["mistake_predicted"], predicted[worst])
    np.testing.assert_allclose(arrays["mistake_probability"], shares[worst], rtol=0, atol=1e-5)
    assert (np.diff(arrays["mistake_probability"]) <= 0).all()
    assert (arrays["mistake_true"] != arrays["mistake_predicted"]).all()


def test_mistakes_by_hand():
    logits = torch.tensor([
        [9.0, 0.0, 0.0, 0.0],  # right
        [0.0, 1.0, 0.0, 0.0],  # wrong, unsure
        [0.0, 0.0, 5.0, 0.0],  # wrong, sure
        [0.0, 0.0, 0.0, 1.0],  # wrong, as unsure as the other
        [0.0, 0.0, 0.0, 3.0],  # wrong
    ])  # fmt: skip
    arrays = examine({0: Told(logits)}, numbered([0, 0, 0, 0, 1]), AS_TOLD, examples=3).arrays
    assert arrays["mistake_pixels"][:, 0, 0, 0].tolist() == [2, 4, 1], "equally sure ones in the order of the split"
    assert arrays["mistake_predicted"].tolist() == [2, 3, 1]
    assert arrays["mistake_true"].tolist() == [0, 1, 0]
    np.testing.assert_allclose(
        arrays["mistake_probability"], [math.exp(x) / (math.exp(x) + 3) for x in (5, 3, 1)], rtol=1e-6
    )


def test_samples_come_from_all_over_the_split_right_or_wrong():
    """A folder is sorted by class: its first images would all be of the first one."""
    images, model = drawn(), Sums(3)
    arrays = examine({3: model, 1: Sums(1)}, images, NORMALIZE, examples=5).arrays
    places = [place * len(images) // 5 for place in range(5)]
    assert places[-1] > len(images) // 2
    logits = by_formula(model, images)[places]
    np.testing.assert_array_equal(arrays["sample_pixels"], images.pixels[places].numpy())
    np.testing.assert_array_equal(arrays["sample_true"], images.labels[places].numpy())
    np.testing.assert_array_equal(arrays["sample_predicted"], logits.argmax(1))
    np.testing.assert_allclose(arrays["sample_probability"], shares_of(logits).max(1), rtol=0, atol=1e-5)


def test_examples_are_the_first_seed_s_whatever_its_number():
    images = drawn()
    both = examine({9: Sums(9), 2: Sums(2)}, images, NORMALIZE).arrays
    alone = examine({9: Sums(9)}, images, NORMALIZE).arrays
    for name in both.keys() - {"confusion"}:
        np.testing.assert_array_equal(both[name], alone[name])


def test_a_perfect_network_has_no_mistakes():
    images = numbered([0, 1, 2])
    examination = examine({0: Told(9 * torch.eye(4))}, images, AS_TOLD)
    assert examination.rows[0]["accuracy"] == 1
    arrays = examination.arrays
    assert arrays["mistake_pixels"].shape == (0, 1, 2, 2)
    assert [len(arrays[f"mistake_{kind}"]) for kind in ("true", "predicted", "probability")] == [0, 0, 0]
    assert len(arrays["sample_pixels"]) == 3, "no more samples than there are images"
    np.testing.assert_array_equal(arrays["confusion"], np.diag([1, 1, 1, 0]))


def test_a_tie_of_probabilities_does_not_hide_a_mistake():
    """The second logit is the largest, though rounding makes both probabilities equal."""
    logits = torch.tensor([[0.0, 1e-9, -30.0, -30.0]])
    assert logits.softmax(1).max(1).indices.item() == 0
    arrays = examine({0: Told(logits)}, numbered([0]), AS_TOLD).arrays
    assert arrays["confusion"][0].tolist() == [0, 1, 0, 0]
    assert arrays["mistake_predicted"].tolist() == arrays["sample_predicted"].tolist() == [1]
    assert arrays["mistake_probability"].tolist() == [0.5]


def test_arrays_have_types_that_can_be_kept():
    arrays = examine({0: Sums(0).double()}, drawn(), NORMALIZE).arrays
    assert {name: array.dtype.name for name, array in arrays.items()} == {
        "confusion": "int64",
        **{
            f"{kind}_{name}": dtype
            for kind in ("sample", "mistake")
            for name, dtype in {
                "pixels": "uint8", "true": "int64", "predicted": "int64", "probability": "float32",
            }.items()
        },
    }  # fmt: skip


def test_no_networks_leave_an_empty_confusion():
    examination = examine({}, drawn(), NORMALIZE)
    assert examination.rows == []
    assert examination.arrays["confusion"].sum() == 0


def test_logits_of_half_precision_are_told_apart():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = predict_logits(Sums(0), torch.zeros(2, 1, 3, 3, dtype=torch.uint8), NORMALIZE)
    assert logits.dtype == torch.float32


def test_kept_examples_know_the_files_they_were_read_from():
    images = numbered([0, 1, 2, 3])
    named = Images(
        images.pixels, images.labels, CLASSES, np.array([b"cat/0.png", b"dog/1.png", b"f\xffx/2", b"owl/3.png"])
    )
    model = Told(torch.tensor([[9.0, 0, 0, 0], [9, 0, 0, 0], [0, 0, 9, 0], [0, 5, 0, 0]]))
    arrays = examine({0: model}, named, AS_TOLD, examples=3).arrays
    assert arrays["sample_files"].tolist() == ["cat/0.png", "dog/1.png", "f\ufffdx/2"]
    assert arrays["mistake_files"].tolist() == ["dog/1.png", "owl/3.png"]
    assert arrays["mistake_files"].dtype.kind == "U"  # text is read back without pickle
    assert not [name for name in examine({0: model}, images, AS_TOLD).arrays if name.endswith("files")]
    (nothing,) = [examine({0: model}, named.take([0]), AS_TOLD).arrays["mistake_files"]]
    assert len(nothing) == 0
