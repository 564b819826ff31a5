import gzip
import runpy

import pytest

from gradlab.data.digits import FOLDER
from gradlab.data.idx import read_idx
from gradlab.data.stream import open_content

NAMES = ("digits-images-idx3-ubyte.gz", "digits-labels-idx1-ubyte.gz")
build = runpy.run_path(str(FOLDER / "build_digits.py"))["build"]


@pytest.fixture
def table() -> str:
    arrays = []
    for name in NAMES:
        with open_content(FOLDER / name) as source:
            arrays.append(read_idx(source))
    pixels, labels = arrays
    return "".join(
        ",".join(map(str, [*row, label])) + "\n" for row, label in zip(pixels.reshape(-1, 64), labels, strict=True)
    )


@pytest.mark.parametrize("packed", [True, False])
def test_builds_what_is_embedded(tmp_path, table, packed):
    source = tmp_path / ("optdigits.tes.gz" if packed else "optdigits.tes")
    source.write_bytes(gzip.compress(table.encode()) if packed else table.encode())
    build(source, tmp_path)
    for name in NAMES:
        # The compressed bytes may differ between versions of zlib.
        assert gzip.decompress((tmp_path / name).read_bytes()) == gzip.decompress((FOLDER / name).read_bytes())


def test_refuses_another_table(tmp_path, table):
    source = tmp_path / "optdigits.tes"
    source.write_text(table.replace("\n", "\n1,2\n", 1))
    with pytest.raises(ValueError, match="1797 rows of 65 numbers: got 1798"):
        build(source, tmp_path)
    source.write_text(table.replace("16", "17", 1))
    with pytest.raises(ValueError, match=r"pixels in 0\.\.16"):
        build(source, tmp_path)
