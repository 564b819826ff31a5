"""Builds the embedded digits from the published table; see README.md beside this file.

Run: `python build_digits.py optdigits.tes .` (or the same table, gzipped)
"""

import csv
import gzip
import struct
import sys
from pathlib import Path

ROWS = 1797
SIDE = 8
BRIGHTEST = 16


def build(table: Path, folder: Path) -> None:
    """Writes the table's images (values 0 to 16, unscaled) and labels as two gzipped IDX files in `folder`.

    Raises:
        ValueError: the table has another number of rows, columns or another range.
    """
    content = table.read_bytes()
    text = (gzip.decompress(content) if table.suffix == ".gz" else content).decode()
    rows = [[int(cell) for cell in row] for row in csv.reader(text.splitlines())]
    if len(rows) != ROWS or any(len(row) != SIDE * SIDE + 1 for row in rows):
        raise ValueError(f"{table} must hold {ROWS} rows of {SIDE * SIDE + 1} numbers: got {len(rows)} rows")
    if not all(0 <= value <= BRIGHTEST for row in rows for value in row[:-1]):
        raise ValueError(f"{table} must hold pixels in 0..{BRIGHTEST}")
    pixels = b"".join(bytes(row[:-1]) for row in rows)
    labels = bytes(row[-1] for row in rows)
    _write(folder / "digits-images-idx3-ubyte.gz", struct.pack(">4B3I", 0, 0, 8, 3, ROWS, SIDE, SIDE) + pixels)
    _write(folder / "digits-labels-idx1-ubyte.gz", struct.pack(">4BI", 0, 0, 8, 1, ROWS) + labels)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
