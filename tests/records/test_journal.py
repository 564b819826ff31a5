import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.errors import FileError
from gradlab.records.journal import RowJournal, as_line, read_rows

VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def measurements(arms=("first", "second"), seeds=(0, 1, 2), epochs=3) -> list[dict]:
    """The rows of a run, in the order in which the finished file holds them."""
    rows = []
    for arm in arms:
        for epoch in range(1, epochs + 1):
            rows += [{"arm": arm, "seed": seed, "epoch": epoch, "step": 5 * epoch, "loss": 0.5} for seed in seeds]
            for seed in seeds:
                rows += [
                    {"arm": arm, "seed": seed, "epoch": epoch, "split": split, "accuracy": (epoch + seed) / 10}
                    for split in ("train", "validation")
                ]
        rows += [{"arm": arm, "seed": seed, "split": "test", "accuracy": 0.9} for seed in seeds]
    return rows


def journal_of(path, rows) -> RowJournal:
    journal = RowJournal(path)
    for row in rows:
        journal.add(row)
    return journal


def by_first_arrival(rows: list[dict]) -> list[dict]:
    """A wrong order: seeds in the order in which they first reported."""
    seeds = list(dict.fromkeys(row["seed"] for row in rows))
    return sorted(
        rows, key=lambda row: (row["arm"], row.get("epoch", 99), row.get("step", 99), seeds.index(row["seed"]))
    )


def finished(folder):
    def order(rows: list[dict]) -> list[dict]:
        path = folder / f"rows-{len(list(folder.iterdir()))}.jsonl"
        journal_of(path, rows).finish()
        return read_rows(path)

    return order


def check_order_does_not_depend_on_which_replica_was_first(order) -> None:
    expected = measurements()
    for shuffle in range(6):
        source = random.Random(shuffle)
        # Replicas run side by side: any interleaving that keeps each replica's own order, arm after arm.
        arrived = []
        for arm in ("first", "second"):
            waiting = {
                seed: [row for row in expected if row["arm"] == arm and row["seed"] == seed] for seed in range(3)
            }
            while any(waiting.values()):
                seed = source.choice([seed for seed, rows in waiting.items() if rows])
                arrived.append(waiting[seed].pop(0))
        assert order(arrived) == expected


def test_rows_come_back(tmp_path):
    rows = measurements()
    journal = journal_of(tmp_path / "rows.jsonl", rows)
    assert journal.rows == rows
    assert journal.finish() == 0
    assert read_rows(tmp_path / "rows.jsonl") == rows


def test_a_row_is_in_the_file_when_add_returns(tmp_path):
    path = tmp_path / "rows.jsonl"
    journal = RowJournal(path)
    for count, row in enumerate(measurements(), start=1):
        journal.add(row)
        assert len(read_rows(path)) == count


def test_the_final_order_does_not_depend_on_which_replica_was_first(tmp_path):
    check_order_does_not_depend_on_which_replica_was_first(finished(tmp_path))


def test_an_order_by_first_arrival_is_told_apart():
    with pytest.raises(AssertionError):
        check_order_does_not_depend_on_which_replica_was_first(by_first_arrival)


def test_equal_runs_leave_equal_bytes(tmp_path):
    rows = measurements()
    journal_of(tmp_path / "a", rows).finish()
    journal_of(tmp_path / "b", sorted(rows, key=lambda row: (row["arm"], -row["seed"]))).finish()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_rows_without_arm_or_seed_have_a_place(tmp_path):
    rows = [{"epoch": 1, "loss": 0.1}, {"epoch": 1, "seed": 4, "loss": 0.2}, {"loss": 0.3}]
    for arrived in (rows, rows[::-1]):
        journal = journal_of(tmp_path / f"rows-{arrived[0]['loss']}", arrived)
        journal.finish()
        assert [row["loss"] for row in journal.rows] == [0.2, 0.1, 0.3]


@pytest.mark.parametrize("written", [0, 1, 7, 30, 59, 60])
def test_a_resumed_run_writes_each_row_once(tmp_path, written):
    path, rows = tmp_path / "rows.jsonl", measurements()
    assert len(rows) == 60
    journal_of(path, rows[:written])
    resumed = RowJournal(path)
    for position, row in enumerate(rows, start=1):
        resumed.add(row)
        assert len(read_rows(path)) == max(written, position)
    assert resumed.finish() == 0
    assert read_rows(path) == rows


def test_rows_that_do_not_come_again_are_counted_and_dropped(tmp_path):
    path, rows = tmp_path / "rows.jsonl", measurements(seeds=(0,))
    journal_of(path, rows)
    drifted = [row | {"accuracy": row["accuracy"] + 1e-9} if row.get("epoch", 0) >= 2 and "split" in row else row
               for row in rows]  # fmt: skip
    resumed = journal_of(path, drifted)
    assert len(read_rows(path)) == len(rows) + 8, "both versions stand until the run is finished"
    assert resumed.finish() == 8
    assert read_rows(path) == drifted


def test_equal_rows_are_counted_one_by_one(tmp_path):
    path, row = tmp_path / "rows.jsonl", {"arm": "a", "seed": 0, "epoch": 1, "loss": 0.5}
    journal_of(path, [row, row])
    assert journal_of(path, [row]).finish() == 1
    assert read_rows(path) == [row]
    assert journal_of(path, [row, row, row]).finish() == 0
    assert read_rows(path) == [row] * 3


def test_key_order_is_part_of_a_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    journal_of(path, [{"seed": 0, "loss": 0.5}])
    assert journal_of(path, [{"loss": 0.5, "seed": 0}]).finish() == 1


def test_a_torn_last_line_is_dropped_whatever_its_length(tmp_path):
    path, rows = tmp_path / "rows.jsonl", measurements(arms=("größer",), seeds=(0,), epochs=1)
    journal_of(path, rows)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for length in range(last, len(whole)):
        path.write_bytes(whole[:length])
        assert read_rows(path) == rows[:-1]
        assert journal_of(path, rows).finish() == 0
        assert path.read_bytes() == whole, "the next append must not continue half a line"


def test_a_torn_line_is_gone_before_the_first_new_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"seed": 0}\n{"seed": ')
    RowJournal(path).add({"seed": 1})
    assert path.read_bytes() == b'{"seed": 0}\n{"seed": 1}\n'


def test_lines_that_are_no_json_objects_are_left_out(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"seed": 0}\n\nnonsense\n[1, 2]\n"text"\n3\n\xff\xfe\n{"seed": 1}\n{"seed": 2}')
    assert read_rows(path) == [{"seed": 0}, {"seed": 1}]
    path.write_text('{"seed": 0}\n' + '{"a":' * 100_000 + '\n{"seed": 1}\n')
    assert read_rows(path) == [{"seed": 0}, {"seed": 1}]


def test_no_file_is_no_rows(tmp_path):
    assert read_rows(tmp_path / "rows.jsonl") == []
    assert RowJournal(tmp_path / "rows.jsonl").finish() == 0
    assert read_rows(tmp_path / "rows.jsonl") == []


def test_what_is_not_finite_becomes_null_and_is_named():
    line = as_line({"arm": "a", "loss": math.nan, "norm": -math.inf, "accuracy": 0.5, "step": 3})
    assert json.loads(line) == {
        "arm": "a",
        "loss": None,
        "norm": None,
        "accuracy": 0.5,
        "step": 3,
        "not_finite": "loss,norm",
    }


def test_a_row_that_diverged_is_recognised_on_resume(tmp_path):
    row = {"arm": "a", "seed": 0, "epoch": 2, "loss": math.nan}
    journal_of(tmp_path / "rows.jsonl", [row])
    assert journal_of(tmp_path / "rows.jsonl", [row]).finish() == 0, "not a number does not equal itself; its line does"


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=4), max_size=4))
def test_any_finite_row_is_one_line_that_comes_back(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "rows.jsonl"
    rows = [{name: value for name, value in row.items() if name not in ("epoch", "step", "seed")} for row in rows]
    journal_of(path, rows)
    assert path.read_bytes().count(b"\n") == len(rows) if rows else not path.exists()
    assert read_rows(path) == rows


def test_floats_keep_every_digit(tmp_path):
    values = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0]
    journal_of(tmp_path / "rows.jsonl", [{"loss": value} for value in values])
    assert [row["loss"].hex() for row in read_rows(tmp_path / "rows.jsonl")] == [value.hex() for value in values]


def test_the_rows_handed_out_are_a_copy(tmp_path):
    journal = journal_of(tmp_path / "rows.jsonl", [{"seed": 0}])
    journal.rows.clear()
    assert journal.rows == [{"seed": 0}]


def test_a_row_that_cannot_be_written_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match=r"cannot write .*No such file or directory"):
        RowJournal(tmp_path / "nowhere" / "rows.jsonl").add({"seed": 0})
