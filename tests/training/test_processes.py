"""Processes that train one seed after another: all cores busy, rows in order, and nothing begun that cannot end."""

import os
import signal
import time
import warnings
from collections import defaultdict

import pytest
import torch

from gradlab import rng
from gradlab.errors import GradlabError, InterruptedRunError
from gradlab.objectives import classification
from gradlab.training import Place, Stop, collect, fit, processes
from gradlab.training.processes import waves_of


@pytest.mark.parametrize("cores", [1, 2, 4, 16])
@pytest.mark.parametrize("seeds", range(1, 40))
def test_waves_keep_all_cores_busy(seeds, cores):
    """Seeds take as long in all as if they could be cut into pieces for the cores, and one alone takes its own time."""
    waves = waves_of(seeds, cores)
    assert sum(waves) == seeds
    assert all(1 <= size < 2 * cores for size in waves)
    assert sum(max(1, size / cores) for size in waves) == max(1, seeds / cores)


def test_three_seeds_share_two_cores():
    assert waves_of(3, 2) == (3,)
    assert waves_of(8, 2) == (2, 2, 2, 2)
    assert waves_of(7, 2) == (2, 2, 3)


@pytest.fixture
def trained(bars, recipe, make_small_net, normalize, tmp_path):
    """Trains in processes and tells which one trained which seeds."""

    def training(seeds, *, workers=2, measure=None, **place):
        told = tmp_path / "told"
        told.mkdir(exist_ok=True)

        def note(model):
            (told / f"{os.getpid()}-{len(list(told.iterdir()))}-{os.urandom(4).hex()}").touch()
            return measure(model) if measure else {"accuracy": 0.0}

        def makers():
            by_process = defaultdict(int)
            for file in told.iterdir():
                by_process[file.name.split("-")[0]] += 1
            return sorted(by_process.values())

        run = fit(make_small_net, bars, classification, recipe(epochs=2), seeds=seeds, together="processes",
                  prepare=normalize, measure={"validation": note}, place=Place(workers=workers, **place))  # fmt: skip
        return run, makers

    return training


def test_a_process_goes_on_with_the_next_seed(trained):
    run, makers = trained(range(6))
    collect(run)
    measured = makers()
    assert len(measured) == 2, "two cores, two processes"
    assert sum(measured) == 6 * 2
    assert all(count % 2 == 0 for count in measured), "every seed from its first epoch to its last"


def test_a_seed_that_is_left_over_shares_the_cores(trained):
    run, makers = trained(range(3))
    collect(run)
    assert makers() == [2, 2, 2], "three processes at once, not two and then one"
    run, makers = trained(range(5))
    collect(run)
    assert len(makers()) == 3 + 3


@pytest.mark.parametrize("count", [3, 5, 8])
def test_rows_do_not_tell_who_was_first(bars, recipe, make_small_net, normalize, count):
    seeds = tuple(range(count))

    def rows(together):
        return collect(fit(make_small_net, bars, classification, recipe(epochs=2), seeds=seeds, together=together,
                           prepare=normalize, place=Place(workers=2)))[0]  # fmt: skip

    found, begin = rows("processes"), 0
    assert sorted(map(str, found)) == sorted(map(str, rows("in a row"))), "bit for bit, after another seed as well"
    for size in waves_of(count, 2):
        wave = seeds[begin : begin + size]
        told = [(row["epoch"], row["seed"]) for row in found[2 * begin : 2 * (begin + size)]]
        assert told == [(epoch, seed) for epoch in (1, 2) for seed in wave]
        begin += size


@pytest.mark.parametrize("error", [RuntimeError, EOFError])  # the end of a pipe is an EOFError, too
def test_after_a_failure_that_is_told_no_further_seed_is_begun(trained, error):
    def fail(_model):
        raise error("on fire")

    run, makers = trained(range(8), measure=fail)
    with pytest.raises(GradlabError, match=f"seed 0: {error.__name__}: on fire"):
        collect(run)
    assert sum(makers()) <= 2


def test_a_process_that_is_killed_before_it_hears_of_its_next_seed_is_named(trained, monkeypatch):
    give = processes._Crew._give_next

    def killed_first(crew, worker):
        worker.process.kill()
        worker.process.join()
        give(crew, worker)

    monkeypatch.setattr(processes._Crew, "_give_next", killed_first)
    run, _makers = trained(range(4))
    with pytest.raises(GradlabError, match=r"the process of seed [23] was killed by SIGKILL"):
        collect(run)


def test_a_killed_process_is_named_by_the_seed_it_was_at(trained):
    parent = os.getpid()

    def fall(_model):
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"accuracy": 0.0}

    run, _makers = trained((4, 5, 6), measure=fall)
    with pytest.raises(GradlabError, match=r"the process of seed 4 was killed by SIGKILL \(out of memory\?\)"):
        collect(run)


def test_asked_to_stop_it_begins_with_no_further_seed(trained, tmp_path):
    stop = Stop()
    run, _makers = trained(range(8), stop=stop, state=tmp_path / "state")
    next(run)
    stop.request(signal.SIGTERM)
    with pytest.raises(InterruptedRunError):
        collect(run)
    begun = len(list((tmp_path / "state" / "model").iterdir()))
    assert begun < 8
    rows, _ = collect(trained(range(8), state=tmp_path / "state")[0])
    alone, _ = collect(trained(range(8))[0])
    assert rows == alone, "what was begun goes on, and the rest begins"


def test_asked_to_stop_also_the_next_waves_seed_is_saved(trained, tmp_path):
    """Seed 0 is done, its process is at seed 2, and seed 1 stops first: seed 2 must save as well."""
    stop, parent = Stop(), os.getpid()
    told = tmp_path / "at seed 2"

    def at(seed):
        return os.getpid() != parent and torch.initial_seed() == rng.derive(seed, "measure validation 1")

    def slow(_model):
        if at(1):
            end = time.monotonic() + 20
            while not told.exists() and time.monotonic() < end:
                time.sleep(0.01)
        elif at(2):
            stop.request(signal.SIGTERM)
            told.touch()
            time.sleep(1.0)
        return {"accuracy": 0.0}

    run, _makers = trained(range(4), measure=slow, stop=stop, state=tmp_path / "state", save_seconds=1000)
    with pytest.raises(InterruptedRunError):
        collect(run)
    assert told.exists()
    assert list((tmp_path / "state" / "model" / "seed-2").iterdir()), "it was given time to save"


def test_warnings_of_processes_are_heard_by_the_parent(trained):
    def warn(_model):
        warnings.warn("validation is dark", stacklevel=1)
        return {"accuracy": 0.0}

    run, _makers = trained((0, 1), measure=warn)
    with pytest.warns(UserWarning, match="^validation is dark$") as heard:
        collect(run)
    assert len(heard) == 4, "two seeds, two epochs"
