"""A training that another run of the group has made is taken over, with the same rows and weights."""

from functools import partial

import pytest
import torch

from gradlab.augment import Normalize
from gradlab.objectives import classification
from gradlab.training import Place, Selection, collect, fit
from gradlab.training import saver as saver_module
from gradlab.training.state import newest_state, state_files, write_state


def share_right(model, pixels, labels):
    with torch.no_grad():
        return {"accuracy": float((model.eval()(pixels.float() / 255).argmax(1) == labels).double().mean())}


@pytest.fixture
def run(bars, recipe, make_small_net, tmp_path):
    def made(folder: str, arm: str, *, twins=("first",), together="in a row", seeds=(0, 1), rate=0.05):
        place = Place(state=tmp_path / folder / "state", twins=tuple(tmp_path / twin / "state" for twin in twins))
        return collect(
            fit(
                make_small_net, bars, classification,
                recipe(optimizer=partial(torch.optim.SGD, lr=rate, momentum=0.9), select=Selection()),
                seeds=seeds, together=together, arm=arm, prepare=Normalize((0.3,), (0.25,)),
                measure={"validation": partial(share_right, pixels=bars[0], labels=bars[1])}, place=place,
            )
        )  # fmt: skip

    return made


@pytest.fixture
def steps_made(monkeypatch) -> list[str]:
    """The arms that were trained, each as often as one of its epochs began."""
    from gradlab.training import loop

    begun, steps = [], loop._steps

    def counted(task, *rest):
        begun.append(task.arm)
        return steps(task, *rest)

    monkeypatch.setattr(loop, "_steps", counted)
    return begun


@pytest.mark.parametrize("together", ["in a row", "stacked"])
def test_the_same_training_is_made_once(run, steps_made, together):
    rows, trained = run("first", "a", twins=(), together=together)
    made = len(steps_made)
    assert made > 0
    assert trained.taken_from is None
    again, taken = run("second", "b", together=together)
    assert len(steps_made) == made, "not one epoch was made again"
    assert again == [{**row, "arm": "b"} for row in rows]
    assert taken.taken_from == "first, a"
    assert taken.exact
    assert taken.best_epochs == trained.best_epochs
    for seed, model in trained.models.items():
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, taken.models[seed].state_dict()[name])


def test_also_by_processes_and_between_the_ways_of_single_seeds(run, steps_made):
    rows, _ = run("first", "a", twins=(), together="processes")
    again, taken = run("second", "b", together="in a row")
    assert steps_made == []
    assert taken.taken_from == "first, a"
    assert sorted(map(str, again)) == sorted(str({**row, "arm": "b"}) for row in rows)


def test_it_is_kept_as_ones_own(run, steps_made, tmp_path):
    rows, _ = run("first", "a", twins=())
    run("second", "b")
    for file in (tmp_path / "first").rglob("*.state"):
        file.unlink()
    made = len(steps_made)
    again, resumed = run("second", "b")
    assert (len(steps_made), resumed.taken_from) == (made, "first, a")
    assert again == [{**row, "arm": "b"} for row in rows]
    _, third = run("third", "c", twins=("first", "second"))
    assert third.taken_from == "first, a", "who made it, not who took it over before"


def test_only_missing_seeds_are_trained(run, steps_made):
    run("first", "a", twins=(), seeds=(0,))
    made = len(steps_made)
    rows, taken = run("second", "b", seeds=(0, 1))
    assert len(steps_made) == 2 * made
    assert sorted(taken.models) == [0, 1]
    assert taken.taken_from is None, "the arm was trained here as well"
    alone, _ = run("third", "b", twins=(), seeds=(0, 1))
    assert rows == alone


def test_another_training_is_not_taken(run, steps_made):
    run("first", "a", twins=())
    made = len(steps_made)
    _, other = run("second", "b", rate=0.06)
    assert (len(steps_made), other.taken_from) == (2 * made, None)


@pytest.mark.parametrize(
    "change", [{"finished": False}, {"exact": False}, {"rows": 3}, {"settings": {}}, {"taken_from": ["somebody"]}]
)
def test_neither_half_a_training_nor_one_that_was_not_exact(run, tmp_path, change):
    run("first", "a", twins=())
    for folder in (tmp_path / "first" / "state" / "a").iterdir():
        tensors, meta = newest_state(folder)
        write_state(folder, 999, tensors, {**meta, **change})
    _, other = run("second", "b")
    assert other.taken_from is None


def test_a_damaged_one_is_named_and_trained_anew(run, tmp_path):
    run("first", "a", twins=(), seeds=(0,))
    for file in state_files(tmp_path / "first" / "state" / "a" / "seed-0"):
        file.write_bytes(file.read_bytes()[:-20])
    with pytest.warns(UserWarning, match=r"first.*damaged|damaged.*first"):
        _, other = run("second", "b", seeds=(0,))
    assert other.taken_from is None


def test_a_run_that_stands_alone_neither_asks_nor_tells(bars, recipe, make_small_net, tmp_path, monkeypatch):
    monkeypatch.setattr(saver_module, "identity_of", lambda *_: pytest.fail("hashed all of the data for nobody"))
    _, trained = collect(fit(make_small_net, bars, classification, recipe(), seeds=(0,),
                             prepare=Normalize((0.3,), (0.25,)), place=Place(state=tmp_path / "state")))  # fmt: skip
    assert trained.identities == {0: None}
    assert (tmp_path / "state").is_dir()
