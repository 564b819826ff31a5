"""Pictures of a dataset: some images of each class in a row, to look at before training."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gradlab.data.images import Images
from gradlab.data.partition import shuffled
from gradlab.errors import FileError
from gradlab.records import write_atomically

PAPER = 255
INK = (45, 49, 57)
# Images are enlarged by a whole factor until a side has about this many pixels.
COMFORTABLE_SIDE = 64
GAP_SHARE = 16
TEXT_SHARE = 3.6
MARGIN = 12


def picture_grid(
    images: Images, *, columns: int = 10, count: int | None = None, seed: int = 0, scale: int | None = None
) -> np.ndarray:
    """Images side by side on white, uint8 [height, width, 3].

    Args:
        images: where they are drawn from.
        columns: images in a row.
        count: how many images in all, drawn from all classes, row by row; None draws one row a class, in class order.
        seed: which images are drawn.
        scale: each pixel becomes a square of this side; None enlarges small images to about 64 pixels a side.

    Raises:
        ValueError: there are no images, or columns, count or scale are below 1.
    """
    _check(images, columns, count, scale)
    rows = _rows(images, columns, count, seed)
    scale = scale or _comfortable_scale(images)
    height, width = (side * scale for side in images.pixels.shape[2:])
    gap = _gap(images, scale)
    sheet = np.full((len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 3), PAPER, dtype=np.uint8)
    for row, members in enumerate(rows):
        for column, picture in enumerate(_enlarged(images, members, scale)):
            top, left = row * (height + gap), column * (width + gap)
            sheet[top : top + height, left : left + width] = picture
    return sheet


def save_picture_grid(
    path: str | Path,
    images: Images,
    *,
    columns: int = 10,
    count: int | None = None,
    seed: int = 0,
    scale: int | None = None,
) -> Path:
    """Writes `picture_grid` as a PNG, with the class names at the left when there is one row a class; returns its path.

    Args:
        path: the file to write; replaced if it is there.
        images: where the pictures are drawn from.
        columns: images in a row.
        count: how many images in all, or None for one row a class.
        seed: which images are drawn.
        scale: as in `picture_grid`.

    Raises:
        FileError: the file cannot be written.
        ValueError: as `picture_grid`.
    """
    sheet = picture_grid(images, columns=columns, count=count, seed=seed, scale=scale)
    names = images.classes if _by_class(images, count) else ()
    scale = scale or _comfortable_scale(images)
    height = images.pixels.shape[2] * scale
    picture = _with_names(sheet, names, row_height=height, pitch=height + _gap(images, scale))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    target = Path(path)
    if target.is_dir():
        raise FileError(f"cannot write {target}: it is a folder; give the path of a .png file")
    write_atomically(target, buffer.getvalue())
    return target


def _check(images: Images, columns: int, count: int | None, scale: int | None) -> None:
    if not len(images):
        raise ValueError("a picture grid needs at least one image: got none")
    for name, value in (("columns", columns), ("count", count), ("scale", scale)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be 1 or more: got {value}")


def _by_class(images: Images, count: int | None) -> bool:
    return count is None and bool((images.labels >= 0).any())


def _rows(images: Images, columns: int, count: int | None, seed: int) -> list[np.ndarray]:
    """Positions of the images of each row; a class with few images fills its row only partly."""
    order = shuffled(len(images), seed)
    if not _by_class(images, count):
        chosen = order[: count or columns * columns]
        return [chosen[start : start + columns] for start in range(0, len(chosen), columns)]
    labels = images.labels.cpu().numpy()[order]
    return [order[labels == index][:columns] for index in range(len(images.classes))]


def _comfortable_scale(images: Images) -> int:
    return max(1, round(COMFORTABLE_SIDE / max(images.pixels.shape[2:])))


def _gap(images: Images, scale: int) -> int:
    return max(1, max(images.pixels.shape[2:]) * scale // GAP_SHARE)


def _enlarged(images: Images, members: np.ndarray, scale: int) -> np.ndarray:
    """Chosen images, uint8 [images, height, width, 3], each pixel a square."""
    pixels = images.take(members).pixels.cpu().numpy().transpose(0, 2, 3, 1)
    coloured = pixels if pixels.shape[3] == 3 else np.repeat(pixels[..., :1], 3, axis=3)
    return coloured.repeat(scale, axis=1).repeat(scale, axis=2)


def _with_names(sheet: np.ndarray, names: tuple[str, ...], *, row_height: int, pitch: int) -> Image.Image:
    """The sheet on white, with a margin, and one name right-aligned before the middle of each row."""
    font = ImageFont.load_default(size=max(10, round(row_height / TEXT_SHARE)))
    text_width = max((round(font.getlength(name)) for name in names), default=0)
    left = MARGIN + (text_width + MARGIN if names else 0)
    height, width, _ = sheet.shape
    picture = Image.new("RGB", (left + width + MARGIN, height + 2 * MARGIN), "white")
    picture.paste(Image.fromarray(sheet), (left, MARGIN))
    draw = ImageDraw.Draw(picture)
    for row, name in enumerate(names):
        middle = MARGIN + row * pitch + row_height / 2
        draw.text((left - MARGIN, middle), name, fill=INK, font=font, anchor="rm")
    return picture
