import pytest

from gradlab.errors import UsageError
from gradlab.report import Page, compare_runs, comparison_blocks, comparison_text, results, write_report


def run_of(name, values, seeds=range(3), metric="accuracy"):
    rows = [
        {"arm": arm, "seed": seed, "split": "test", metric: value + 0.001 * seed}
        for arm, value in values.items()
        for seed in seeds
    ]
    return results(rows, experiment=name, command="c", environment={}, seconds=1.0)


def test_arms_that_are_not_alike_are_paired_with_the_first_arm_of_the_first_run():
    document = compare_runs([run_of("x", {"a": 0.9, "b": 0.91}), run_of("y", {"c": 0.95})])
    assert list(document["arms"]) == ["a (x)", "b (x)", "c (y)"]
    found = [(c["treatment"], c["baseline"], c["n"]) for c in document["comparisons"]]
    assert found == [("b (x)", "a (x)", 3), ("c (y)", "a (x)", 3)]
    assert document["comparisons"][1]["mean_difference"] == pytest.approx(0.05)
    assert "Paired by seed against a (x);" in comparison_text(document)


def test_arms_of_one_name_are_paired_with_each_other_whatever_their_order():
    runs = [run_of("x", {"a": 0.5, "b": 0.75, "only here": 0.1}), run_of("y", {"b": 0.875, "a": 0.25}),
            run_of("z", {"a": 0.5, "new": 0.5})]  # fmt: skip
    document = compare_runs(runs)
    assert document["baselines"] == {"b (y)": "b (x)", "a (y)": "a (x)", "a (z)": "a (x)"}
    found = {(c["treatment"], c["baseline"]): c["mean_difference"] for c in document["comparisons"]}
    expected = {("b (y)", "b (x)"): 0.125, ("a (y)", "a (x)"): -0.25, ("a (z)", "a (x)"): 0.0}
    assert found == pytest.approx(expected)
    assert {c["family"] for c in document["comparisons"]} == {3}  # one family of tests for Holm's method
    text = comparison_text(document)
    assert "against the arm of the same name of x;" in text
    assert "so not compared: only here (x), new (z)." in text
    (table,) = [block for block in comparison_blocks(document) if "Against" in getattr(block, "header", ())]
    assert [row[1:3] for row in table.rows] == [("b (y)", "b (x)"), ("a (y)", "a (x)"), ("a (z)", "a (x)")]


def test_runs_of_one_experiment_are_numbered_and_names_can_be_given():
    runs = [run_of("x", {"a": 0.9}), run_of("x", {"a": 0.8})]
    assert compare_runs(runs)["runs"] == ["x 1", "x 2"]
    assert list(compare_runs(runs, names=["old", "new"])["arms"]) == ["a (old)", "a (new)"]


def test_settings_that_differ_are_told():
    runs = [run_of("x", {"a": 0.9}), run_of("x", {"a": 0.8})]
    document = compare_runs(runs, ["x old", "x new"], settings={"epochs": ["5", "10"]})
    assert document["settings"] == {"epochs": {"x old": "5", "x new": "10"}}
    told = "Settings that differ: epochs 5 in x old, 10 in x new."
    assert told in comparison_text(document)
    assert any(told in getattr(block, "text", "") for block in comparison_blocks(document))
    assert "Settings" not in comparison_text(compare_runs(runs))


def test_only_shared_seeds_are_paired():
    document = compare_runs([run_of("x", {"a": 0.9}, range(5)), run_of("y", {"a": 0.8}, range(2, 9))])
    assert document["seeds"] == [2, 3, 4]
    assert document["comparisons"][0]["n"] == 3


def test_runs_without_a_shared_metric_are_refused():
    with pytest.raises(UsageError, match="share no metric: x has test_accuracy; y has test_loss"):
        compare_runs([run_of("x", {"a": 0.9}), run_of("y", {"a": 0.9}, metric="loss")])
    with pytest.raises(UsageError, match="share no metric that was asked for"):
        compare_runs([run_of("x", {"a": 0.9}), run_of("y", {"a": 0.9})], metrics=["test_elbo"])


def test_fewer_than_two_shared_seeds_are_refused():
    with pytest.raises(
        UsageError, match=r"needs 2 seeds that all runs share, these share 1: a \(x\) has 3 seeds \(0 to 2\)"
    ):
        compare_runs([run_of("x", {"a": 0.9}), run_of("y", {"a": 0.8}, (2, 7))])


def test_one_run_and_an_empty_run_are_refused():
    with pytest.raises(UsageError, match="two runs or more: got 1"):
        compare_runs([run_of("x", {"a": 0.9})])
    with pytest.raises(UsageError, match="y has no result"):
        compare_runs([run_of("x", {"a": 0.9}), run_of("y", {})])


@pytest.mark.parametrize(("seeds", "times"), [(3, 0), (6, 1)])
def test_the_text_says_the_verdict_and_how_small_p_can_get_once(seeds, times):
    document = compare_runs([run_of("x", {"a": 0.9}, range(seeds)), run_of("y", {"a": 0.95}, range(seeds))])
    text = comparison_text(document)
    assert text.count("The smallest p that these pairs can reach is") == times
    assert text.count("smallest possible 0.25") == 1 - times
    assert document["comparisons"][0]["verdict"] in text
    assert f"shared seeds: 0 to {seeds - 1}" in text


def test_that_seeds_are_too_few_is_said_once_for_all_arms_and_metrics():
    def run(name, value, arms):
        rows = [{"arm": arm, "seed": seed, "split": "test", "accuracy": value + step, "loss": value - step * seed}
                for arm, step in zip(arms, (0.0, 0.01), strict=True) for seed in range(3)]  # fmt: skip
        return results(rows, experiment=name, command="c", environment={}, seconds=1.0)

    document = compare_runs([run("x", 0.5, "ab"), run("y", 0.75, "cd")])
    lines = comparison_text(document).splitlines()
    assert lines[-3:] == [
        "3 paired seeds are too few to tell: no difference can reach p ≤ 0.05 after Holm's correction for 3 "
        "comparisons (smallest possible 0.75); run at least 7 seeds.",
        "Test accuracy, difference from a (x): b (x) +1.00 points on every seed; c (y) +25.00 points on every seed; "
        "d (y) +26.00 points on every seed.",
        "Test loss, difference from a (x): b (x) −0.010 [−0.035, 0.015]; c (y) +0.2500 on every seed; "
        "d (y) +0.240 [0.215, 0.265].",
    ]


def test_the_blocks_make_a_page(tmp_path):
    document = compare_runs([run_of("x", {"a": 0.9}), run_of("y", {"a": 0.95})])
    empty = results([], experiment="compare", command="", environment={}, seconds=0.0)
    page = Page(title="T", question="Q", blocks=comparison_blocks(document), results=empty)
    assert "a (y)" in write_report([page], tmp_path).html.read_text(encoding="utf-8")


def test_runs_on_different_data_are_no_pairs():
    def document(sha256):
        rows = [{"arm": "a", "seed": seed, "split": "test", "accuracy": 0.5 + seed / 100} for seed in range(3)]
        environment = {"data": {"name": f"data {sha256}", "sha256": sha256, "shape": [3, 8, 8]}}
        return results(rows, experiment="x", command="x", environment=environment, seconds=1.0)

    assert compare_runs([document("1"), document("1")])["seeds"] == [0, 1, 2]
    with pytest.raises(UsageError, match="x 1 on data 1 of 3x8x8, x 2 on data 2 of 3x8x8"):
        compare_runs([document("1"), document("2")])
