"""Worker processes decode what is asked for, in order, tell what they cannot read, and end with their reader."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradlab.data import decoding, read_picture
from gradlab.data.decoding import PictureFiles, decoded
from gradlab.errors import DataUnavailableError, GradlabError


def pictures(folder: Path, count: int = 23) -> list[Path]:
    paths = [folder / f"ä {number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        colours = np.random.default_rng(number).integers(0, 256, (9, 7 + number % 3, 3), dtype=np.uint8)
        Image.fromarray(colours).save(path)
    return paths


def files_of(paths: list[Path], workers: int | None) -> PictureFiles:
    made = PictureFiles.of(paths, 6)
    return PictureFiles(made.paths, made.side, made.channels, workers)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_come_in_order_with_every_image_in_its_place(workers, tmp_path):
    paths = pictures(tmp_path)
    order = np.random.default_rng(0).permutation(len(paths))
    batches = [*np.split(order, [5, 10, 11, 16, 20]), np.array([3, 3])]
    found = list(decoded(files_of(paths, workers), batches))
    assert len(found) == len(batches) > decoding.AHEAD
    for images, rows in zip(found, batches, strict=True):
        expected = np.stack([read_picture(paths[row], 6).transpose(2, 0, 1) for row in rows])
        np.testing.assert_array_equal(images, expected)
    grey = next(decoded(files_of(paths, workers).grey(), [order[:4]]))
    np.testing.assert_array_equal(grey, found[0][:4, :1])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_file_is_named(workers, tmp_path):
    paths = pictures(tmp_path)
    paths[13].write_bytes(b"no image")
    batches = np.split(np.arange(20), 4)
    coming = decoded(files_of(paths, workers), batches)
    with pytest.raises(DataUnavailableError, match=f"cannot read the image {paths[13]}: it is no image of a known"):
        list(coming)


def children() -> set[int]:
    return {int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
class TestWorkers:
    def test_end_with_their_reader(self, tmp_path):
        before = children()
        coming = decoded(files_of(pictures(tmp_path), 2), np.split(np.arange(20), 10))
        next(coming)
        assert len(children() - before) == 2
        coming.close()
        assert children() == before
        list(decoded(files_of(pictures(tmp_path), 2), np.split(np.arange(20), 10)))
        assert children() == before

    def test_one_that_is_killed_is_told(self, tmp_path):
        before = children()
        coming = decoded(files_of(pictures(tmp_path), 2), np.split(np.arange(20), 10))
        next(coming)
        os.kill(max(children() - before), signal.SIGKILL)
        with pytest.raises(GradlabError, match="decodes images ended with code -9"):
            list(coming)
        assert children() == before

    def test_signals_for_all_processes_leave_them_working(self, tmp_path):
        before = children()
        coming = decoded(files_of(pictures(tmp_path), 2), np.split(np.arange(20), 10))
        next(coming)
        for worker in children() - before:
            os.kill(worker, signal.SIGTERM)
        assert len(list(coming)) == 9

    @pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "sys.exit()", "os._exit(3)"])
    def test_end_with_their_process_however_it_ends(self, end, tmp_path):
        pictures(tmp_path)
        script = (
            "import os, sys\nfrom pathlib import Path\nimport numpy as np\n"
            "from gradlab.data.decoding import PictureFiles, decoded\n"
            f"files = PictureFiles(PictureFiles.of(sorted(Path({str(tmp_path)!r}).glob('*.png')), 6).paths, 6, 3, 2)\n"
            "coming = decoded(files, np.split(np.arange(20), 10))\nnext(coming)\n"
            "print(Path(f'/proc/self/task/{os.getpid()}/children').read_text(), flush=True)\n" + end
        )
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
        workers = [int(word) for word in told.stdout.split()]
        assert len(workers) == 2, told.stderr
        deadline = time.monotonic() + 10
        while any(runs(worker) for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(runs(worker) for worker in workers)


def runs(process: int) -> bool:
    """Whether there is such a process that is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
