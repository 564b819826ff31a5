from gradlab.data import catalogue, first_present, load
from gradlab.data.loading import NAMES
from gradlab.data.published import PUBLISHED


def test_lists_what_load_knows_in_its_order(tmp_path):
    assert tuple(entry.name for entry in catalogue(tmp_path)) == NAMES


def test_counts_are_those_that_load_gives(tmp_path):
    digits = catalogue(tmp_path)[0]
    splits = load("digits")
    assert (digits.train, digits.validation, digits.test) == tuple(len(part) for part in splits.parts().values())
    assert (digits.shape, digits.classes) == (splits.shape, splits.classes)
    sizes = {entry.name: (entry.train, entry.validation, entry.test, entry.unlabelled) for entry in catalogue(tmp_path)}
    assert sizes["cifar10"] == (45_000, 5_000, 10_000, 0)
    assert sizes["stl10"] == (4_500, 500, 8_000, 100_000)


def test_present_means_that_all_files_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADLAB_DATA", str(tmp_path))
    assert {entry.name for entry in catalogue() if entry.present} == {"digits"}
    (tmp_path / "mnist").mkdir()
    for content in PUBLISHED["mnist"].contents:
        (tmp_path / "mnist" / content.name).write_bytes(b"")
    (tmp_path / "cifar-100-binary.tar.gz").write_bytes(b"")
    assert {entry.name for entry in catalogue() if entry.present} == {"digits", "mnist", "cifar100"}


def test_sizes_on_disk(tmp_path):
    entries = {entry.name: entry for entry in catalogue(tmp_path)}
    assert entries["mnist"].disk_bytes == entries["mnist"].download_bytes == 9_912_422 + 28_881 + 1_648_877 + 4_542
    assert entries["cifar10"].disk_bytes == 60_000 * 3073
    assert all(entry.licence and entry.url.startswith("http") and entry.title for entry in entries.values())


def test_the_first_that_is_here_is_taken_else_the_last(tmp_path):
    assert first_present(["stl10", "digits"], tmp_path) == "digits"
    assert first_present(["stl10", "cifar10"], tmp_path) == "cifar10"
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"")
    assert first_present(["stl10", "cifar10", "mnist"], tmp_path) == "cifar10"
