import numpy as np
import pytest

from gradlab.errors import FileError
from gradlab.records import write_json
from gradlab.records.folder import RunFolder
from gradlab.records.journal import RowJournal
from gradlab.records.seal import SEAL, check_seal, write_seal


@pytest.fixture
def run(tmp_path) -> RunFolder:
    run = RunFolder(tmp_path)
    for name in ("config", "environment", "results"):
        write_json(tmp_path / f"{name}.json", {"name": name, "rate": 0.003})
    RowJournal(run.rows_path).add({"arm": "a", "accuracy": 0.875})
    run.write_arrays("a", confusion=np.eye(2))
    return run


READS = {
    "config.json": lambda run: run.document("config"),
    "environment.json": lambda run: run.document("environment"),
    "results.json": lambda run: run.document("results"),
    "rows.jsonl": lambda run: run.rows(),
    "arrays/a.npz": lambda run: run.arrays("a"),
}


@pytest.mark.parametrize("name", READS)
def test_a_changed_bit_is_refused_with_the_file_s_name(name, run):
    run.seal(finished=True)
    READS[name](run)
    path, content = run.path / name, bytearray((run.path / name).read_bytes())
    content[len(content) * 3 // 4] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileError, match=f"{path} is damaged or was edited: .*put the old file back"):
        READS[name](run)


@pytest.mark.parametrize("name", READS)
def test_a_file_that_is_gone_is_not_taken_for_one_that_never_was(name, run):
    run.seal(finished=True)
    (run.path / name).unlink()
    with pytest.raises(FileError, match="cannot read"):
        READS[name](run)


@pytest.mark.parametrize("name", READS)
def test_without_a_seal_nothing_is_checked(name, run):
    READS[name](run)
    write_seal(run.path, ())
    READS[name](run)


def test_while_a_run_goes_on_only_its_settings_are_sealed(run):
    run.seal(finished=True)
    run.seal(finished=False)
    for name in ("rows.jsonl", "results.json"):
        (run.path / name).write_text('{"accuracy": 1}\n')
    assert run.rows() == [{"accuracy": 1}]
    assert run.document("results") == {"accuracy": 1}
    (run.path / "config.json").write_text("{}")
    with pytest.raises(FileError, match=r"config\.json is damaged or was edited"):
        run.document("config")


def test_every_flipped_bit_of_the_seal_is_found(run):
    run.seal(finished=False)
    whole = (run.path / SEAL).read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        (run.path / SEAL).write_bytes(flipped)
        with pytest.raises(FileError, match=f"{SEAL} is damaged"):
            check_seal(run.path, run.path / "config.json")
