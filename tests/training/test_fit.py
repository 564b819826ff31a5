"""The three ways agree; a seed's result is its own; same call, same bits."""

import gc
import math
import weakref

import pytest
import torch

from gradlab import rng
from gradlab.augment import BatchShuffle, Normalize, Pipeline, SmallAffine
from gradlab.errors import DivergedError, UsageError
from gradlab.objectives import classification
from gradlab.training import Place, Selection, collect, fit, schedules

WAYS = ("processes", "stacked", "in a row")


def weights(trained, seed):
    return torch.cat([tensor.flatten().double() for tensor in trained.models[seed].state_dict().values()])


def relative(first, second):
    return ((first - second).abs().max() / second.abs().max()).item()


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3),
    "Adam": lambda p: torch.optim.Adam(p, lr=1e-3),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.05),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("float64", 1e-9)])
def test_three_ways_agree_after_20_steps(name, precision, tolerance, bars, recipe, make_small_net):
    dtype = torch.float64 if precision == "float64" else torch.float32
    prepare = Pipeline(
        [SmallAffine(degrees=5, translate=1, scale=0.1, dtype=dtype), Normalize((0.3,), (0.25,), dtype=dtype)]
    )
    settings = recipe(epochs=4, optimizer=OPTIMIZERS[name], clip_norm=0.5, l1=1e-4, schedule=schedules.cosine(steps=20))
    results = {}
    for way in WAYS:
        place = Place(precision=precision)
        _, results[way] = collect(
            fit(
                make_small_net, bars, classification, settings, seeds=(3, 1), together=way, prepare=prepare, place=place
            )
        )
    assert settings.steps_per_epoch(len(bars[0])) * settings.epochs == 20
    for seed in (3, 1):
        row = weights(results["in a row"], seed)
        assert relative(weights(results["stacked"], seed), row) < tolerance
        assert torch.equal(weights(results["processes"], seed), row)


@pytest.mark.parametrize("way", WAYS)
def test_a_seed_does_not_feel_the_seeds_beside_it(way, bars, recipe, make_small_net, normalize):
    def train(seeds):
        return collect(
            fit(make_small_net, bars, classification, recipe(), seeds=seeds, together=way, prepare=normalize)
        )

    alone = train((5,))[1]
    for company in [(5, 2), (0, 1, 2, 3, 5), (9, 5, 8)]:
        assert relative(weights(train(company)[1], 5), weights(alone, 5)) < (1e-5 if way == "stacked" else 1e-30)


@pytest.mark.parametrize("way", WAYS)
def test_frozen_weights_stay_as_they_were(way, bars, recipe, make_small_net, normalize):
    def make():
        model = make_small_net()
        next(model.parameters()).requires_grad_(False)
        return model

    trained = collect(
        fit(make, bars, classification, recipe(), seeds=(5, 2), together=way, prepare=normalize)
    )[1]  # fmt: skip
    with rng.global_stream(5, "initial weights"):
        before = make()
    names = [name for name, _parameter in before.named_parameters()]
    after = trained.models[5].state_dict()
    assert torch.equal(after[names[0]], before.state_dict()[names[0]])
    assert not torch.equal(after[names[1]], before.state_dict()[names[1]])


def test_a_shuffle_of_the_batch_is_the_seed_s_own_also_in_a_stack(bars, recipe, make_small_net, normalize):
    prepare = Pipeline([BatchShuffle(), normalize])

    def train(seeds, way):
        return collect(fit(make_small_net, bars, classification, recipe(), seeds=seeds, together=way, prepare=prepare))[
            1
        ]

    alone = weights(train((5,), "in a row"), 5)
    for seeds in [(5, 2), (2, 5)]:
        assert relative(weights(train(seeds, "stacked"), 5), alone) < 1e-4


@pytest.mark.parametrize("way", WAYS)
def test_same_call_same_bits(way, bars, recipe, make_small_net, normalize):
    def once():
        rows, trained = collect(
            fit(make_small_net, bars, classification, recipe(), seeds=(0, 1), together=way, prepare=normalize)
        )
        return rows, weights(trained, 0), weights(trained, 1)

    first, second = once(), once()
    assert first[0] == second[0]
    assert torch.equal(first[1], second[1])
    assert torch.equal(first[2], second[2])
    assert not torch.equal(first[1], first[2])


@pytest.mark.usefixtures("one_thread")
def test_equals_a_hand_written_loop(bars, recipe, make_small_net, normalize):
    from gradlab import rng

    settings = recipe(epochs=2)
    _, trained = collect(fit(make_small_net, bars, classification, settings, seeds=(4,), prepare=normalize))
    with rng.global_stream(4, "initial weights"):
        model = make_small_net().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    for epoch in (1, 2):
        for batch in torch.randperm(70, generator=rng.generator(4, f"order {epoch}")).split(16):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(
                model(normalize(bars[0][batch]).contiguous(memory_format=torch.channels_last)), bars[1][batch]
            )
            loss.backward()
            optimizer.step()
    expected = torch.cat([tensor.flatten().double() for tensor in model.state_dict().values()])
    assert torch.equal(weights(trained, 4), expected)


def test_rows_come_epoch_by_epoch_and_seed_by_seed_in_processes(bars, recipe, make_small_net, normalize):
    rows, _ = collect(
        fit(
            make_small_net,
            bars,
            classification,
            recipe(),
            seeds=(2, 0),
            together="processes",
            prepare=normalize,
            place=Place(workers=2),  # on one core, too
        )
    )
    assert [(row["epoch"], row["seed"]) for row in rows] == [(e, s) for e in (1, 2, 3) for s in (2, 0)]
    in_a_row, _ = collect(
        fit(make_small_net, bars, classification, recipe(), seeds=(2, 0), together="in a row", prepare=normalize)
    )
    assert sorted(map(str, rows)) == sorted(map(str, in_a_row))


def test_training_rows_are_means_over_the_samples(bars, recipe, normalize):
    class Constant(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = torch.nn.Parameter(torch.tensor([1.0, 0.0]))

        def forward(self, images):
            return self.bias.expand(len(images), 2)

    settings = recipe(epochs=1, optimizer=lambda p: torch.optim.SGD(p, lr=0.0))
    rows, _ = collect(fit(Constant, bars, classification, settings, seeds=(0,), prepare=normalize))
    share = (bars[1] == 0).double().mean().item()
    loss = math.log(1 + math.e) - share  # -log softmax of class 0 is log(1 + e) - 1, of class 1 log(1 + e)
    assert rows[0]["accuracy"] == pytest.approx(share)
    assert rows[0]["loss"] == pytest.approx(loss, rel=1e-6)


def test_windows_average_their_own_steps_only(bars, recipe, make_small_net, normalize):
    rows, _ = collect(
        fit(make_small_net, bars, classification, recipe(batch_size=7, window=4), seeds=(0,), prepare=normalize)
    )
    windows = [row for row in rows if "step" in row]
    assert [row["step"] for row in windows] == [4, 8, 12, 16, 20, 24, 28]
    epoch = next(row for row in rows if "step" not in row)
    single, _ = collect(
        fit(make_small_net, bars, classification, recipe(batch_size=7, window=1), seeds=(0,), prepare=normalize)
    )
    losses = [row["loss"] for row in single if "step" in row]
    assert windows[0]["loss"] == pytest.approx(sum(losses[:4]) / 4)
    assert windows[1]["loss"] == pytest.approx(sum(losses[4:8]) / 4)
    assert epoch["loss"] == pytest.approx(sum(losses[:10]) / 10)


@pytest.mark.parametrize("way", WAYS)
def test_selection_keeps_the_best_epoch_and_patience_stops(way, bars, recipe, make_small_net, normalize):
    def measure(model):
        steps = int(model.norm.num_batches_tracked)  # 5 steps an epoch: the value tells the epoch
        return {"accuracy": {5: 0.5, 10: 0.9, 15: 0.7, 20: 0.9, 25: 1.0}[steps]}

    settings = recipe(epochs=5, select=Selection(), patience=2)
    rows, trained = collect(
        fit(make_small_net, bars, classification, settings, seeds=(0, 1), together=way, prepare=normalize,
            measure={"validation": measure})
    )  # fmt: skip
    assert trained.best_epochs == {0: 2, 1: 2}
    assert max(row["epoch"] for row in rows) == 4
    assert int(trained.models[1].norm.num_batches_tracked) == 10


@pytest.mark.parametrize("way", WAYS)
def test_a_diverging_seed_stops_alone(way, bars, recipe, make_small_net, normalize):
    class Fragile(make_small_net):
        """Breaks for the seed whose first weight happens to be negative."""

        def forward(self, images):
            logits = super().forward(images)
            broken = (self.norm.num_batches_tracked > 7) & (self.marker < 0)
            return logits + torch.where(broken, float("nan"), 0.0)

        def __init__(self):
            super().__init__()
            self.register_buffer("marker", self.conv.bias[:1].detach().clone())

    def sign(seed):
        from gradlab import rng

        with rng.global_stream(seed, "initial weights"):
            return Fragile().marker.item() < 0

    broken = next(seed for seed in range(20) if sign(seed))
    sound = next(seed for seed in range(20) if not sign(seed))
    rows, trained = collect(
        fit(Fragile, bars, classification, recipe(), seeds=(broken, sound), together=way, prepare=normalize)
    )
    assert set(trained.models) == {sound}
    assert "step 7" in trained.diverged[broken]
    assert "learning rate 0.05" in trained.diverged[broken]
    last = [row for row in rows if row["seed"] == broken][-1]
    assert "diverged" in last
    assert last["epoch"] == 2
    _, alone = collect(fit(Fragile, bars, classification, recipe(), seeds=(sound,), prepare=normalize))
    assert relative(weights(trained, sound), weights(alone, sound)) < 1e-5


def test_all_seeds_diverged_is_an_error_that_names_the_layer(bars, recipe, make_small_net, normalize):
    class Exploding(make_small_net):
        def __init__(self):
            super().__init__()
            self.out.weight.data.fill_(float("inf"))

    with pytest.raises(DivergedError, match=r"every seed.*step 0.*parameter out\.weight.*lower learning rate"):
        collect(fit(Exploding, bars, classification, recipe(), seeds=(0, 1), together="in a row", prepare=normalize))


def test_dropout_is_the_same_however_seeds_run_and_refused_in_a_stack(bars, recipe, make_small_net, normalize):
    def make():
        return make_small_net(dropout=0.5)

    row, apart = (
        collect(fit(make, bars, classification, recipe(), seeds=(0, 1), together=way, prepare=normalize))[1]
        for way in ("in a row", "processes")
    )
    assert torch.equal(weights(row, 1), weights(apart, 1))
    with pytest.raises(UsageError, match="dropout"):
        collect(fit(make, bars, classification, recipe(), seeds=(0, 1), together="stacked", prepare=normalize))


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"batch_size": 71}, {}, "batch_size 71 is larger than the training split of 70"),
        ({}, {"seeds": ()}, "at least one"),
        ({}, {"seeds": (1, 1)}, "different numbers"),
        ({}, {"together": "procceses"}, "did you mean 'processes'"),
    ],
)
def test_refuses_bad_input(changes, options, message, bars, recipe, make_small_net, normalize):
    with pytest.raises(UsageError, match=message):
        collect(fit(make_small_net, bars, classification, recipe(**changes), prepare=normalize, **options))


def test_a_crashing_process_is_named_with_its_reason(bars, recipe, make_small_net, normalize):
    def fail(_model):
        raise RuntimeError("the disk of seed is on fire")

    from gradlab.errors import GradlabError

    with pytest.raises(GradlabError, match="seed 0: RuntimeError: the disk of seed is on fire"):
        collect(
            fit(make_small_net, bars, classification, recipe(), seeds=(0, 1), together="processes", prepare=normalize,
                measure={"validation": fail})
        )  # fmt: skip


def test_what_was_trained_goes_with_its_last_user(bars, recipe, make_small_net, normalize):
    """Circles would keep every network of a long session until Python's collector comes by, which is seldom.

    Of a stack torch's `vmap` itself keeps frames in circles.
    """
    alive = []

    def make():
        alive.append(weakref.ref(model := make_small_net()))
        return model

    gc.collect()
    gc.disable()
    try:
        collect(fit(make, bars, classification, recipe(epochs=1), seeds=(0, 1), together="in a row", prepare=normalize))
        assert len(alive) >= 4
        assert [model() for model in alive if model() is not None] == []
    finally:
        gc.enable()
