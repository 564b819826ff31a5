import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from gradlab.data import decode
from gradlab.data.decode import FRAMINGS, read_picture, sides
from gradlab.errors import DataUnavailableError

RAMP = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)
COLOUR = np.stack([RAMP, RAMP.T, 255 - RAMP], axis=2)


def saved(tmp_path, image: Image.Image, name: str, **options) -> np.ndarray:
    image.save(tmp_path / name, **options)
    return read_picture(tmp_path / name, 8).astype(int)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm", "a.webp"])
def test_lossless_formats_give_the_exact_pixels(tmp_path, name):
    options = {"lossless": True} if name == "a.webp" else {}
    assert (saved(tmp_path, Image.fromarray(COLOUR), name, **options) == COLOUR).all()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_square_of_the_wanted_size_is_only_read_whatever_the_framing(tmp_path, framing):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png", 8, framing) == COLOUR).all()
    Image.fromarray(COLOUR[:, :4]).save(tmp_path / "b.png")  # as high, and not as wide
    assert read_picture(tmp_path / "b.png", 8, framing).shape == (8, 8, 3)


def test_jpeg_and_gif_come_close(tmp_path):
    assert np.abs(saved(tmp_path, Image.fromarray(COLOUR), "a.jpg", quality=100, subsampling=0) - COLOUR).max() <= 4
    assert np.abs(saved(tmp_path, Image.fromarray(RAMP), "a.gif") - RAMP[..., None]).max() == 0


class TestModes:
    def test_grey_fills_three_channels(self, tmp_path):
        assert (saved(tmp_path, Image.fromarray(RAMP), "a.png") == RAMP[..., None]).all()

    def test_one_bit_becomes_black_and_white(self, tmp_path):
        assert set(saved(tmp_path, Image.fromarray(RAMP).convert("1"), "a.png").flatten()) == {0, 255}

    def test_sixteen_bit_grey_is_scaled_not_clipped(self, tmp_path):
        wide = RAMP.astype(np.uint16) * 257
        assert (saved(tmp_path, Image.fromarray(wide), "a.png") == RAMP[..., None]).all()
        assert (saved(tmp_path, Image.fromarray(wide), "a.tif") == RAMP[..., None]).all()

    def test_floats_are_read_as_shares_of_white(self, tmp_path):
        assert (saved(tmp_path, Image.fromarray(RAMP.astype(np.float32) / 255), "a.tif") == RAMP[..., None]).all()

    @pytest.mark.parametrize("value", [-0.1, 1.5, np.nan, np.inf])
    def test_floats_out_of_range_are_refused(self, tmp_path, value):
        Image.fromarray(np.full((8, 8), value, np.float32)).save(tmp_path / "a.tif")
        with pytest.raises(DataUnavailableError, match=r"a.tif: grey values must lie in 0 to 1: got"):
            read_picture(tmp_path / "a.tif", 8)

    def test_palette_gives_its_colours(self, tmp_path):
        image = Image.fromarray((RAMP > 127).astype(np.uint8), "P")
        image.putpalette([10, 20, 30, 200, 150, 100])
        found = saved(tmp_path, image, "a.png")
        assert (found == np.where((RAMP > 127)[..., None], [200, 150, 100], [10, 20, 30])).all()

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_transparent_pixels_show_white(self, tmp_path, mode):
        clear = np.zeros((8, 8, 4), np.uint8)
        clear[:4, :, 3] = 255
        image = Image.fromarray(clear)
        options = {}
        if mode == "P":
            image = Image.fromarray(np.repeat([0, 1], 32).reshape(8, 8).astype(np.uint8), "P")
            image.putpalette([0, 0, 0, 9, 9, 9])
            options = {"transparency": 1}
        found = saved(tmp_path, image if mode == "P" else image.convert(mode), "a.png", **options)
        assert (found[:4] == 0).all()
        assert (found[4:] == 255).all()

    def test_half_transparent_black_is_grey(self, tmp_path):
        assert set(saved(tmp_path, Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "a.png").flatten()) == {127}

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
    @pytest.mark.parametrize("rows", [1, 3])
    def test_strips_make_the_same_picture_as_the_whole(self, tmp_path, mode, rows, monkeypatch):
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8))
        image = {
            "P": lambda: noise.convert("RGB").quantize(9),
            "I;16": lambda: Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000),
            "F": lambda: Image.fromarray(RAMP.astype(np.float32) / 255),
            "CMYK": lambda: noise.convert("RGB").convert("CMYK"),
        }.get(mode, lambda: noise.convert(mode))()
        name, options = (
            ("a.tif", {}) if mode in ("F", "CMYK") else ("a.png", {"transparency": 4} if mode == "P" else {})
        )
        whole = saved(tmp_path, image, name, **options)
        monkeypatch.setattr(decode, "STRIP_PIXELS", 8 * rows)
        assert (saved(tmp_path, image, name, **options) == whole).all()
        assert whole.std() > 0

    def test_cmyk_becomes_rgb(self, tmp_path):
        found = saved(tmp_path, Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "a.jpg", quality=100)
        assert (np.abs(found - [255, 0, 0]) <= 3).all()


class TestGeometry:
    @pytest.mark.parametrize(("width", "height", "box"), [(24, 8, (8, 0)), (8, 24, (0, 8)), (9, 8, (0, 0))])
    def test_cuts_the_centre_square(self, tmp_path, width, height, box):
        pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        left, top = box
        assert (saved(tmp_path, Image.fromarray(pixels), "a.png") == pixels[top : top + 8, left : left + 8]).all()

    @pytest.mark.parametrize(("width", "height", "rows", "columns"), [
        (24, 8, slice(2, 5), slice(None)), (8, 24, slice(None), slice(2, 5)), (8, 8, slice(None), slice(None)),
        (800, 1, slice(3, 4), slice(None)),
    ])  # fmt: skip
    def test_pads_the_whole_picture_with_grey(self, tmp_path, width, height, rows, columns):
        Image.fromarray(RAMP).resize((width, height)).convert("RGB").save(tmp_path / "a.png")
        found = read_picture(tmp_path / "a.png", 8, "pad")
        inside = np.zeros((8, 8), bool)
        inside[rows, columns] = True
        assert (found[~inside] == 128).all()
        with Image.open(tmp_path / "a.png") as image:
            size = (inside.any(0).sum(), inside.any(1).sum())
            whole = np.asarray(image.resize(tuple(int(length) for length in size), Image.Resampling.BILINEAR))
        assert (found[rows, columns] == whole).all()

    def test_stretches_the_whole_picture(self, tmp_path):
        halves = np.repeat(np.uint8([[10] * 16 + [200] * 16]), 8, axis=0)
        Image.fromarray(halves).save(tmp_path / "a.png")
        found = read_picture(tmp_path / "a.png", 8, "stretch")[..., 0]
        assert (found[:, :3] == 10).all()
        assert (found[:, 5:] == 200).all()
        cut = read_picture(tmp_path / "a.png", 8, "crop")[..., 0]
        assert (cut[:, :4] == 10).all(), "the centre square has both halves too, sharper"

    def test_shrinks_by_averaging(self, tmp_path):
        checkers = np.indices((256, 256)).sum(0) % 2 * 255
        found = saved(tmp_path, Image.fromarray(checkers.astype(np.uint8)), "a.png")
        # Picking single pixels instead would give 0 and 255.
        assert np.abs(found - 127.5).max() < 2

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_turns_as_exif_says(self, tmp_path, orientation):
        turns = {
            1: COLOUR,
            2: COLOUR[:, ::-1],
            3: COLOUR[::-1, ::-1],
            4: COLOUR[::-1],
            5: COLOUR.transpose(1, 0, 2),
            6: np.rot90(COLOUR, -1),
            7: COLOUR[::-1, ::-1].transpose(1, 0, 2),
            8: np.rot90(COLOUR),
        }
        exif = Image.Exif()
        exif[0x0112] = orientation
        assert (saved(tmp_path, Image.fromarray(COLOUR), "a.png", exif=exif) == turns[orientation]).all()

    @pytest.mark.parametrize("told", ["exif", "xmp"])
    def test_turns_a_jpeg_as_either_note_says(self, tmp_path, told):
        exif = Image.Exif()
        exif[0x0112] = 6
        note = {"exif": exif, "xmp": b'<x:xmpmeta tiff:Orientation="6"/>'}
        upright = saved(tmp_path, Image.fromarray(COLOUR), "a.jpg")
        assert (saved(tmp_path, Image.fromarray(COLOUR), "b.jpg", **{told: note[told]}) == np.rot90(upright, -1)).all()

    @pytest.mark.parametrize(("name", "asked"), [("a.jpg", 0), ("a.png", 1)])
    def test_only_a_jpeg_without_notes_is_not_asked_how_it_is_turned(self, tmp_path, monkeypatch, name, asked):
        calls = []
        monkeypatch.setattr(ImageOps, "exif_transpose", lambda image, **_options: calls.append(image))
        saved(tmp_path, Image.fromarray(COLOUR), name)
        assert len(calls) == asked

    def test_a_thread_of_an_image_is_not_blown_up(self, tmp_path):
        Image.new("L", (1, 60_000), 7).save(tmp_path / "a.png")
        assert set(read_picture(tmp_path / "a.png", 64).flatten()) == {7}

    def test_a_large_jpeg_is_shrunk_while_decoding_to_nearly_the_same(self, tmp_path):
        smooth = Image.fromarray(COLOUR).resize((1600, 1600), Image.Resampling.BICUBIC)
        smooth.save(tmp_path / "a.jpg", quality=95)
        smooth.save(tmp_path / "a.png")
        difference = read_picture(tmp_path / "a.jpg", 8).astype(int) - read_picture(tmp_path / "a.png", 8)
        assert np.abs(difference).max() <= 4

    def test_sides(self, tmp_path):
        Image.new("L", (30, 20)).save(tmp_path / "a.png")
        assert sides(tmp_path / "a.png") == (30, 20)


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises any size and holds almost nothing."""
    chunks = [
        (b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(99))),
        (b"IEND", b""),
    ]
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


class TestHostile:
    @pytest.mark.parametrize(
        "sides", [(6001, 6000), (65_536, 1), (1, 65_536), (12_000, 12_000), (2**31 - 1, 2**31 - 1), (65_000, 65_000)]
    )
    @pytest.mark.parametrize("limit", [Image.MAX_IMAGE_PIXELS, None])
    def test_bombs_are_refused_whatever_pillows_global_limit(self, tmp_path, monkeypatch, sides, limit):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        (tmp_path / "a.png").write_bytes(png_header(*sides))
        warnings.simplefilter("ignore")
        with pytest.raises(DataUnavailableError, match=r"cannot read the image .*a.png: .*pixels"):
            read_picture(tmp_path / "a.png", 8)
        assert limit == Image.MAX_IMAGE_PIXELS

    def test_a_webp_may_have_fewer_pixels_for_its_decoder_holds_it_several_times(self, tmp_path, monkeypatch):
        monkeypatch.setattr(decode, "MOST_PIXELS_OF_WEBP", 63)
        Image.fromarray(COLOUR).save(tmp_path / "a.png")
        Image.fromarray(COLOUR).save(tmp_path / "a.webp")
        read_picture(tmp_path / "a.png", 8)
        with pytest.raises(DataUnavailableError, match="8x8 are more than 63 pixels; make it smaller"):
            read_picture(tmp_path / "a.webp", 8)

    def test_only_a_jpeg_that_shrinks_while_it_is_decoded_may_be_huge(self, tmp_path, monkeypatch):
        monkeypatch.setattr(decode, "MOST_PIXELS", 10_000)
        wide = Image.fromarray(COLOUR).resize((160, 160))
        wide.save(tmp_path / "a.jpg")
        wide.save(tmp_path / "b.jpg", progressive=True)
        read_picture(tmp_path / "a.jpg", 8)
        with pytest.raises(DataUnavailableError, match="160x160 are more than 10,000 pixels; make it smaller"):
            read_picture(tmp_path / "b.jpg", 8)
        with pytest.raises(DataUnavailableError, match="160x160 are more than 10,000 pixels; make it smaller"):
            read_picture(tmp_path / "a.jpg", 160)
        monkeypatch.setattr(decode, "MOST_PIXELS_OF_SHRINKING_JPEG", 25_599)
        with pytest.raises(DataUnavailableError, match="160x160 are more than 25,599 pixels; make it smaller"):
            read_picture(tmp_path / "a.jpg", 8)

    @pytest.mark.parametrize(("before", "frame", "scan", "shrinks"), [
        (b"", 0xC0, 3, True), (b"\xff\xe0\0\x04ab", 0xC1, 3, True),
        (b"", 0xC2, 3, False), (b"", 0xC0, 1, False), (b"", 0xC9, 3, False),
        (b"\xff", 0xC0, 3, False), (b"\xff\x01", 0xC0, 3, False), (b"ab", 0xC0, 3, False),
    ])  # fmt: skip
    def test_how_a_jpeg_is_decoded_is_read_from_its_markers(self, tmp_path, before, frame, scan, shrinks):
        """Channels in scans of their own, other kinds of frame, and whatever is strange count as held."""
        header = struct.pack(">BBHBHHB9s", 0xFF, frame, 17, 8, 16, 16, 3, bytes(9))
        content = b"\xff\xd8" + before + header + struct.pack(">BBHB", 0xFF, 0xDA, 6 + 2 * scan, scan)
        (tmp_path / "a.jpg").write_bytes(content)
        assert decode.is_shrinking_jpeg(tmp_path / "a.jpg") == shrinks
        for length in range(len(content)):
            (tmp_path / "a.jpg").write_bytes(content[:length])
            assert not decode.is_shrinking_jpeg(tmp_path / "a.jpg")

    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.bmp", "a.tif", "a.webp"])
    @pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
    def test_truncated_files_are_named(self, tmp_path, name, share):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * share)])
        with pytest.raises(DataUnavailableError, match=rf"cannot read the image .*{name}: .*; repair or remove it"):
            read_picture(tmp_path / name, 8)

    def test_a_missing_file_needs_no_repair(self, tmp_path):
        with pytest.raises(DataUnavailableError, match=r"cannot read the image .*a.png: No such file or directory$"):
            read_picture(tmp_path / "a.png", 8)

    def test_other_formats_and_text_are_refused(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
        (tmp_path / "b.png").write_text("hello")
        for name in ("a.png", "b.png"):
            with pytest.raises(DataUnavailableError, match=rf"{name}: it is no image of a known format"):
                read_picture(tmp_path / name, 8)

    @settings(max_examples=300, deadline=None)
    @given(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]), st.data())
    def test_mutated_files_raise_nothing_else(self, tmp_path_factory, kind, data):
        buffer = io.BytesIO()
        Image.fromarray(COLOUR).save(buffer, format=kind)
        content = bytearray(buffer.getvalue())
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = tmp_path_factory.getbasetemp() / "mutated"
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = read_picture(path, 8)
        except DataUnavailableError:
            return
        assert (found.shape, found.dtype) == ((8, 8, 3), np.uint8)


def test_only_formats_that_pillow_has():
    Image.init()
    assert set(decode.FORMATS) <= set(Image.OPEN)
