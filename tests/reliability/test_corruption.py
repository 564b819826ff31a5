import random
import warnings
from pathlib import Path

import pytest

from gradlab.records import seal
from gradlab.training import state
from tests.reliability.corruption import Target, damage, targets
from tests.reliability.families import FAMILIES, train

KINDS = ("state", "weights", "rows", "config", "environment", "results", "arrays", "seal", "remembered",
         "IDX, gzipped", "CIFAR", "archive")  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Target]:
    return {target.name: target for target in targets(tmp_path_factory.mktemp("rot"))}


@pytest.mark.parametrize("name", KINDS)
def test_damage_is_found(name, files):
    done, harmless, passed = damage(files[name], 25, random.Random(name))
    assert done == 25
    assert passed == []
    assert harmless == 0 or name == "IDX, gzipped", "only gzip's header holds what is no data"


def test_these_are_all_kinds(files):
    assert tuple(files) == KINDS


@pytest.mark.parametrize("name", ["rows", "config", "results"])
def test_without_a_seal_damage_passes(name, files, monkeypatch):
    monkeypatch.setattr("gradlab.records.folder.check_seal", lambda *_paths: None)
    assert damage(files[name], 100, random.Random(name))[2] != []


def test_a_reader_of_states_without_their_digest_is_told_apart(files, monkeypatch):
    monkeypatch.setattr(state, "read_sealed", lambda path: path.read_bytes().partition(b"\n")[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert damage(files["state"], 200, random.Random(0))[2] != []


def test_damaged_memory_is_told_and_ends_the_claim_to_be_exact(tmp_path):
    family = FAMILIES["logistic regression"]
    train(family, tmp_path)
    path = tmp_path / "remembered.sealed"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"remembered\.sealed is damaged.*the result is not exact"):
        train(family, tmp_path)
    assert b"not exact" in path.read_bytes()


def test_the_seal_names_every_file_that_is_read_again(files: dict[str, Target]):
    """Weights are held to the digests in the environment's document, which the seal names."""
    folder: Path = files["rows"].path.parent
    sealed = (folder / seal.SEAL).read_text()
    for name in ("rows", "config", "environment", "results", "arrays"):
        assert f'"{files[name].path.relative_to(folder).as_posix()}"' in sealed
