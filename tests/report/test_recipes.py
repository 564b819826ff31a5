"""Recipes in words: what arms share stands once, what differs stands beside each other."""

from gradlab.report import Facts, Table
from gradlab.report.recipes import recipe_blocks, recipe_of

ADAM = {"class": "Adam", "lr": 0.003, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0, "amsgrad": False}
RECIPE = {
    "epochs": 16,
    "batch_size": 128,
    "steps_per_epoch": 429,
    "optimizer": ADAM,
    "schedule": "one_cycle",
    "objective": {"name": "negative_elbo", "beta": 4.0},
    "inputs": [{"name": "RandomHorizontalFlip", "p": 0.5}, {"name": "Normalize"}],
    "clip_norm": None,
    "l1": 0.0,
    "drop_last": True,
    "select": {"split": "validation", "metric": "elbo", "best": "largest"},
    "patience": None,
}
ABOUT = {"parameters": 469268, "way": "processes", "why": "1 thread each", "recipe": RECIPE}


def test_a_recipe_is_told_without_what_is_switched_off():
    assert recipe_of(ABOUT) == {
        "optimiser": "Adam: lr 0.003, betas 0.9 and 0.999",
        "schedule": "one cycle",
        "objective": "negative ELBO: beta 4",
        "epochs": "16",
        "batch": "128",
        "inputs": "RandomHorizontalFlip: p 0.5; Normalize",
        "weights kept": "those of the epoch with the largest validation ELBO",
        "parameters": "469,268",
        "seeds ran": "processes",
    }


def test_what_is_switched_on_is_told():
    told = recipe_of({"recipe": RECIPE | {"clip_norm": 1.0, "l1": 1e-5, "patience": 5, "select": None}})
    assert told["gradients clipped at"] == "1"
    assert told["L1"] == "1e-05"
    assert told["stops after"] == "5 epochs without improvement"
    assert told["weights kept"] == "the last epoch's"
    assert "parameters" not in told


def test_an_older_record_tells_what_it_has():
    assert recipe_of({"way": "stacked", "recipe": {"epochs": 2, "batch_size": 64}}) == {
        "epochs": "2",
        "batch": "64",
        "seeds ran": "stacked",
    }
    assert recipe_of({}) == {}


def test_arms_share_facts_and_differ_in_a_table():
    slower = ABOUT | {"recipe": RECIPE | {"optimizer": ADAM | {"lr": 0.001}, "patience": 3}}
    facts, table = recipe_blocks({"a": recipe_of(ABOUT), "b": recipe_of(slower)})
    assert isinstance(facts, Facts)
    assert isinstance(table, Table)
    assert ("epochs", "16") in facts.pairs
    assert table.header == ("arm", "optimiser", "stops after")
    assert table.rows == [
        ("a", "Adam: lr 0.003, betas 0.9 and 0.999", "–"),
        ("b", "Adam: lr 0.001, betas 0.9 and 0.999", "3 epochs without improvement"),
    ]


def test_arms_that_learn_alike_share_a_row():
    slower = recipe_of(ABOUT | {"recipe": RECIPE | {"optimizer": ADAM | {"lr": 0.001}}})
    _facts, table = recipe_blocks({"a": recipe_of(ABOUT), "b": slower, "c": recipe_of(ABOUT)})
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["a; c", "b"]


def test_one_arm_needs_no_table():
    (facts,) = recipe_blocks({"a": recipe_of(ABOUT)})
    assert isinstance(facts, Facts)
    assert recipe_blocks({"a": {}}) == []
