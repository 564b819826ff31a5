from gradlab.report import results, terminal_summary, wrapped


def test_the_table_is_aligned_and_narrow(rows):
    document = results(rows, experiment="e", command="c", environment={}, seconds=1.0, parameters={"MLP": 61706})
    text = terminal_summary(document)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in text
    column = lines[0].index("Test accuracy") if "Test accuracy" in lines[0] else lines[0].index("Mean")
    assert lines[2][column - 1] == " "
    assert any("90.2 % [89.7, 90.7]" in line for line in lines)
    assert "Mean and 95 % interval over seeds, cut off at 0 and 100 %." in lines


def test_wide_tables_take_a_row_for_each_metric():
    names = ("accuracy", "loss", "elbo", "error_rate")
    rows = [
        {"arm": f"an arm with a long name {arm}", "seed": seed, "split": "test"} | dict.fromkeys(names, 0.5 + seed)
        for arm in range(2)
        for seed in range(2)
    ]
    lines = terminal_summary(results(rows, experiment="e", command="c", environment={}, seconds=1.0)).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum("an arm with" in line for line in lines) == 8


def test_what_an_arm_does_not_have_takes_no_row():
    rows = [{"arm": f"a quite long name of an arm {place}", "seed": 0, "split": "test", f"score_of_kind_{place}": 1.0}
            for place in range(5)]  # fmt: skip
    text = terminal_summary(results(rows, experiment="e", command="c", environment={}, seconds=1.0))
    assert text.count("a quite long name") == 5


def test_lost_seeds_and_empty_runs_are_told():
    rows = [{"arm": "a", "seed": seed, "split": "test", "loss": value} for seed, value in enumerate([1.0, None])]
    text = terminal_summary(results(rows, experiment="e", command="c", environment={}, seconds=1.0))
    assert "1 of 2" in text
    assert "missing or not finite for 1 seed (1)" in text
    empty = results([], experiment="e", command="c", environment={}, seconds=1.0)
    assert terminal_summary(empty) == "Nothing was measured."


def test_a_paragraph_is_broken_between_words():
    lines = wrapped("ResNet-18 at 82.3 % " * 12).splitlines()
    assert max(map(len, lines)) <= 100
    assert all(line.startswith(("ResNet-18", "at", "82.3", "%")) for line in lines)
