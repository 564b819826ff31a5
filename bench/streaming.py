"""Does a folder of JPEG files stream as fast as the cores decode, and does memory stay where it is over the epochs?

Files are made in a temporary folder, of the size that is wanted, where nothing hides what gradlab adds to decoding, and
larger, though not so large (four times the wanted side) that gradlab decodes a part of them only. Then, in turn: what
one process, and one process a core, decode of them by Pillow's own calls (open, convert, resize), each process its
share of the files and nothing between them; and what comes out of gradlab's stream, in shuffled batches, with the same
number of processes. The stream is measured by itself and while a small network trains on it; in wall time, and in
processor time of all processes together, which says more where other programs keep the cores busy. Memory is what this
process and its workers hold that no other one does.
Run: `python -m bench.streaming`; the full size: `python -m bench.streaming --files 200000`
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from bench.record import medians, write
from gradlab.augment import Normalize
from gradlab.data import StreamedPixels, load_folder
from gradlab.objectives import classification
from gradlab.records.environment import available_cores
from gradlab.training import Recipe, fit

CLASSES = 10
BATCH = 128
TICK = 0.05


def make_files(folder: Path, count: int, source: int) -> None:
    """So many JPEG files of smooth noise: quality 90 of what compresses about as well as photographs do."""
    draw = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(draw.integers(0, 256, (source // 4, source // 4, 3), dtype=np.uint8))
        place = folder / f"class {number % CLASSES}"
        place.mkdir(exist_ok=True)
        coarse.resize((source, source), Image.Resampling.BICUBIC).save(place / f"{number:06}.jpg", quality=90)


def decode(paths: list[str], side: int) -> None:
    for path in paths:
        with Image.open(path) as image:
            np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))


def bare(paths: list[str], side: int, processes: int) -> None:
    """Decodes all files in forked processes, each its share."""
    fork = multiprocessing.get_context("fork")
    started = [fork.Process(target=decode, args=(paths[first::processes], side)) for first in range(processes)]
    for process in started:
        process.start()
    for process in started:
        process.join()


def stream(pixels: StreamedPixels) -> None:
    """Reads every image once, in shuffled batches."""
    for _images in pixels.stream(torch.randperm(len(pixels)).split(BATCH)):
        pass


def clocks() -> tuple[float, float]:
    """Seconds on the wall, and of all processor time of this process and the children that have ended."""
    return time.perf_counter(), sum(os.times()[:4])


class Memory:
    """The most bytes that this process and its workers have held, of each epoch."""

    def __init__(self) -> None:
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(TICK):
            self.peak = max(self.peak, held())

    def take(self) -> int:
        """The peak since the last call."""
        peak, self.peak = self.peak, 0
        return peak

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def held() -> int:
    """Bytes of this process and its children, shared ones divided among those that share them."""
    me = os.getpid()
    total = 0
    for process in [me, *map(int, Path(f"/proc/{me}/task/{me}/children").read_text().split())]:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended
        # Not of files: what a library's pages cost depends on how many other programs use it.
        total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return total


def train(pixels: StreamedPixels, labels: torch.Tensor, memory: Memory, epochs: int) -> tuple[list[float], list[int]]:
    """Seconds and peak of memory of each epoch of a linear classifier."""
    recipe = Recipe(epochs=epochs, batch_size=BATCH, optimizer=partial(torch.optim.SGD, lr=0.001))
    network = nn.Sequential(nn.Flatten(), nn.Linear(pixels[:1].numel(), CLASSES))
    seconds, peaks, begin = [], [], time.perf_counter()
    for _row in fit(lambda: network, (pixels, labels), classification, recipe, seeds=(0,), together="in a row",
                    prepare=Normalize((0.5,) * 3, (0.25,) * 3)):  # fmt: skip
        seconds.append(time.perf_counter() - begin)
        peaks.append(memory.take())
        begin = time.perf_counter()
    return seconds, peaks


def measured(folder: Path, source: int, options: argparse.Namespace) -> dict[str, object]:
    """Seconds of each way to read a folder of files of so many pixels a side, and a training's times and memory."""
    cores, side = available_cores(), options.side
    make_files(folder, options.files, source)
    begin = time.perf_counter()
    splits = load_folder(folder, image_size=side, image_memory=0)
    surveyed = time.perf_counter() - begin
    pixels = splits.train.pixels
    assert isinstance(pixels, StreamedPixels)
    paths = [os.fsdecode(pixels._files.paths[row]) for row in pixels._rows]
    known = f"bare, {cores} processes"
    wall, processor = timed(options.rounds, {
        "bare, 1 process": lambda: bare(paths, side, 1),
        known: lambda: bare(paths, side, cores),
        "stream": lambda: stream(pixels),
    })  # fmt: skip
    memory = Memory()
    epochs, peaks = train(pixels, splits.train.labels, memory, options.epochs)
    memory.stop()
    rates = {way: len(paths) / found for way, found in medians(wall).items()}
    each = {way: len(paths) / found for way, found in medians(processor).items()}
    rates["training"] = len(paths) / statistics.median(epochs)
    return {
        "files": options.files, "side": side, "source": source, "seconds": wall, "processor_seconds": processor,
        "images_per_second": rates, "images_per_processor_second": each,
        "share_of_bare": {"wall": rates["stream"] / rates[known], "processor": each["stream"] / each[known]},
        "first_pass_seconds": surveyed, "epoch_seconds": epochs, "epoch_peak_bytes": peaks,
        "decoded_bytes": len(paths) * 3 * side**2,
    }  # fmt: skip


def timed(rounds: int, ways: Mapping[str, Callable[[], None]]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of each way, round by round, on the wall and of all processors."""
    wall: dict[str, list[float]] = {way: [] for way in ways}
    processor: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, work in ways.items():
            before = clocks()
            work()
            for times, start, end in zip((wall, processor), before, clocks(), strict=True):
                times[way].append(end - start)
    return wall, processor


def main() -> None:
    """Makes the files, measures, writes the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=64, help="of the decoded images, in pixels")
    parser.add_argument("--sources", type=int, nargs="+", default=[64, 200], help="sides of the images in the files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    found = {}
    for source in options.sources:
        with tempfile.TemporaryDirectory() as name:
            about = found[f"{source} x {source}"] = measured(Path(name), source, options)
        print(
            f"{source} x {source}: stream to bare {about['share_of_bare']}, memory by epoch {about['epoch_peak_bytes']}"
        )
    print(write("streaming", {"processes": available_cores(), "sources": found}))


if __name__ == "__main__":
    main()
