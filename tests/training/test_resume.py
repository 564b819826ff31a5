"""A training that is stopped anywhere and resumed is, bit for bit, the one that was not."""

import contextlib
import errno
import signal
import warnings
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gradlab.augment import Normalize, Pipeline, SmallAffine
from gradlab.errors import FileError, InterruptedRunError
from gradlab.objectives import classification
from gradlab.records import read_sealed, write_sealed
from gradlab.training import Place, Selection, Stop, collect, fit, schedules
from gradlab.training import saver as saver_module
from gradlab.training.learner import Standing
from gradlab.training.state import (
    newest_state,
    optimizer_tensors,
    pack,
    restore_optimizer,
    state_files,
    unpack,
    write_state,
)

EPOCHS, STEPS = 3, 5  # 70 samples in batches of 16
SOUND = asdict(Standing())


def make_fit(bars, recipe, make_model, *, together, place, seeds=(0, 1), dropout=0.3, **changes):
    prepare = Pipeline([SmallAffine(degrees=5, translate=1, scale=0.1), Normalize((0.3,), (0.25,))])

    def accuracy(model):
        with torch.no_grad():
            logits = model.eval()(Normalize((0.3,), (0.25,))(bars[0]))
        return {"accuracy": (logits.argmax(1) == bars[1]).double().mean().item()}

    settings = recipe(
        optimizer=lambda p: torch.optim.AdamW(p, lr=3e-3),
        schedule=schedules.one_cycle(steps=EPOCHS * STEPS),
        select=Selection(),
        window=2,
        **changes,
    )
    return fit(
        lambda: make_model(dropout if together != "stacked" else 0.0),
        bars, classification, settings, seeds=seeds, together=together, prepare=prepare,
        measure={"validation": accuracy}, place=place,
    )  # fmt: skip


class StopAtStep(Stop):
    """Asks to stop once the loop has looked so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    @property
    def signal_number(self) -> int:
        self._left -= 1
        return signal.SIGTERM if self._left < 0 else 0


def newest_files(place: Path) -> list[Path]:
    """The newest state of every learner, at least one."""
    folders = {path.parent for path in place.rglob("*.state")}
    assert folders
    return [state_files(folder)[0] for folder in folders]


def same(first, second):
    (rows, trained), (other_rows, other) = first, second
    assert rows == other_rows
    for seed, model in trained.models.items():
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, other.models[seed].state_dict()[name]), (seed, name)


@pytest.mark.parametrize("together", ["in a row", "stacked"])
@pytest.mark.parametrize("step", range(1, EPOCHS * STEPS + 1))
def test_stopped_at_every_step(together, step, bars, recipe, make_small_net, tmp_path):
    straight = collect(make_fit(bars, recipe, make_small_net, together=together, place=Place()))
    stop = StopAtStep(step)  # looks once before training starts, and after each step
    with pytest.raises(InterruptedRunError) as caught:
        collect(make_fit(bars, recipe, make_small_net, together=together, place=Place(state=tmp_path, stop=stop)))
    assert caught.value.exit_code == 143
    assert {path.name for path in tmp_path.rglob("*.state")} == {f"{step:012d}.state"}
    resumed = collect(make_fit(bars, recipe, make_small_net, together=together, place=Place(state=tmp_path)))
    same(resumed, straight)
    assert resumed[1].exact
    assert all(newest.name == f"{EPOCHS * STEPS + 1:012d}.state" for newest in newest_files(tmp_path))


def test_processes_stop_and_resume(bars, recipe, make_small_net, tmp_path):
    straight = collect(make_fit(bars, recipe, make_small_net, together="processes", place=Place()))
    stop = Stop()
    training = make_fit(bars, recipe, make_small_net, together="processes", place=Place(state=tmp_path, stop=stop))
    rows = [next(training)]
    stop.request(signal.SIGINT)
    with pytest.raises(InterruptedRunError) as caught:
        rows += list(training)
    assert caught.value.exit_code == 130
    resumed = collect(make_fit(bars, recipe, make_small_net, together="processes", place=Place(state=tmp_path)))
    same(resumed, straight)


def test_killed_between_saves_goes_on_from_the_last_one(bars, recipe, make_small_net, tmp_path):
    straight = collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place()))
    training = make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path, save_steps=4))
    for _ in range(9):
        next(training)
    training.close()  # nothing is saved on the way out, as after a SIGKILL
    same(collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path))), straight)


def test_a_finished_training_is_read_back_without_a_step(bars, recipe, make_small_net, tmp_path):
    first = collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path)))

    class Untouchable(Stop):
        @property
        def signal_number(self):
            frame_is_training = getattr(self, "looked", False)
            self.looked = True
            assert not frame_is_training, "a step was made"
            return 0

    again = collect(
        make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path, stop=Untouchable()))
    )
    same(again, first)


def test_more_seeds_leave_an_earlier_stack_as_it_is(bars, recipe, make_small_net, tmp_path):
    first = collect(make_fit(bars, recipe, make_small_net, together="stacked", place=Place(state=tmp_path)))[1]
    wider = partial(make_fit, bars, recipe, make_small_net, together="stacked", seeds=(0, 1, 2, 5))
    grown = collect(wider(place=Place(state=tmp_path)))[1]
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["stack-0-1", "stack-2-5"]
    for seed in (0, 1):
        same(([], SimpleNamespace(models={seed: grown.models[seed]})), ([], first))
    assert not grown.exact, "one stack of four may round otherwise"
    straight = collect(wider(place=Place()))[1]
    for name, tensor in straight.models[5].state_dict().items():
        assert torch.allclose(grown.models[5].state_dict()[name], tensor, rtol=1e-4, atol=1e-5)


def test_a_seed_that_was_trained_alone_stays_so_beside_a_stack(bars, recipe, make_small_net, tmp_path):
    """On an accelerator one seed trains in a row, and several as a stack."""
    alone = make_fit(
        bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path), seeds=(4,), dropout=0
    )
    first = collect(alone)[1]
    stacked = make_fit(bars, recipe, make_small_net, together="stacked", place=Place(state=tmp_path), seeds=(4, 0, 7))
    with pytest.warns(UserWarning, match="losses: None then, at once now"):
        grown = collect(stacked)[1]
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["seed-4", "stack-0-7"]
    same(([], SimpleNamespace(models={4: grown.models[4]})), ([], first))
    assert set(grown.models) == {4, 0, 7}
    assert not grown.exact


@pytest.mark.parametrize("together", ["in a row", "processes"])
def test_seeds_that_join_under_other_conditions_are_told(together, bars, recipe, make_small_net, tmp_path, monkeypatch):
    train = partial(make_fit, bars, recipe, make_small_net, together=together, place=Place(state=tmp_path))
    collect(train(seeds=(0,)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert collect(train(seeds=(0, 1)))[1].exact
    monkeypatch.setattr("gradlab.training.task.code_digest", lambda: "another")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert collect(train(seeds=(0, 1)))[1].exact, "nothing was trained by the other code"
    with pytest.warns(
        UserWarning, match=r"^training goes on under other conditions \(code: \w{8}… then, another now\)"
    ):
        assert not collect(train(seeds=(0, 1, 2)))[1].exact


def test_a_state_says_how_the_losses_of_a_stack_were_summed(bars, recipe, make_small_net, tmp_path, monkeypatch):
    """Without asserts (`python -O`) or its compiler torch leaves out a rule, and losses differ in their last digits."""
    found = {}
    for together, environment in (("stacked", "1"), ("stacked", "0"), ("in a row", "0")):
        monkeypatch.setenv("PYTORCH_JIT", environment)
        place = Place(state=tmp_path / together / environment)
        collect(make_fit(bars, recipe, make_small_net, together=together, place=place, seeds=(0,)))
        (folder,) = place.state.glob("model/*")
        found[together, environment] = newest_state(folder)[1]["fingerprint"].get("losses")
    assert found == {("stacked", "1"): "at once", ("stacked", "0"): "one by one", ("in a row", "0"): None}


def test_a_damaged_newest_state_is_named_and_the_one_before_is_used(bars, recipe, make_small_net, tmp_path):
    straight = collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place()))
    place = Place(state=tmp_path, save_steps=3, stop=StopAtStep(9))
    with contextlib.suppress(InterruptedRunError):
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))
    newest, before = state_files(tmp_path / "model" / "seed-0")
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match=f"{newest.name} is damaged.*SHA-256"):
        resumed = collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path)))
    same(resumed, straight)
    assert before.name < newest.name


def test_a_disk_without_room_for_the_weights_is_noticed_before_the_first_step(
    bars, recipe, make_small_net, tmp_path, monkeypatch
):
    weights = sum(tensor.nbytes for tensor in make_small_net(0.0).state_dict().values())

    def train(free: int, stop: Stop | None = None, state: Path | None = tmp_path):
        monkeypatch.setattr("gradlab.training.saver.shutil.disk_usage", lambda _place: SimpleNamespace(free=free))
        place = Place(state=state, stop=stop or Stop())
        return collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))

    with pytest.raises(FileError, match=f"{weights - 1:,} bytes are free, and saving takes at least {weights:,}; free"):
        train(weights - 1, StopAtStep(6))
    with pytest.raises(InterruptedRunError):
        train(weights - 1, StopAtStep(6), state=None)  # keeps nothing, needs nothing
    with pytest.raises(InterruptedRunError):
        train(weights, StopAtStep(6), state=tmp_path / "just enough")
    done = train(10 * weights)
    same(train(0), done)  # finished: nothing is left to save


def test_other_threads_are_told(bars, recipe, make_small_net, tmp_path):
    with contextlib.suppress(InterruptedRunError):
        place = Place(state=tmp_path, stop=StopAtStep(6))
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))
    with pytest.warns(UserWarning, match=r"threads: 1 then, 2 now.*not exact"):
        _, resumed = collect(
            make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path, threads=2))
        )
    assert not resumed.exact


def test_other_code_is_told(bars, recipe, make_small_net, tmp_path, monkeypatch):
    with contextlib.suppress(InterruptedRunError):
        place = Place(state=tmp_path, stop=StopAtStep(6))
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))
    monkeypatch.setattr("gradlab.training.task.code_digest", lambda: "another")
    with pytest.warns(UserWarning, match=r"code: .* then, another now.*not exact"):
        _, resumed = collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path)))
    assert not resumed.exact


def test_state_of_another_model_is_refused(bars, recipe, make_small_net, tmp_path):
    with contextlib.suppress(InterruptedRunError):
        place = Place(state=tmp_path, stop=StopAtStep(6))
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))

    class Wider(make_small_net):
        def __init__(self, dropout):
            super().__init__(dropout)
            self.conv = torch.nn.Conv2d(1, 4, 5, padding=1)

    with pytest.raises(FileError, match="not of this model and recipe"):
        collect(make_fit(bars, recipe, Wider, together="in a row", place=Place(state=tmp_path)))


@pytest.mark.parametrize("change", ["missing", "misnamed", "another shape"])
def test_a_state_without_what_the_optimiser_keeps_is_refused(change, bars, recipe, make_small_net, tmp_path):
    with contextlib.suppress(InterruptedRunError):
        place = Place(state=tmp_path, stop=StopAtStep(6))
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))
    (path,) = state_files(tmp_path / "model" / "seed-0")
    tensors, meta = unpack(read_sealed(path))
    taken = tensors.pop("optimizer/0/exp_avg")
    if change != "missing":
        tensors |= {"optimizer/0/zexp_avg": taken} if change == "misnamed" else {"optimizer/0/exp_avg": taken[:1]}
    write_sealed(path, pack(tensors, meta))
    with pytest.raises(FileError, match="not of this model and recipe: of parameter 0 the optimiser keeps"):
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path)))


@pytest.mark.parametrize("steps", [-1.0, float("inf"), float("nan")])
def test_a_state_of_impossible_steps_is_refused(steps):
    """0.9 ** -1e38 overflows, and the root of what AdamW divides by would be complex."""
    weight = torch.nn.Parameter(torch.ones(3))
    first, second = torch.optim.AdamW([weight]), torch.optim.AdamW([weight])
    weight.grad = torch.ones(3)
    first.step()
    first.state[weight]["step"].fill_(steps)
    with pytest.raises(ValueError, match=f"cannot have made {steps} steps of parameter 0"):
        restore_optimizer(second, *optimizer_tensors(first))


class Averaging(torch.optim.SGD):
    """An optimiser of a user's own: it has an attribute, and keeps averages from its second step on only."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=0.1, momentum=0.9)
        self.made = 0

    def step(self, closure=None):
        self.made += 1
        super().step(closure)
        for parameter in self.param_groups[0]["params"]:
            if self.made > 1:
                self.state[parameter]["average"] = parameter.detach().clone()


def test_what_an_optimiser_of_one_s_own_keeps_is_put_back():
    """What it keeps cannot be told from a step of a copy: torch's copies lack attributes, and entries come later."""
    weight = torch.nn.Parameter(torch.ones(3))
    first, second = Averaging([weight]), Averaging([weight])
    for _ in range(2):
        weight.grad = torch.ones(3)
        first.step()
    restore_optimizer(second, *optimizer_tensors(first))
    assert second.state[weight].keys() == {"momentum_buffer", "average"}
    assert torch.equal(second.state[weight]["average"], first.state[weight]["average"])


def test_state_of_other_settings_is_refused(bars, recipe, make_small_net, tmp_path):
    with contextlib.suppress(InterruptedRunError):
        place = Place(state=tmp_path, stop=StopAtStep(6))
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))
    place = Place(state=tmp_path)
    changed = make_fit(bars, recipe, make_small_net, together="in a row", place=place, clip_norm=1.0)
    with pytest.raises(FileError, match=r"clip_norm None then, 1\.0 now"):
        collect(changed)


@pytest.mark.parametrize("step", [0, 1, 3, 7, 11, 13])
def test_a_schedule_that_differs_somewhere_is_refused(step, bars, recipe, make_small_net, tmp_path):
    """At the beginning, in the warm-up, before, in and after the middle, or at the end of 15 steps."""

    def begun(schedule, stop):
        settings = recipe(optimizer=lambda p: torch.optim.SGD(p, lr=0.01), schedule=schedule)
        assert settings.epochs * settings.steps_per_epoch(len(bars[0])) == 15
        return fit(lambda: make_small_net(0.0), bars, classification, settings, seeds=(0,),
                   prepare=Normalize((0.3,), (0.25,)), place=Place(state=tmp_path, stop=stop))  # fmt: skip

    with contextlib.suppress(InterruptedRunError):
        collect(begun(lambda _number: 1.0, StopAtStep(6)))
    with pytest.raises(FileError, match=r"schedule \[1\.0, .* then, \[.*0\.5"):
        collect(begun(lambda number: 0.5 if number == step else 1.0, Stop()))


@pytest.mark.parametrize("change", ["labels", "pixels", "smoothing", "augmentation"])
def test_a_state_of_other_data_loss_or_augmentation_is_refused(change, tmp_path, bars, recipe, make_small_net):
    pixels, labels = bars

    def train(images, targets, smoothing, degrees, folder):
        prepare = Pipeline([SmallAffine(degrees=degrees, translate=1, scale=0.1), Normalize((0.3,), (0.25,))])
        objective = partial(classification, label_smoothing=smoothing)
        return collect(fit(make_small_net, (images, targets), objective, recipe(), seeds=(0,), prepare=prepare,
                           place=Place(state=folder)))  # fmt: skip

    rows, _trained = train(pixels, labels, 0.1, 5, tmp_path / "state")
    assert train(pixels, labels, 0.1, 5, tmp_path / "state")[0] == rows, "the same is read back"
    other = {"labels": (pixels, 1 - labels, 0.1, 5), "pixels": (255 - pixels, labels, 0.1, 5),
             "smoothing": (pixels, labels, 0.5, 5), "augmentation": (pixels, labels, 0.1, 20)}[change]  # fmt: skip
    said = {"smoothing": "objective", "augmentation": "inputs"}.get(change, "examples")
    with pytest.raises(FileError, match=f"of other settings .{said} "):
        train(*other, tmp_path / "state")


def test_seconds_are_those_of_all_seeds_also_where_they_are_read_back(
    tmp_path, bars, recipe, make_small_net, normalize
):
    def trained(seeds):
        # Long enough that reading a state takes less than the training that it tells of.
        return collect(fit(make_small_net, bars, classification, recipe(epochs=20), seeds=seeds, together="in a row",
                           prepare=normalize, place=Place(state=tmp_path)))[1]  # fmt: skip

    trained((0, 1, 2))
    alone = [trained((seed,)).seconds for seed in (0, 1, 2)]
    assert trained((0, 1, 2)).seconds >= sum(alone) * 0.999


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now


def test_saving_takes_a_hundredth_of_the_time_at_most(monkeypatch):
    clock, saved = Clock(), []

    def slow_save(_task, training, _folder, _settings):
        saved.append(training.seconds)
        clock.now += 2

    monkeypatch.setattr(saver_module, "time", clock)
    monkeypatch.setattr(saver_module, "_save", slow_save)
    monkeypatch.setattr(saver_module, "settings_of", lambda _task, _learner: {})
    monkeypatch.setattr(saver_module, "state_folder", lambda _task, _learner: Path("somewhere"))
    training = SimpleNamespace(learner=None, seconds=7.0, finished=False)
    saver = saver_module.Saver(SimpleNamespace(place=Place(save_seconds=10)), training)
    due = []
    for second in (5, 10, 11):
        clock.now = 100.0 + second
        due.append(saver.due(0))
    assert due == [False, False, True]
    saver.save()
    assert saved == [7.0 + 11.0], "the seconds of earlier sessions and of this one"
    for second, expected in ((199, False), (200, False), (201, True)):
        clock.now = 113.0 + second
        assert saver.due(0) == expected, "two seconds of saving are a hundredth of 200"
    for second in (150, 200):
        clock.now = 113.0 + second
        saver.epoch_done()
        assert len(saved) == 1
    training.finished = True
    saver.epoch_done()
    assert len(saved) == 2, "what is finished is saved at once"


def test_only_two_states_are_kept_and_any_damage_is_found(tmp_path):
    tensors = {"weight": torch.arange(6.0)}
    for step in (3, 5, 9):
        write_state(tmp_path, step, tensors, {"step": step})
    assert [path.name for path in state_files(tmp_path)] == ["000000000009.state", "000000000005.state"]
    whole = state_files(tmp_path)[0].read_bytes()
    (tmp_path / "000000000005.state").unlink()
    for position in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[position] ^= 0x10
        (tmp_path / "000000000009.state").write_bytes(flipped)
        with pytest.warns(UserWarning, match="damaged"):
            assert newest_state(tmp_path) is None
    for length in range(0, len(whole), 50):
        (tmp_path / "000000000009.state").write_bytes(whole[:length])
        with pytest.warns(UserWarning, match="damaged"):
            assert newest_state(tmp_path) is None


def test_an_old_state_that_cannot_be_removed_stops_nothing(tmp_path, monkeypatch):
    def refuse(_path, **_options):
        raise OSError(errno.EIO, "the disk is broken")

    for step in (1, 2):
        write_state(tmp_path, step, {"weight": torch.ones(1)}, {"step": step})
    monkeypatch.setattr(Path, "unlink", refuse)
    write_state(tmp_path, 3, {"weight": torch.ones(1)}, {"step": 3})
    assert newest_state(tmp_path)[1] == {"step": 3}


def test_pack_keeps_every_bit():
    tensors = {"a": torch.tensor([0.1, float("nan"), -0.0]), "b": torch.tensor(7), "c": torch.rand(2, 3).bfloat16()}
    meta = {"rows": [{"x": 0.1 + 0.2, "none": None}], "best": float("inf")}
    found, about = unpack(pack(tensors, meta))
    assert about == meta
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name].view(torch.uint8), tensor.view(torch.uint8)) if tensor.ndim else True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FileError, match="damaged"):
            unpack(b"not a state")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", 0), ("epoch", 1.5), ("epoch", True), ("step_in_epoch", STEPS + 1), ("standings", []),
        ("standings", [{}]), ("rows", [3]), ("rows", [{"epoch": "1"}]), ("optimizer", {"0/step": []}), ("seconds", "1"),
        ("finished", None), ("settings", None), *(("standings", [{**SOUND, field: bad}]) for field, bad in (
            ("sums", []), ("sums", {"loss": "1"}), ("window_sums", None), ("samples", 0.5), ("window_samples", "0"),
            ("best_epoch", 1.5), ("finished_epoch", []), ("best", "0.9"), ("diverged", 3),
        )),
    ],
)  # fmt: skip
def test_a_state_of_values_that_no_training_has_is_refused(name, value, bars, recipe, make_small_net, tmp_path):
    with contextlib.suppress(InterruptedRunError):
        place = Place(state=tmp_path, stop=StopAtStep(6))
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=place))
    (path,) = state_files(tmp_path / "model" / "seed-0")
    tensors, meta = unpack(read_sealed(path))
    write_sealed(path, pack(tensors, {**meta, name: value}))
    with pytest.raises(FileError, match="its values are not those of a training"):
        collect(make_fit(bars, recipe, make_small_net, together="in a row", place=Place(state=tmp_path)))


class Dying:
    """Gets a signal while Python removes it, where an exception can only be told, not raised."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


def test_a_signal_where_nothing_can_be_raised_is_heard_and_not_told_as_a_fault(monkeypatch):
    told = []
    monkeypatch.setattr("sys.unraisablehook", lambda fault: told.append(type(fault.exc_value)))
    stop = Stop()
    with stop.listening():
        Dying(signal.SIGUSR1)
        assert stop.signal_number == signal.SIGUSR1
        Dying(10_000)  # no signal: a fault
        with pytest.raises(InterruptedRunError), stop.deferred():
            pass
    assert told == [OSError]
