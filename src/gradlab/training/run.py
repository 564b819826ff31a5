"""What a command hands to an experiment: seeds, place and folder, none of which belongs to the question asked."""

import json
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gradlab import data, rng
from gradlab.augment import Transform
from gradlab.errors import FileError, UsageError
from gradlab.records import Row, RunFolder, read_sealed, slug, write_sealed, write_weights
from gradlab.training.board import Board
from gradlab.training.fit import AllDivergedError, Trained, fit
from gradlab.training.pretrained import Pretrained
from gradlab.training.recipe import Recipe
from gradlab.training.recorded import recorded_recipe
from gradlab.training.task import Measure, Objective, Place

DRY_SAMPLES = 64
BOARD_PICTURES = 16
CLASSES_NAMED = 5
NOT_EXACT = "not exact"
"""What a run remembers once a resume was not exact."""
SPENT = "seconds so far"
"""Under which name it remembers how long all sessions took up to one that was interrupted."""


@dataclass(slots=True)
class Run:
    """The seeds, the place and the folder of one run, and what is noted on the way.

    Args:
        seeds: each arm is trained once with each.
        together: the way seeds run together; see `fit`.
        place: device, precision, compilation, threads.
        folder: where weights, arrays and state go; None keeps nothing.
        data_root: where datasets are; None is the usual order of places.
        offline: refuses to download.
        framing: how the images of a folder become square; see `gradlab.data.load_folder`.
        image_memory: gigabytes above which the images of a folder stay in their files; see `gradlab.data.load_folder`.
        download_progress: is told how far a download is; see `gradlab.data.show_progress`.
        tell: is told what was loaded, a line for each dataset; None tells nobody.
        board: gets the graph of each network and a picture of its inputs; None for no TensorBoard.
        facts: filled by the run: "data" (name, digest, shape), "arms" (name -> parameters, way, seconds, weights).
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    together: str = "auto"
    place: Place = field(default_factory=Place)
    folder: RunFolder | None = None
    data_root: Path | None = None
    offline: bool = False
    framing: data.Framing = "crop"
    image_memory: float = data.IMAGE_MEMORY
    board: Board | None = None
    download_progress: data.Progress | None = None
    tell: Callable[[str], None] | None = None
    facts: dict[str, Any] = field(default_factory=lambda: {"data": {}, "arms": {}})

    def load(
        self,
        name: str,
        *,
        side: int | None = None,
        unlabelled: bool = False,
        normalisation: tuple[Sequence[float], Sequence[float]] | None = None,
    ) -> data.Splits:
        """The splits of a dataset, resized to `side` x `side` where that is given, and notes what was loaded.

        Images without labels are read if `unlabelled` is set, where there are some. In a dry run the splits are cut to
        a few images after their true sizes are noted. `normalisation` says by which mean and deviation networks are
        given these images, for those who show them further pictures; the train split's own where it is left out.

        Raises:
            UsageError: the name is unknown.
            DataUnavailableError: the data is missing, damaged or out of reach.
        """
        with self.place.ranks.one_before_others():
            splits = data.load(
                name,
                root=self.data_root,
                offline=self.offline,
                progress=self.download_progress,
                image_size=side if name.startswith("folder:") else None,
                unlabelled=unlabelled,
                framing=self.framing,
                image_memory=self.image_memory,
            )
        digest = splits.digest() if self.folder is not None or not self.place.dry else None
        self._hold_to(f"data {splits.name}", digest)
        if side is not None:
            splits = data.resized(splits, side)
        mean, deviation = normalisation or splits.normalisation
        self.facts["data"] = {
            "name": splits.name,
            "sha256": digest,
            "shape": list(splits.train.pixels.shape[1:]),
            "classes": list(splits.train.classes),
            "sizes": {part: len(getattr(splits, part)) for part in ("train", "validation", "test")},
            **({"framing": self.framing} if name.startswith("folder:") else {}),
            "mean": list(mean),
            "standard_deviation": list(deviation),
        }
        if self.tell is not None:
            self.tell(_loaded(splits))
        if self.place.dry:
            few = torch.arange(DRY_SAMPLES)
            cut = {part: getattr(splits, part) for part in ("validation", "test")}
            splits = replace(splits, **{part: images.take(few[: len(images)]) for part, images in cut.items()})
        return splits

    def describe_data(
        self, name: str, *, kind: str, shape: Sequence[int], classes: Sequence[str], sizes: Mapping[str, int]
    ) -> None:
        """Notes data that an experiment made itself.

        Args:
            name: what the data is called.
            kind: what one sample is, as a plural, such as "points".
            shape: of one sample.
            classes: what a label can be.
            sizes: part -> samples.
        """
        self.facts["data"] = {
            "name": name,
            "kind": kind,
            "shape": list(shape),
            "classes": list(classes),
            "sizes": dict(sizes),
        }

    def fit(
        self,
        arm: str,
        make_model: Callable[[], nn.Module],
        examples: tuple[Tensor, Tensor],
        objective: Objective,
        recipe: Recipe,
        *,
        prepare: Transform | None = None,
        measure: Mapping[str, Measure] | None = None,
        may_diverge: bool = False,
    ) -> Generator[Row, None, Trained]:
        """Trains an arm with this run's seeds at this run's place; see `gradlab.training.fit`.

        A seed that diverges makes the command fail in the end, unless it `may_diverge` as part of the question. Seeds
        for which a `Pretrained` network has no weights are left out: they have diverged before.
        """
        for other in self.facts["arms"]:
            if slug(arm).lower() == slug(other).lower():
                raise UsageError(f"the arms '{other}' and '{arm}' would share their files: name one of them otherwise")
        if told := recipe.too_few_steps(len(examples[0])):
            warnings.warn(f"{arm}: {told}", stacklevel=2)
        if self.board is not None:
            self._show(self.board, arm, make_model(), examples[0][:BOARD_PICTURES], prepare)
        try:
            trained = yield from fit(
                make_model,
                examples,
                objective,
                recipe,
                seeds=make_model.among(self.seeds) if isinstance(make_model, Pretrained) else self.seeds,
                together=self.together,
                arm=arm,
                prepare=prepare,
                measure=measure,
                place=self.place,
            )
        except AllDivergedError as error:
            trained = error.trained  # the other arms go on; the command ends with exit code 1
        self.facts["arms"][arm] = {
            "parameters": trained.parameters,
            "way": trained.way.name,
            "why": trained.way.reason,
            "compiled": trained.compiled,
            "exact": trained.exact,
            "identities": trained.identities,
            "taken_from": trained.taken_from,
            "seconds": trained.seconds,
            "step_seconds": trained.step_seconds,
            "diverged": trained.diverged,
            "may_diverge": may_diverge,
            "measured": list(measure or ()),
            "best_epochs": trained.best_epochs,
            "weights": self._keep_weights(trained),
            "recipe": recorded_recipe(recipe, len(examples[0]), objective, prepare),
        }
        return trained

    def keep_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes named arrays to the run's folder, if it has one.

        Raises:
            FileError: they cannot be written.
        """
        if self.folder is not None:
            self.folder.write_arrays(name, **arrays)

    def show_picture(self, arm: str, seed: int, name: str, png: bytes) -> None:
        """Adds a picture to a seed's events, if there is a TensorBoard."""
        if self.board is not None:
            self.board.add_picture(arm, seed, name, png)

    def _show(self, board: Board, arm: str, model: nn.Module, inputs: Tensor, prepare: Transform | None) -> None:
        if prepare is not None:
            draws = torch.rand(len(inputs), prepare.uniforms, generator=rng.generator(self.seeds[0], "board"))
            inputs = prepare(inputs, draws)
        board.picture_inputs(arm, inputs)
        board.draw_graph(arm, model.eval(), inputs[:1].float())

    def remember(self, name: str, measure: Callable[[], Any]) -> Any:
        """A JSON value that need not come out the same twice (a timing): taken once, read back by a resumed run.

        Several processes all measure, or none does, and go on with what the first one found.

        Raises:
            FileError: it cannot be written or read.
        """
        ranks = self.place.ranks
        known = {} if self.folder is None else self._remembered(self.folder)
        if ranks.value_of_first(name in known):
            return ranks.value_of_first(known.get(name))
        value = ranks.value_of_first(measure())
        if self.folder is not None:
            self._keep(self.folder, name, value)
        return value

    def not_exact(self) -> None:
        """Keeps for good that this run was resumed under other conditions; see `remembers`."""
        if self.folder is not None and not self.remembers(NOT_EXACT):
            self._keep(self.folder, NOT_EXACT, value=True)

    def remembers(self, name: str) -> bool:
        """Whether `remember` was called for this name, in this session or an earlier one."""
        return self.folder is not None and name in self._remembered(self.folder)

    @property
    def spent(self) -> float:
        """Seconds of all sessions up to the latest that was interrupted; one that was killed could not say."""
        return 0.0 if self.folder is None else self._remembered(self.folder).get(SPENT, 0.0)

    def note_spent(self, seconds: float) -> None:
        """Keeps how long all sessions took so far, for `spent` to say."""
        if self.folder is not None:
            self._keep(self.folder, SPENT, seconds)

    def _keep(self, folder: RunFolder, name: str, value: Any) -> None:
        write_sealed(folder.remembered, json.dumps({**self._remembered(folder), name: value}).encode())

    def _remembered(self, folder: RunFolder) -> dict[str, Any]:
        """What an earlier session measured; if that is damaged, a warning, and no claim of an exact resume."""
        if not folder.remembered.exists():
            return {}
        try:
            return json.loads(read_sealed(folder.remembered))
        except FileError as error:
            warnings.warn(f"{error}; what it held is measured again, and the result is not exact", stacklevel=2)
            return {NOT_EXACT: True}

    def _hold_to(self, what: str, digest: str | None) -> None:
        """Refuses to go on with other data than the run began with."""
        before = self.remember(what, lambda: digest)
        if before != digest:
            raise FileError(
                f"the {what} has changed since this run began (SHA-256 {before} then, {digest} now): "
                "put the old one back, or start a new run"
            )

    def _keep_weights(self, trained: Trained) -> dict[str, str]:
        if self.folder is None:
            return {}
        digests = {}
        for seed, model in trained.models.items():
            arrays = {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}
            path = self.folder.weights(trained.arm, seed)
            digests[str(path.relative_to(self.folder.path))] = write_weights(path, arrays)
        return digests


def _loaded(splits: data.Splits) -> str:
    """One line on a dataset: its classes, the size of its images, how many there are, and where they are kept."""
    classes = splits.train.classes
    named = ", ".join(classes[:CLASSES_NAMED]) + ", ..." * (len(classes) > CLASSES_NAMED)
    parts = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    sizes = ", ".join(f"{len(images):,} of {part}" for part, images in parts.items())
    further = "" if splits.unlabelled is None else f", {len(splits.unlabelled):,} without labels"
    channels, height, width = splits.train.pixels.shape[1:]
    colours = "in grey" if channels == 1 else "in colour"
    kept = ", read from their files at every epoch" * isinstance(splits.train.pixels, data.StreamedPixels)
    return (
        f"data: {splits.name}, {len(classes)} classes ({named}), {width} x {height} {colours}: {sizes}{further}{kept}"
    )
