"""Training one arm for all its seeds: the one call that experiments make."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from gradlab.augment import Transform, draws_for_the_batch
from gradlab.data import StreamedPixels
from gradlab.errors import DivergedError, UsageError
from gradlab.records import Row
from gradlab.training.agreement import same_ground
from gradlab.training.arithmetic import computing_threads
from gradlab.training.compiled import choose_compilation
from gradlab.training.learner import Training
from gradlab.training.loop import train
from gradlab.training.processes import train_in_processes
from gradlab.training.ranks import Ranks
from gradlab.training.recipe import Recipe
from gradlab.training.saver import groups_to_stack, saved_kinds, start
from gradlab.training.share import Share
from gradlab.training.signals import Stop
from gradlab.training.solo import Solo
from gradlab.training.stack import Stack
from gradlab.training.stacked_rows import has_small_steps
from gradlab.training.task import Measure, Objective, Place, Task
from gradlab.training.together import Way, choose_way
from gradlab.training.worker import description


@dataclass(slots=True)
class Trained:
    """What training one arm ends with.

    Args:
        arm: its name.
        models: seed -> the network with its selected weights, in evaluation mode; a diverged seed has none.
        best_epochs: seed -> the epoch of the selected weights, None where the last epoch's were kept.
        diverged: seed -> why it stopped.
        parameters: trainable numbers of the network.
        way: how the seeds ran together.
        compiled: whether steps were compiled, and why, in one line.
        exact: whether every resume along the way happened with the versions and threads of the beginning.
        identities: seed -> its training's identity, None where it is in no group; see `identity.identity_of`.
        taken_from: the run and the arm of the same group that made all of these very trainings; else None.
        seconds: wall time of the training in all sessions; of processes that were read back, that of the longest seed.
        step_seconds: of one optimiser step, once warm; None where the training was read back or ran in processes.
    """

    arm: str
    parameters: int
    way: Way
    compiled: str = "off"
    models: dict[int, nn.Module] = field(default_factory=dict)
    best_epochs: dict[int, int | None] = field(default_factory=dict)
    diverged: dict[int, str] = field(default_factory=dict)
    exact: bool = True
    identities: dict[int, str | None] = field(default_factory=dict)
    taken_from: str | None = None
    seconds: float = 0.0
    step_seconds: float | None = None


class AllDivergedError(DivergedError):
    """No seed of an arm has a network to show; `trained` holds why."""

    def __init__(self, message: str, trained: Trained) -> None:
        super().__init__(message)
        self.trained = trained


def fit(
    make_model: Callable[[], nn.Module],
    examples: tuple[Tensor, Tensor],
    objective: Objective,
    recipe: Recipe,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    together: str = "auto",
    arm: str = "model",
    prepare: Transform | None = None,
    measure: Mapping[str, Measure] | None = None,
    place: Place | None = None,
) -> Generator[Row, None, Trained]:
    """Trains one network for each seed; yields a row for each measurement and returns the trained networks.

    Write `trained = yield from fit(...)` inside a generator of rows, or `rows, trained = collect(fit(...))`.
    A seed's result depends neither on the seeds beside it nor on the way they run together: bit for bit within a way,
    to rounding between ways.

    Args:
        make_model: builds the network; torch's initialisers draw from the seed's own stream. See also `Pretrained`.
        examples: inputs [samples, ...] and targets [samples, ...] of the train split.
        objective: (model, inputs, targets) -> (mean loss, sums over the batch of further metrics).
        recipe: epochs, batch size, optimiser, schedule, regularisation, selection.
        seeds: one replica each.
        together: "processes", "stacked", "in a row", or "auto".
        arm: the name under which rows and states are kept.
        prepare: turns a batch of inputs into what the network takes; see `gradlab.augment`.
        measure: split name -> what is measured on it after each epoch.
        place: device, precision, compilation, threads, where the state is kept.

    Raises:
        UsageError: no seed, a repeated one, a batch larger than the data, an unknown or impossible way.
        DivergedError: the loss of every seed became infinite or not a number.
        InterruptedRunError: a signal asked to stop; the state is saved.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise UsageError(f"seeds must be different numbers, at least one: got {list(seeds)}")
    place = place or Place()
    inputs, targets = (tensor if isinstance(tensor, StreamedPixels) else tensor.to(place.device) for tensor in examples)
    task = Task(
        arm=arm,
        make_model=make_model,
        inputs=inputs,
        targets=targets,
        objective=objective,
        recipe=recipe,
        prepare=prepare,
        measure=measure or {},
        place=place,
    )
    _refuse_impossible(task)
    probe = make_model()
    _refuse_tied_weights(probe)
    way = _way_to_train(together, task, len(seeds), probe)
    trained = Trained(arm, sum(p.numel() for p in probe.parameters() if p.requires_grad), way)
    begin = time.perf_counter()
    with computing_threads(place.threads), place.stop.deferred():
        compilation = choose_compilation(place, recipe.epochs * task.steps_per_epoch)
        trained.compiled = compilation.told()
        task = replace(task, place=replace(place, compile="on" if compilation.on else "off"))
        yield from _train_all(task, tuple(seeds), trained)
    trained.seconds = max(trained.seconds, time.perf_counter() - begin)
    if trained.diverged and not trained.models:
        seed, why = next(iter(trained.diverged.items()))
        message = f"'{arm}' diverged for every seed; seed {seed}: {why}; try a lower learning rate"
        raise AllDivergedError(message, trained)
    return trained


def collect(training: Generator[Row, None, Trained]) -> tuple[list[Row], Trained]:
    """All rows and the result of a `fit`."""
    rows = []
    while True:
        try:
            rows.append(next(training))
        except StopIteration as end:
            return rows, end.value


def _way_to_train(together: str, task: Task, seeds: int, model: nn.Module) -> Way:
    """The way of `choose_way`; by "auto", seeds that were begun in a stack, or each on its own, go on as they were."""
    saved, place, recipe = saved_kinds(task), task.place, task.recipe
    if together == "auto" and Stack.kind in saved and place.ranks.count == 1:
        together = "stacked"
    small = Solo.kind not in saved and has_small_steps(model, task.objective, task.prepare, recipe.batch_size)
    return choose_way(together, place, seeds, model, recipe.optimizer(model.parameters()), small_steps=small)


def _train_all(task: Task, seeds: tuple[int, ...], trained: Trained) -> Iterator[Row]:
    first: dict[str, Any] = {}

    def keep(seed: int, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
        first.update(first or about["fingerprint"])
        trained.exact &= same_ground(first, about["fingerprint"])
        _keep(task, trained, seed, weights, about)

    if trained.way.name == "processes":
        yield from train_in_processes(task, seeds, trained.way.waves, keep)
        return
    heard = task.place.stop
    if task.place.ranks.count > 1:  # the loop stops at what all processes agreed on, not at what this one heard first
        task = replace(task, place=replace(task.place, stop=Stop()))
    groups = [(Solo.kind, (seed,)) for seed in seeds]
    if trained.way.name == "stacked":
        groups = groups_to_stack(task, seeds)
        trained.exact &= len(groups) == 1  # other stacks, other rounding
    spent = 0.0
    for kind, group in groups:
        learner = Stack(task, group) if kind == Stack.kind else _one_seed(task, group[0], heard)
        training: Training = start(task, learner)
        yield from train(task, training)
        spent += training.seconds
        trained.step_seconds = training.step_seconds
        for replica, seed in enumerate(group):
            keep(seed, training.selected(replica), description(training, replica))
    trained.seconds = max(trained.seconds, spent)


def _one_seed(task: Task, seed: int, heard: Stop) -> Solo:
    return Solo(task, seed) if task.place.ranks.count == 1 else Share(task, seed, heard)


def _refuse_impossible(task: Task) -> None:
    recipe = task.recipe
    recipe.steps_per_epoch(len(task.inputs))
    _refuse_unshared(recipe, len(task.inputs), task.prepare, task.place.ranks)
    if recipe.select is not None and recipe.select.split not in task.measure:
        raise UsageError(
            f"select watches '{recipe.select.split}', which is not among the measured {sorted(task.measure)}"
        )


def _refuse_unshared(recipe: Recipe, samples: int, prepare: Transform | None, ranks: Ranks) -> None:
    """Several processes must have equal shares of every batch, and no draw that is for all of it."""
    if ranks.count == 1:
        return
    if prepare is not None and draws_for_the_batch(prepare):
        raise UsageError("a transform draws once for its whole batch, which processes cannot share: use one process")
    ranks.refuse_uneven({"a batch": recipe.batch_size})
    if not recipe.drop_last:
        ranks.refuse_uneven({"the last batch of an epoch": samples % recipe.batch_size})


def _keep(task: Task, trained: Trained, seed: int, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
    trained.exact &= about["exact"]
    if trained.compiled.startswith("on") and about["fingerprint"].get("compiled") == "no":
        trained.compiled += f"; not of seed {seed}, where the compiler failed"
    trained.identities[seed] = about["identity"]
    first = len(trained.identities) == 1
    trained.taken_from = about["taken_from"] if first or trained.taken_from == about["taken_from"] else None
    trained.seconds = max(trained.seconds, about["seconds"])
    trained.best_epochs[seed] = about["best_epoch"]
    if about["diverged"] is not None:
        trained.diverged[seed] = about["diverged"]
        return
    model = task.make_model().to(device=task.place.device, dtype=task.place.dtype)
    model.load_state_dict(weights)
    trained.models[seed] = model.eval()


def _refuse_tied_weights(model: nn.Module) -> None:
    """Weights that two layers share would be saved, stacked and counted twice."""
    owners: dict[int, str] = {}
    for name, tensor in model.state_dict().items():
        if tensor.numel() and owners.setdefault(tensor.data_ptr(), name) != name:
            raise UsageError(
                f"'{owners[tensor.data_ptr()]}' and '{name}' share their numbers: tied weights cannot be trained"
            )
