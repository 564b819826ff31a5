import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.data import Images, picture_grid, save_picture_grid
from gradlab.errors import FileError


def numbered(count: int = 12, classes: int = 3, channels: int = 1) -> Images:
    """Images of 4x4 whose grey value is 10 times their position plus 5."""
    pixels = (torch.arange(count) * 10 + 5).to(torch.uint8)[:, None, None, None].expand(count, channels, 4, 4)
    return Images(pixels.contiguous(), torch.arange(count) % classes, tuple("abcdefgh"[:classes]))


def cells(sheet: np.ndarray, side: int, gap: int) -> list[list[int]]:
    """The value in the middle of every cell; 255 is paper."""
    step = side + gap
    return sheet[side // 2 :: step, side // 2 :: step, 0].tolist()


def test_one_row_a_class_in_class_order():
    sheet = picture_grid(numbered(), columns=4, scale=1)
    assert sheet.shape == (3 * 4 + 2, 4 * 4 + 3, 3)
    positions = [[(value - 5) // 10 for value in row] for row in cells(sheet, 4, 1)]
    assert [{position % 3 for position in row} for row in positions] == [{0}, {1}, {2}]
    assert sorted(position for row in positions for position in row) == list(range(12))


def test_a_small_class_leaves_paper():
    rows = cells(picture_grid(numbered(count=5), columns=4, scale=1), 4, 1)
    assert [row.count(255) for row in rows] == [2, 2, 3]


def test_a_count_fills_rows_without_regard_to_classes():
    rows = cells(picture_grid(numbered(), columns=5, count=7, scale=1), 4, 1)
    assert [row.count(255) for row in rows] == [0, 3]
    drawn = [value for row in rows for value in row if value != 255]
    assert len(set(drawn)) == 7


def test_unlabelled_images_make_a_plain_grid():
    some = numbered()
    plain = Images(some.pixels, torch.full((12,), -1), ())
    assert np.array(cells(picture_grid(plain, columns=3, scale=1), 4, 1)).shape == (3, 3)


def test_the_seed_decides_and_repeats():
    one, same, other = (picture_grid(numbered(), columns=2, seed=seed) for seed in (0, 0, 3))
    assert (one == same).all()
    assert (one != other).any()


def test_pixels_become_squares():
    pixels = torch.tensor([[[[0, 100], [150, 200]]]], dtype=torch.uint8)
    sheet = picture_grid(Images(pixels, torch.tensor([0]), ("a",)), columns=1, scale=3)
    assert (sheet[..., 0] == np.kron([[0, 100], [150, 200]], np.ones((3, 3)))).all()


@pytest.mark.parametrize(("side", "scale"), [(8, 8), (28, 2), (32, 2), (96, 1), (300, 1)])
def test_small_images_are_enlarged_to_a_comfortable_size(side, scale):
    some = Images(torch.zeros(1, 1, side, side, dtype=torch.uint8), torch.tensor([0]), ("a",))
    assert picture_grid(some, columns=1).shape == (side * scale, side * scale, 3)


def test_colours_keep_their_order():
    pixels = torch.tensor([10, 20, 30], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 2, 2).contiguous()
    sheet = picture_grid(Images(pixels, torch.tensor([0]), ("a",)), columns=1, scale=1)
    assert (sheet == [10, 20, 30]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"columns": 0}, "columns must"), ({"count": 0}, "count must"), ({"scale": 0}, "scale must")],
)
def test_values_below_one_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        picture_grid(numbered(), **options)
    with pytest.raises(ValueError, match="at least one image"):
        picture_grid(numbered().take([]))


class TestSave:
    def test_the_png_holds_the_grid_and_ink_at_its_left(self, tmp_path):
        path = save_picture_grid(tmp_path / "grid.png", numbered(), columns=4)
        saved = np.asarray(Image.open(path))
        sheet = picture_grid(numbered(), columns=4)
        left = saved.shape[1] - sheet.shape[1] - 12
        assert (saved[12:-12, left:-12] == sheet).all()
        names = saved[12:-12, :left]
        step = (sheet.shape[0] + 4) // 3
        # Each row has dark ink, and the ink's middle is near the row's middle.
        for row in range(3):
            ink = np.argwhere(names[row * step : (row + 1) * step - 4, :, 0] < 128)[:, 0]
            assert len(ink) > 10
            assert abs(ink.mean() - (step - 4) / 2) < step / 6

    def test_no_names_where_rows_are_no_classes(self, tmp_path):
        saved = np.asarray(Image.open(save_picture_grid(tmp_path / "grid.png", numbered(), columns=4, count=8)))
        assert (saved[12:-12, 12:-12] == picture_grid(numbered(), columns=4, count=8)).all()

    def test_long_names_fit(self, tmp_path):
        long = Images(numbered().pixels, numbered().labels, ("a", "b" * 60, "c"))
        narrow = np.asarray(Image.open(save_picture_grid(tmp_path / "a.png", numbered(), columns=2)))
        wide = np.asarray(Image.open(save_picture_grid(tmp_path / "b.png", long, columns=2)))
        assert wide.shape[1] > narrow.shape[1] + 300
        assert (wide[:, :12] == 255).all()

    def test_places_that_cannot_be_written_are_named(self, tmp_path):
        with pytest.raises(FileError, match="it is a folder"):
            save_picture_grid(tmp_path, numbered())
        with pytest.raises(FileError, match=r"cannot write .*none/grid.png"):
            save_picture_grid(tmp_path / "none" / "grid.png", numbered())
