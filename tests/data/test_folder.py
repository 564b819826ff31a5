import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gradlab.data import folder, load, load_folder
from gradlab.errors import DataUnavailableError, UsageError


def fill(root: Path, counts: dict[str, int], *, size: tuple[int, int] = (8, 8), first: int = 0) -> None:
    """Class folders with images that each have a colour of their own."""
    number = first
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            Image.new("RGB", size, (number % 251, number // 251, 200)).save(root / name / f"{index:03}.png")
            number += 1


def numbers(images) -> list[int]:
    return (images.pixels[:, 0, 0, 0].long() + 251 * images.pixels[:, 1, 0, 0].long()).tolist()


def all_numbers(splits) -> list[int]:
    return [number for part in splits.parts().values() for number in numbers(part)]


class TestOneFolderAClass:
    def test_splits_hold_every_image_once_with_its_label(self, tmp_path):
        fill(tmp_path, {"cat": 20, "dog": 40})
        splits = load(f"folder:{tmp_path}")
        assert [len(part) for part in splits.parts().values()] == [42, 9, 9]
        assert sorted(all_numbers(splits)) == list(range(60))
        for part in splits.parts().values():
            assert part.labels.tolist() == [int(number >= 20) for number in numbers(part)]
        assert [torch.bincount(part.labels).tolist() for part in splits.parts().values()] == [[14, 28], [3, 6], [3, 6]]
        assert (splits.classes, splits.name) == (("cat", "dog"), f"folder:{tmp_path.name}")

    @pytest.mark.parametrize("memory", [1.0, 0.0])
    @pytest.mark.parametrize("parts", [("",), ("train", "test")])
    def test_every_image_knows_its_file(self, tmp_path, parts, memory):
        for place, part in enumerate(parts):
            fill(tmp_path / part, {"cat": 9, "dog": 9}, first=18 * place)
        splits = load_folder(tmp_path, image_memory=memory)
        for part in splits.parts().values():
            images = part.take(range(len(part)))
            for number, file in zip(numbers(images), images.files.tolist(), strict=True):
                lies_in = f"{parts[number // 18]}/" if len(parts) > 1 else ""
                assert file.decode() == f"{lies_in}{('cat', 'dog')[number // 9 % 2]}/{number % 9:03}.png"
            assert images.files.tolist() == part.files.tolist()

    @pytest.mark.parametrize("below", ["", "compare_models"])
    def test_the_folder_of_earlier_runs_is_no_class(self, tmp_path, below):
        fill(tmp_path, {"cat": 9, "runs": 9})
        run = tmp_path / "runs" / below
        run.mkdir(exist_ok=True)
        (run / "config.json").write_text("{}")
        load_folder(tmp_path)  # somebody else's settings among the pictures
        (run / "rows.jsonl").write_text("")
        with pytest.raises(DataUnavailableError, match=rf"holds a run of gradlab's \({run}\)"):
            load_folder(tmp_path)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.integers(3, 40), min_size=2, max_size=4), st.integers(0, 9))
    def test_every_class_is_in_every_split(self, counts, seed):
        labels = np.repeat(np.arange(len(counts)), counts)
        quotas = folder._quotas(labels, 0.15)
        assert (quotas >= 1).all()
        assert (np.array(counts) - 2 * quotas >= 1).all()
        assert np.abs(quotas - 0.15 * np.array(counts)).max() <= 0.85

    def test_the_seed_decides_and_repeats(self, tmp_path):
        fill(tmp_path, {"cat": 20, "dog": 20})
        one, same, other = (load_folder(tmp_path, split_seed=seed) for seed in (0, 0, 1))
        assert one.digest() == same.digest() != other.digest()

    def test_a_class_may_be_called_train(self, tmp_path):
        fill(tmp_path, {"bus": 3, "train": 3})
        assert load_folder(tmp_path).classes == ("bus", "train")


class TestNamedParts:
    @pytest.mark.parametrize("validation", ["val", "valid", "validation", "Val"])
    def test_are_respected(self, tmp_path, validation):
        for first, (part, count) in enumerate({"train": 4, validation: 2, "test": 1}.items()):
            fill(tmp_path / part, {"a": count, "b": count}, first=100 * first)
        splits = load_folder(tmp_path)
        assert [sorted(numbers(part)) for part in splits.parts().values()] == [
            list(range(8)),
            list(range(100, 104)),
            [200, 201],
        ]

    @pytest.mark.parametrize(("given", "sizes"), [("test", [16, 4, 2]), ("val", [16, 2, 4]), ("", [12, 4, 4])])
    def test_what_is_missing_is_held_out_of_train(self, tmp_path, given, sizes):
        fill(tmp_path / "train", {"a": 10, "b": 10})
        if given:
            fill(tmp_path / given, {"a": 1, "b": 1}, first=500)
        splits = load_folder(tmp_path)
        assert [len(part) for part in splits.parts().values()] == sizes
        everything = all_numbers(splits)
        assert sorted(everything) == [*range(20), *([500, 501] if given else [])]

    def test_test_without_train_is_refused(self, tmp_path):
        fill(tmp_path / "test", {"a": 3, "b": 3})
        with pytest.raises(DataUnavailableError, match="has test/ but no train/"):
            load_folder(tmp_path)

    def test_a_class_that_train_lacks_is_refused(self, tmp_path):
        fill(tmp_path / "train", {"a": 3, "b": 3})
        fill(tmp_path / "test", {"a": 3, "c": 3})
        with pytest.raises(DataUnavailableError, match=r"test/c is a class that train/ does not have"):
            load_folder(tmp_path)


class TestWhatIsIgnored:
    def test_hidden_files_other_files_and_links_that_leave(self, tmp_path):
        root = tmp_path / "set"
        fill(root, {"a": 3, "b": 3})
        fill(tmp_path / "outside", {"c": 5}, first=900)
        (root / "a" / "notes.txt").write_text("x")
        (root / "a" / ".hidden.png").write_bytes(b"x")
        (root / "a" / ".thumbs").mkdir()
        (root / "a" / ".thumbs" / "t.png").write_bytes(b"x")
        (root / ".git").mkdir()
        (root / "a" / "leaves.png").symlink_to(tmp_path / "outside" / "c" / "000.png")
        (root / "a" / "dangling.png").symlink_to(tmp_path / "none.png")
        (root / "a" / "linked").symlink_to(tmp_path / "outside" / "c")
        (root / "linked_class").symlink_to(tmp_path / "outside" / "c")
        (root / "a" / "loop").symlink_to(root)
        splits = load_folder(root)
        assert sorted(all_numbers(splits)) == list(range(6))

    def test_deeper_folders_and_links_that_stay_are_read(self, tmp_path):
        fill(tmp_path, {"a": 3, "b/deep/deeper": 3})
        (tmp_path / "a" / "again.PNG").symlink_to(tmp_path / "a" / "000.png")
        splits = load_folder(tmp_path)
        assert sum(len(part) for part in splits.parts().values()) == 7
        assert splits.classes == ("a", "b")


class TestPixels:
    def test_grey_images_of_any_mode_make_one_channel(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            Image.new("L", (8, 8), 5).save(tmp_path / name / "1.png")
            Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / name / "2.png")
            Image.new("I;16", (8, 8), 65535).save(tmp_path / name / "3.png")
        splits = load_folder(tmp_path)
        assert splits.shape == (1, 8, 8)
        values = [value for part in splits.parts().values() for value in part.pixels[:, 0, 0, 0].tolist()]
        assert sorted(values) == [5, 5, 9, 9, 255, 255]

    def test_one_coloured_image_makes_three_channels(self, tmp_path):
        fill(tmp_path, {"a": 3, "b": 3})
        Image.new("L", (8, 8), 5).save(tmp_path / "a" / "grey.png")
        assert load_folder(tmp_path).shape == (3, 8, 8)

    @pytest.mark.parametrize(
        ("sizes", "side"), [([(50, 30)], 32), ([(400, 300)], 64), ([(3, 9)], 8), ([(16, 99), (40, 24), (99, 33)], 24)]
    )
    def test_the_default_size_is_the_median_shorter_side(self, tmp_path, sizes, side):
        for index, size in enumerate(sizes * 3):
            for name in ("a", "b"):
                (tmp_path / name).mkdir(exist_ok=True)
                Image.new("RGB", size, (index, 0, 1)).save(tmp_path / name / f"{index}.png")
        assert load_folder(tmp_path, framing="pad").shape == (3, side, side)

    @pytest.mark.parametrize(("size", "told"), [((16, 12), "25 %"), ((8, 40), "80 %"), ((16, 13), None)])
    def test_that_long_pictures_lose_their_ends_is_told(self, tmp_path, size, told):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            for number in range(3):
                Image.new("RGB", size, (number, 0, 1)).save(tmp_path / name / f"{number}.png")
        Image.new("RGB", (1, 90)).save(tmp_path / "b" / "long.png")  # one alone is no reason to tell
        if told is None:
            assert load_folder(tmp_path, image_size=8).shape == (3, 8, 8)  # a warning would be an error here
        else:
            with pytest.warns(UserWarning, match=f"half of these pictures or more lose {told} .* --framing pad keeps"):
                load_folder(tmp_path, image_size=8)
        for framing in ("pad", "stretch"):
            assert load_folder(tmp_path, image_size=8, framing=framing).shape == (3, 8, 8)

    @pytest.mark.parametrize(("names", "told"), [(["z.txt"], "/z.txt lies beside"),
                                                 (["z.txt", "b.png"], "/b.png and another file lie beside"),
                                                 (["z.txt", "c", "b.png"], "/b.png and 2 other files lie beside"),
                                                 ([".hidden"], None)])  # fmt: skip
    @pytest.mark.parametrize("part", ["", "train"])
    def test_files_beside_the_class_folders_are_told(self, tmp_path, names, told, part):
        fill(tmp_path / part, {"a": 3, "b": 3})
        for name in names:
            (tmp_path / part / name).write_bytes(b"x")
        if part:
            (tmp_path / "README.txt").write_bytes(b"x")  # no class is expected here
        if told is None:
            load_folder(tmp_path)  # a warning would be an error here
        else:
            with pytest.warns(UserWarning, match=f"{told} the class folders, in none: left out"):
                load_folder(tmp_path)

    def test_a_given_size_wins(self, tmp_path):
        fill(tmp_path, {"a": 3, "b": 3})
        assert load(f"folder:{tmp_path}", image_size=13).shape == (3, 13, 13)
        with pytest.raises(UsageError, match="1 or more: got 0"):
            load_folder(tmp_path, image_size=0)

    def test_an_unreadable_image_is_named(self, tmp_path):
        fill(tmp_path, {"a": 3, "b": 3})
        content = (tmp_path / "b" / "001.png").read_bytes()
        (tmp_path / "b" / "001.png").write_bytes(content[:50])
        with pytest.raises(DataUnavailableError, match=r"cannot read the image .*b/001.png: .*; repair or remove it$"):
            load_folder(tmp_path)

    @pytest.mark.parametrize("kept", [0, 50])
    def test_all_unreadable_images_are_named_at_once(self, tmp_path, kept):
        fill(tmp_path, {"a": 13, "b": 3})
        damaged = [tmp_path / "b" / "002.png", *sorted((tmp_path / "a").iterdir())[1:]]
        for path in damaged:
            path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(DataUnavailableError) as caught:
            load_folder(tmp_path)
        told = str(caught.value)
        assert told.startswith(f"cannot read the image {tmp_path}/a/001.png: ")
        assert f"repair or remove it, and 12 others that cannot be read either: {tmp_path}/a/002.png, " in told
        assert told.endswith(f", {tmp_path}/a/011.png and 2 more")

    def test_a_folder_without_one_readable_image_is_told_as_such(self, tmp_path):
        fill(tmp_path, {"a": 3, "b": 3})
        for path in tmp_path.glob("*/*.png"):
            path.write_bytes(b"no picture")
        with pytest.raises(DataUnavailableError, match="and 5 others that cannot be read either"):
            load_folder(tmp_path)

    def test_pillows_and_pythons_settings_are_left_alone(self, tmp_path):
        fill(tmp_path, {"a": 3, "b": 3})
        before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
        load_folder(tmp_path)
        assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("counts", "message"),
        [
            ({}, "has no class: it needs at least two sub-folders"),
            ({"only": 9}, r"has one class \('only'\)"),
            ({"a": 9, "empty": 0}, "empty has no image: add some or remove it"),
            ({"a": 9, "few": 2}, "class 'few' of .* has 2 images, too few to hold some out: it needs at least 3"),
        ],
    )
    def test_folders_that_make_no_splits(self, tmp_path, counts, message):
        fill(tmp_path, counts)
        with pytest.raises(DataUnavailableError, match=message) as caught:
            load_folder(tmp_path)
        assert "\n" not in str(caught.value)

    def test_files_of_no_class_are_named_where_too_few_classes_are_there(self, tmp_path):
        fill(tmp_path, {"only": 4})
        for name in ("cat.png", "ant.png"):
            (tmp_path / name).write_bytes(b"x")
        with pytest.raises(DataUnavailableError, match=r"with images \(what lies in it, such as ant.png, belongs to"):
            load_folder(tmp_path)

    def test_a_file_is_no_folder(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"")
        with pytest.raises(DataUnavailableError, match=r"a\.png is a file: give the folder that holds one sub-folder"):
            load_folder(tmp_path / "a.png")

    def test_a_folder_that_cannot_be_listed_is_named(self, tmp_path, monkeypatch):
        fill(tmp_path, {"a": 3, "b": 3})

        def refuse(self):
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "iterdir", refuse)
        with pytest.raises(DataUnavailableError, match=f"cannot list {tmp_path}: Permission denied"):
            load_folder(tmp_path)
