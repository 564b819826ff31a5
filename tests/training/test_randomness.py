"""Networks that draw random numbers: known as such, the same bits however they run, refused by a stack."""

import pytest
import torch
from torch import nn

from gradlab import rng
from gradlab.errors import InterruptedRunError, UsageError
from gradlab.models import VariationalAutoencoder
from gradlab.objectives import negative_elbo
from gradlab.optim import SGDMomentum
from gradlab.training import Place, Recipe, Selection, Stop, collect, compiled, fit
from gradlab.training.randomness import draws_randomness, why_not_stacked
from gradlab.training.together import choose_way

EPOCHS, STEPS = 2, 3  # 40 samples in batches of 16


class Noise(nn.Module):
    """A layer that samples, and says so."""

    draws_randomness = True

    def forward(self, inputs):
        return inputs + torch.randn_like(inputs)


DRAWING = [
    nn.Dropout(0.1),
    nn.Dropout2d(0.1),
    nn.AlphaDropout(0.1),
    nn.MultiheadAttention(8, 2, dropout=0.1),
    nn.TransformerEncoderLayer(8, 2, dropout=0.1),
    nn.LSTM(3, 4, num_layers=2, dropout=0.1),
    nn.RReLU(),
    nn.Sequential(nn.Linear(2, 2), nn.Sequential(Noise())),
    nn.Sequential(VariationalAutoencoder((4,), 2), nn.Dropout(0.1)),
]
SILENT = [
    nn.Dropout(0.0),
    nn.MultiheadAttention(8, 2),
    nn.TransformerEncoderLayer(8, 2, dropout=0.0),
    nn.LSTM(3, 4),
    nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2)),
]


PLAIN_STEPS = torch.optim.SGD([torch.zeros(1)], lr=0.1)


@pytest.mark.parametrize("module", DRAWING, ids=lambda module: type(module).__name__)
def test_modules_that_draw_are_known(module):
    assert draws_randomness(module)
    assert "random draws" in why_not_stacked(module, PLAIN_STEPS)


@pytest.mark.parametrize("module", SILENT, ids=lambda module: type(module).__name__)
def test_modules_that_do_not_draw_are_known(module):
    assert not draws_randomness(module)
    with_recurrence = isinstance(module, nn.RNNBase)
    assert (why_not_stacked(module, PLAIN_STEPS) is None) != with_recurrence


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Noise(), "random draws"),
        (nn.LSTM(3, 4), "recurrent layers"),
        (nn.Linear(2, 2), "best"),
        (VariationalAutoencoder((4,), 2), "best"),
    ],
)
def test_an_accelerator_s_seeds_run_in_a_row_where_they_cannot_be_stacked(module, reason):
    way = choose_way("auto", Place(device="cuda"), 3, module, PLAIN_STEPS)
    assert reason in way.reason
    assert way.name == ("stacked" if reason == "best" else "in a row")


@pytest.mark.parametrize(
    ("optimizer", "stacks"),
    [(torch.optim.AdamW, True), (SGDMomentum, True), (torch.optim.Adafactor, False), (torch.optim.LBFGS, False)],
)
def test_optimisers_that_may_look_at_whole_tensors_are_not_stacked(optimizer, stacks):
    made = optimizer([nn.Parameter(torch.zeros(2, 2))], lr=0.1)
    assert (why_not_stacked(nn.Linear(2, 2), made) is None) == stacks
    assert (choose_way("auto", Place(device="cuda"), 3, nn.Linear(2, 2), made).name == "stacked") == stacks


def elbo_of(images):
    def measure(model):
        with torch.no_grad():
            _, sums = negative_elbo(model.eval(), images, images)
        return {"elbo": sums["elbo"].item()}

    return measure


def training(*, place, together="in a row", model=lambda: VariationalAutoencoder((1, 4, 4), 2)):
    images = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0)).round()
    recipe = Recipe(
        epochs=EPOCHS, batch_size=16, optimizer=lambda p: torch.optim.Adam(p, lr=1e-2), select=Selection(metric="elbo")
    )
    return fit(
        model, (images, torch.zeros(40, dtype=torch.int64)), negative_elbo, recipe, seeds=(0, 1), together=together,
        measure={"validation": elbo_of(images)}, place=place,
    )  # fmt: skip


def same(first, second):
    (rows, trained), (other_rows, other) = first, second
    return sorted(map(str, rows)) == sorted(map(str, other_rows)) and all(
        torch.equal(tensor, other.models[seed].state_dict()[name])
        for seed, model in trained.models.items()
        for name, tensor in model.state_dict().items()
    )


class StopAtStep(Stop):
    """Asks to stop once the loop has looked so many times."""

    def __init__(self, looks):
        super().__init__()
        self.left = looks

    @property
    def signal_number(self):
        self.left -= 1
        return 15 if self.left < 0 else 0


@pytest.fixture(scope="module")
def straight():
    return collect(training(place=Place()))


@pytest.mark.parametrize("step", range(1, EPOCHS * STEPS))
def test_a_network_that_samples_resumes_exactly_and_measures_the_same(step, straight, tmp_path):
    with pytest.raises(InterruptedRunError):
        collect(training(place=Place(state=tmp_path, stop=StopAtStep(step + 1))))
    torch.rand(step)  # whatever else was drawn in between
    assert same(collect(training(place=Place(state=tmp_path))), straight)


def test_a_network_that_samples_is_the_same_in_processes(straight):
    assert same(collect(training(place=Place(), together="processes")), straight)


def test_a_network_whose_draws_would_mix_is_refused_in_a_stack():
    noisy = nn.Sequential(nn.Dropout(0.1), VariationalAutoencoder((1, 4, 4), 2))
    with pytest.raises(UsageError, match=r"no stack for the model's random draws .* use --together processes"):
        collect(training(place=Place(), together="stacked", model=lambda: noisy))


def losses(together, *, precision="float64", compile="off", seeds=(0, 1, 4)):
    """Of each seed, the loss of every step: the code's noise weighs in it, and in every later one."""
    images = torch.rand(150, 1, 6, 6, generator=torch.Generator().manual_seed(0)).round()
    recipe = Recipe(epochs=3, batch_size=16, optimizer=lambda p: torch.optim.Adam(p, lr=1e-2), window=1)
    rows, trained = collect(
        fit(lambda: VariationalAutoencoder((1, 6, 6), 5), (images, torch.zeros(150, dtype=torch.int64)),
            negative_elbo, recipe, seeds=seeds, together=together,
            place=Place(precision=precision, compile=compile))
    )  # fmt: skip
    assert trained.way.name == together
    found = {seed: [row["loss"] for row in rows if row["seed"] == seed and "step" in row] for seed in seeds}
    return torch.tensor([found[seed] for seed in seeds], dtype=torch.float64)


def check_seeds_draw_as_alone():
    alone, stacked = losses("in a row"), losses("stacked")
    assert alone.shape == (3, 3 * 10)  # the last batch of an epoch is a smaller one
    torch.testing.assert_close(stacked, alone, rtol=1e-9, atol=1e-9)


def test_seeds_of_a_stack_draw_what_they_draw_alone():
    check_seeds_draw_as_alone()


@pytest.mark.parametrize("wrong", ["one noise for all", "the noise of other seeds", "the same noise at every step"])
def test_a_stack_that_draws_otherwise_is_told_apart(wrong, monkeypatch):
    right = rng.step_generators

    def generators(seeds, step, device):
        if wrong == "one noise for all":
            return [right(seeds[:1], step, device)[0] for _ in seeds]
        return right(seeds[::-1], step, device) if wrong == "the noise of other seeds" else right(seeds, 0, device)

    monkeypatch.setattr(rng, "step_generators", generators)
    with pytest.raises(AssertionError, match="not close"):
        check_seeds_draw_as_alone()


def test_a_stack_that_samples_is_as_near_in_float32():
    torch.testing.assert_close(losses("stacked", precision="float32"), losses("in a row", precision="float32"),
                               rtol=1e-5, atol=1e-5)  # fmt: skip


def test_a_stack_that_samples_is_not_compiled(monkeypatch):
    monkeypatch.setattr(compiled, "BACKEND", "eager")  # a compiler that works, on any machine
    with pytest.warns(UserWarning, match="not compiled: a stack's replicas draw random numbers of their own"):
        told = losses("stacked", compile="on")
    assert torch.equal(told, losses("stacked"))


@pytest.mark.parametrize("step", [2, 5])
def test_a_stack_that_samples_resumes_exactly(step, tmp_path):
    straight = collect(training(place=Place(), together="stacked"))
    with pytest.raises(InterruptedRunError):
        collect(training(place=Place(state=tmp_path, stop=StopAtStep(step + 1)), together="stacked"))
    assert same(collect(training(place=Place(state=tmp_path), together="stacked")), straight)


def test_a_network_that_samples_without_a_word_is_repeatable_as_well():
    class Silent(VariationalAutoencoder):
        draws_randomness = False

    torch.manual_seed(0)
    first = collect(training(place=Place(), model=lambda: Silent((1, 4, 4), 2)))
    torch.rand(7)
    assert same(collect(training(place=Place(), model=lambda: Silent((1, 4, 4), 2))), first)


def test_every_step_draws_anew():
    noise = []

    class Listening(VariationalAutoencoder):
        def forward(self, images, generator=None):
            outputs = super().forward(images, generator)
            if self.training:
                noise.append(((outputs["z"] - outputs["qz"].mu) / outputs["qz"].log_sigma.exp())[:8])
            return outputs

    collect(training(place=Place(), model=lambda: Listening((1, 4, 4), 2)))
    draws = torch.stack(noise).flatten(1)
    assert len(draws) == 2 * EPOCHS * STEPS  # both seeds
    assert torch.pdist(draws).min() > 0.5
