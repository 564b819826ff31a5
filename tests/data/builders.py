"""Tiny files in the published formats, made byte by byte from their descriptions and not with the code under test."""

import gzip
import hashlib
import io
import struct
import tarfile
from pathlib import Path

import numpy as np

from gradlab.data.published import Content, Download, Published


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


def idx(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    )


def tar_gz(members: list[tuple[str | tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            if info.isreg():
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def mnist_files(seed: int = 0, train: int = 40, test: int = 10) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        "train-images-idx3-ubyte": draw.integers(0, 256, (train, 5, 4), dtype=np.uint8),
        "train-labels-idx1-ubyte": (np.arange(train) % 2).astype(np.uint8),
        "t10k-images-idx3-ubyte": draw.integers(0, 256, (test, 5, 4), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": (np.arange(test) % 2).astype(np.uint8),
    }


def tiny_mnist(base: str = "http://127.0.0.1:1/", **files: np.ndarray) -> tuple[Published, dict[str, bytes]]:
    """A dataset of 40 + 10 grey images laid out like MNIST, and what its server would send, by file name."""
    contents = {name: idx(array) for name, array in (files or mnist_files()).items()}
    packed = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in contents.items()}
    published = Published(
        name="mnist",
        title="Tiny",
        layout="idx",
        classes=("zero", "one"),
        shape=(1, 5, 4),
        images=40,
        validation=8,
        test=10,
        folders=("mnist", "MNIST/raw"),
        contents=tuple(Content(name, len(content), sha256(content)) for name, content in contents.items()),
        downloads=tuple(
            Download(f"mnist/{name}", len(content), md5(content), (f"{base}{name}",))
            for name, content in packed.items()
        ),
        packed=False,
        normalisation=((0.5,), (0.25,)),
        licence="none",
        url=base,
    )
    return published, packed


def cifar_records(labels: np.ndarray, pixels: np.ndarray, coarse: bool = False) -> bytes:
    head = b"\x07" if coarse else b""
    return b"".join(head + bytes([label]) + image.tobytes() for label, image in zip(labels, pixels, strict=True))


def cifar_arrays(seed: int, count: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return np.arange(count) % classes, draw.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)


def tiny_cifar(base: str = "http://127.0.0.1:1/") -> tuple[Published, dict[str, bytes], bytes]:
    """A dataset like CIFAR-10 with two batches of 30 and 20 test images: its description, files and archive."""
    files = {f"data_batch_{index}.bin": cifar_records(*cifar_arrays(index, 30)) for index in (1, 2)}
    files["test_batch.bin"] = cifar_records(*cifar_arrays(3, 20))
    # The test batch first: a reader must go by names, not by the archive's order.
    order = ["test_batch.bin", "data_batch_2.bin", "data_batch_1.bin"]
    archive = tar_gz([(f"cifar-10-batches-bin/{name}", files[name]) for name in order])
    published = Published(
        name="cifar10",
        title="Tiny",
        layout="cifar",
        classes=tuple("abcdefghij"),
        shape=(3, 32, 32),
        images=60,
        validation=10,
        test=20,
        folders=("cifar-10-batches-bin",),
        contents=tuple(Content(name, len(content), sha256(content)) for name, content in files.items()),
        downloads=(
            Download("cifar-10-binary.tar.gz", len(archive), sha256(archive), (f"{base}cifar-10-binary.tar.gz",)),
        ),
        packed=True,
        normalisation=((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        licence="none",
        url=base,
    )
    return published, files, archive


def put(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
