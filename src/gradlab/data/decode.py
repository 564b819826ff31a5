"""One image file as a small square of bytes, whatever its format, size and colour mode."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageOps

from gradlab.errors import DataUnavailableError

# Decoders are offered these formats only: some others start programs or are seldom looked after.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
# Checked for each image: Pillow's own limit is a global that other code may have lifted. An image stays below 300 MB:
# decoded and as colours it takes 4 bytes a pixel each. Its decoder holds a WebP several times, and no JPEG of one scan.
MOST_PIXELS = 36_000_000
MOST_PIXELS_OF_WEBP = 14_000_000
MOST_PIXELS_OF_SHRINKING_JPEG = 400_000_000
MOST_SIDE = 65_535  # as of a JPEG; every row takes memory of its own
STRIP_PIXELS = 1_000_000
SIXTEEN_BIT = 65_535
_WITH_A_LENGTH = {*range(0xC0, 0xD0), *range(0xDA, 0xFF)}  # markers of a JPEG; anything else before a scan is strange

Framing = Literal["crop", "pad", "stretch"]
"""How a picture becomes square: cut to its centre, whole between grey bars, or stretched."""
FRAMINGS: tuple[Framing, ...] = get_args(Framing)
BARS = (128, 128, 128)
"""Red, green and blue of the bars beside a whole picture: near what most datasets' mean is, so near 0 for a network."""


def sides(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from the file's header.

    Raises:
        DataUnavailableError: the file is not an image that can be read.
    """
    with _opened(path) as image:
        return image.size


def read_picture(path: Path | str, side: int, framing: Framing = "crop") -> np.ndarray:
    """The image, uint8 [side, side, 3]: turned upright, made square and resized with antialiasing.

    Args:
        path: the file; of several frames, the first is read.
        side: height and width of the result in pixels.
        framing: how it is made square.

    Raises:
        DataUnavailableError: the file is not an image, is damaged or truncated, or has too many pixels.
    """
    framed = _FRAMED[framing]
    with _opened(path) as image:
        _refuse_large(image, _most_pixels(image, path))
        # A JPEG decodes at an eighth of its size for an eighth of the time; only images far larger than needed shrink.
        if min(image.size) >= 4 * side:  # a smaller one stays as it is, and asking takes a twentieth of decoding it
            image.draft(None, (2 * side, 2 * side))
        _refuse_large(image, MOST_PIXELS)
        image.load()
        if _may_say_how_it_is_turned(image):
            ImageOps.exif_transpose(image, in_place=True)  # a large image must not be there twice
        picture = _to_rgb(image)
        # Whatever the framing; Pillow would copy it, a twentieth of decoding a small one.
        return np.asarray(picture if picture.size == (side, side) else framed(picture, side))


def is_shrinking_jpeg(path: Path) -> bool:
    """Whether a file is a JPEG with all of its channels in one scan: only such a one is decoded row by row.

    Any other, a progressive one above all, is held as a whole before it shrinks, with up to 8 bytes a pixel.

    Source: ITU-T T.81, B.1 and B.2: markers, frame header, scan header.
    """
    with path.open("rb") as file:
        known = file.read(2) == b"\xff\xd8"
        channels = b""
        while known:
            start = file.read(4)
            known = len(start) == 4 and start[0] == 0xFF and start[1] in _WITH_A_LENGTH
            content = file.read(max(0, int.from_bytes(start[2:]) - 2))
            if start[1:2] in (b"\xc0", b"\xc1"):
                channels = content[5:6]
            elif start[1:2] == b"\xda":
                return known and content[:1] == channels != b""
    return False


def _most_pixels(image: Image.Image, path: Path | str) -> int:
    # Of large ones only: a second look into a small file would take a tenth of what decoding it takes.
    if image.format == "JPEG" and image.width * image.height > MOST_PIXELS and is_shrinking_jpeg(Path(path)):
        return MOST_PIXELS_OF_SHRINKING_JPEG
    return MOST_PIXELS_OF_WEBP if image.format == "WEBP" else MOST_PIXELS


def _refuse_large(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise ValueError(f"{image.width}x{image.height} are more than {most:,} pixels; make it smaller")
    if max(image.size) > MOST_SIDE:
        raise ValueError(f"a side of {image.width}x{image.height} has more than {MOST_SIDE:,} pixels; make it smaller")


def _may_say_how_it_is_turned(image: Image.Image) -> bool:
    # A JPEG says it in one of these two or not at all; asking takes a fiftieth of decoding a small one.
    return image.format != "JPEG" or not image.info.keys().isdisjoint(("exif", "xmp"))


def to_eight_bits(image: Image.Image) -> Image.Image:
    """The image with 8 bits a channel: 16-bit grey is scaled from 0..65535, floats from [0, 1].

    Raises:
        ValueError: values lie outside of these ranges.
    """
    if image.mode == "F":
        values, brightest = np.asarray(image), 1.0
    elif image.mode.startswith("I"):
        values, brightest = np.asarray(image).astype(np.float64), SIXTEEN_BIT
    else:
        return image
    if not (values.min(initial=0) >= 0 and values.max(initial=0) <= brightest):
        raise ValueError(f"grey values must lie in 0 to {brightest:g}: got {values.min():g} to {values.max():g}")
    return Image.fromarray(np.rint(values * (255 / brightest)).astype(np.uint8))


def _to_rgb(image: Image.Image) -> Image.Image:
    """The image in colours; a large one strip by strip, for on the way each pixel takes up to 27 bytes."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.width * image.height <= STRIP_PIXELS:
        return _strip_to_rgb(image)
    whole, rows = Image.new("RGB", image.size), max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        whole.paste(_strip_to_rgb(strip), (0, top))
    return whole


def _strip_to_rgb(image: Image.Image) -> Image.Image:
    image = to_eight_bits(image)
    if image.has_transparency_data:
        # What lies under transparent pixels is arbitrary, mostly black; white is what a page shows.
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return image if image.mode == "RGB" else image.convert("RGB")


def _cropped(image: Image.Image, side: int) -> Image.Image:
    square = min(image.size)
    left, top = (image.width - square) // 2, (image.height - square) // 2
    # Cutting inside the resize: a 1 x 10,000 image must not be blown up before it is cut.
    box = (left, top, left + square, top + square)
    return image.resize((side, side), Image.Resampling.BILINEAR, box=box)


def _padded(image: Image.Image, side: int) -> Image.Image:
    longest = max(image.size)
    width, height = (max(1, round(length * side / longest)) for length in image.size)
    whole = Image.new("RGB", (side, side), BARS)
    whole.paste(image.resize((width, height), Image.Resampling.BILINEAR), ((side - width) // 2, (side - height) // 2))
    return whole


def _stretched(image: Image.Image, side: int) -> Image.Image:
    return image.resize((side, side), Image.Resampling.BILINEAR)


_FRAMED = {"crop": _cropped, "pad": _padded, "stretch": _stretched}


@contextlib.contextmanager
def _opened(path: Path | str) -> Iterator[Image.Image]:
    """Opens an image; whatever a decoder raises over its bytes becomes one line that names the file."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:  # no decoder's doing: they name no file
            raise DataUnavailableError(f"cannot read the image {path}: {error.strerror}") from error
        # Decoders raise anything over hostile bytes: OSError, SyntaxError, ValueError, struct.error, IndexError...
        what = "it is no image of a known format" if "cannot identify" in str(error) else str(error)
        raise DataUnavailableError(f"cannot read the image {path}: {what}; repair or remove it") from error
