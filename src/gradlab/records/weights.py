"""Weights as plain safetensors files that any tool reads."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from gradlab.errors import FileError
from gradlab.records.files import make_folder, sha256_of_file, write_atomically


def write_weights(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Writes named arrays atomically and returns the SHA-256 of the file.

    Raises:
        FileError: the file cannot be written.
    """
    make_folder(path.parent)
    # safetensors may write the buffer as it lies in memory: a transposed view would be stored in the wrong order.
    # Not ascontiguousarray, which gives a single number (BatchNorm's batch count) an axis.
    write_atomically(path, save({name: np.asarray(array, order="C") for name, array in arrays.items()}))
    return sha256_of_file(path)


def read_weights(path: Path, *, sha256: str | None = None) -> dict[str, np.ndarray]:
    """The named arrays of a weights file.

    Args:
        path: a safetensors file.
        sha256: the digest recorded when the file was written; None skips the check.

    Raises:
        FileError: the file is missing, has another digest or is not a safetensors file.
    """
    if sha256 is not None and (found := sha256_of_file(path)) != sha256:
        raise FileError(f"{path} is damaged: its SHA-256 is {found[:12]}..., recorded {sha256[:12]}...")
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except KeyError as error:
        raise FileError(f"{path} holds numbers of type {error.args[0]}, which NumPy does not have") from error
    except (SafetensorError, ValueError) as error:
        raise FileError(f"{path} is damaged: {error}") from error
