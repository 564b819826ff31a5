"""TensorBoard events of a run: scalars for each arm and seed, the network's graph, pictures of what it is fed."""

import contextlib
import io
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard._pytorch_graph import graph as trace_graph

from gradlab.errors import FileError
from gradlab.records import Row, slug

COORDINATES = ("arm", "seed", "epoch", "step", "split")


class Board:
    """Writes events below one folder; a resumed run starts it anew, since all its rows come again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[tuple[str, Any], SummaryWriter] = {}

    def add(self, row: Row) -> None:
        """Adds a row's measurements as scalars over steps where it has a step, else over epochs."""
        if "epoch" not in row:
            return
        writer = self._writer(str(row["arm"]), row["seed"])
        window = "step" in row
        for name, value in row.items():
            if name not in COORDINATES and isinstance(value, float):
                tag = f"{name}/{row['split']} (per step)" if window else f"{name}/{row['split']}"
                writer.add_scalar(tag, value, row["step"] if window else row["epoch"])

    def picture_inputs(self, arm: str, inputs: Tensor) -> None:
        """Adds a picture of a batch as the network sees it, stretched to the full range of brightness.

        Batches that are not images of one or three channels are left out.
        """
        if inputs.ndim != 4 or inputs.shape[1] not in (1, 3):
            return
        low, high = inputs.amin(), inputs.amax()
        self._writer(arm, "inputs").add_images("inputs", (inputs.float() - low) / (high - low).clamp(min=1e-6))

    def add_picture(self, arm: str, seed: int, name: str, png: bytes) -> None:
        """Adds a picture, given as the bytes of a PNG, to the events of a seed."""
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        self._writer(arm, seed).add_image(name, pixels, dataformats="HWC")

    def draw_graph(self, arm: str, model: nn.Module, inputs: Tensor) -> None:
        """Adds the network's graph; a network that cannot be traced is left out."""
        writer = self._writer(arm, "graph")
        with warnings.catch_warnings(), contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # the tracer warns about every branch on a shape
            with torch.no_grad():
                writer._get_file_writer().add_graph(trace_graph(model, inputs))

    def close(self) -> None:
        """Hands all events to the disk."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, arm: str, seed: object) -> SummaryWriter:
        key = (arm, seed)
        if key not in self._writers:
            if not self._writers:  # not before: what cannot go on leaves the events of an earlier session alone
                shutil.rmtree(self._folder, ignore_errors=True)
            try:
                self._writers[key] = SummaryWriter(str(self._folder / f"{slug(arm)}-{seed}"), flush_secs=10)
            except OSError as error:
                raise FileError(f"cannot write {self._folder}: {error.strerror or error}") from error
        return self._writers[key]
