import pytest

from gradlab import rng
from gradlab.errors import InterruptedRunError
from gradlab.training import task
from tests.reliability.exact_resume import StopAfter, sweep
from tests.reliability.families import FAMILIES, train

CONDITIONS = (
    "torch",
    "threads",
    "device",
    "processes",
    "precision",
    "capability",
    "processor",
    "instructions",
    "accelerator",
    "augmentation",
    "batch norm",
    "linear layers",
    "code",
)


@pytest.mark.filterwarnings("ignore:.*few to learn by:UserWarning")
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_goes_on_to_the_same_bits(name):
    done, wrong = sweep(name, 1)
    assert done == 1
    assert wrong == []


def forget_the_optimizer(monkeypatch):
    monkeypatch.setattr("gradlab.training.solo.restore_optimizer", lambda *_state: None)


def draw_from_where_the_generator_is(monkeypatch):
    monkeypatch.setattr(rng, "start_step", lambda _seed, _step: None)


def start_the_epoch_again(monkeypatch):
    from gradlab.training import saver

    restore = saver._restore

    def wrong(task, training, tensors, meta):
        restore(task, training, tensors, meta)
        training.step_in_epoch = 0

    monkeypatch.setattr(saver, "_restore", wrong)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (forget_the_optimizer, "ResNet"),
        (draw_from_where_the_generator_is, "MLP, dropout and augmentation"),
        (start_the_epoch_again, "LSTM"),
    ],
)
def test_a_wrong_resume_is_told_apart(damage, name, monkeypatch):
    damage(monkeypatch)
    done, wrong = sweep(name, 1)
    assert len(wrong) == done == 1


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_that_changes_the_bits_is_told_and_stays_told(name, tmp_path, monkeypatch):
    family = FAMILIES["logistic regression"]
    with pytest.raises(InterruptedRunError):
        train(family, tmp_path, stop=StopAfter(4))
    fingerprint = task.Task.fingerprint

    def a_step_under_another_condition() -> None:
        with monkeypatch.context() as changed:
            changed.setattr(task.Task, "fingerprint", lambda self: {**fingerprint(self), name: "another"})
            with pytest.raises(InterruptedRunError):
                train(family, tmp_path, stop=StopAfter(1))

    with pytest.warns(UserWarning, match=f"{name}: .*the result is not exact"):
        a_step_under_another_condition()
    assert not any(arm["exact"] for arm in train(family, tmp_path)["arms"].values()), "a no must stay a no"


def test_the_conditions_are_all_there_are(tmp_path, monkeypatch):
    seen = {}
    fingerprint = task.Task.fingerprint
    monkeypatch.setattr(task.Task, "fingerprint", lambda self: seen.setdefault("all", fingerprint(self)))
    train(FAMILIES["logistic regression"], tmp_path)
    assert tuple(seen["all"]) == CONDITIONS
