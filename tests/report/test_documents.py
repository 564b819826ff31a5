import json

from gradlab.records import RunFolder
from gradlab.report import write_documents

SETTINGS = {
    "experiment": "lenet", "command": "gradlab run lenet", "seeds": [0, 1],
    "device": "cpu", "precision": "bfloat16", "compile": "auto", "threads": 1,
}  # fmt: skip


def arm(diverged):
    return {"parameters": 7, "diverged": diverged, "seconds": 1.0}


def test_both_documents_tell_what_was_trained_and_where(tmp_path):
    rows = [{"arm": "net", "seed": 0, "split": "test", "accuracy": 0.5}]
    facts = {"data": {"name": "mnist"}, "arms": {"net": arm({1: "loss nan at step 3"})}}
    folder = RunFolder(tmp_path)
    returned = write_documents(folder, rows, SETTINGS, facts, exact=False, seconds=2.34567, device_name="a processor")
    results, environment = folder.document("results"), folder.document("environment")
    assert results == json.loads(json.dumps(returned))
    assert (results["experiment"], results["command"], results["seconds"]) == ("lenet", "gradlab run lenet", 2.346)
    assert results["arms"]["net"]["parameters"] == 7
    assert results["arms"]["net"]["metrics"]["test_accuracy"]["values"] == [0.5, None]
    assert "loss nan at step 3" in str(results["arms"]["net"])
    assert environment["exact"] is False
    assert environment["device_name"] == "a processor"
    assert (environment["precision"], environment["compile"], environment["threads"]) == ("bfloat16", "auto", 1)
    assert environment["data"] == {"name": "mnist"}


def test_what_trains_nothing_has_no_seeds_to_miss(tmp_path):
    rows = [{"arm": "SGD", "split": "path", "step": 0, "loss": 1.0}]
    document = write_documents(RunFolder(tmp_path), rows, SETTINGS, {"data": {}, "arms": {}}, exact=True, seconds=0.1)
    assert document["arms"] == {}
    assert "device_name" not in RunFolder(tmp_path).document("environment")
