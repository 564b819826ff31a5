"""Reports and comparisons of finished runs."""

import json


def test_a_report_is_written_again_to_the_same_bytes(gradlab, finished):
    before = (finished / "report.html").read_bytes(), (finished / "report.pdf").read_bytes()
    done = gradlab("report", str(finished))
    assert done.returncode == 0, done.stderr
    assert before == ((finished / "report.html").read_bytes(), (finished / "report.pdf").read_bytes())


def test_several_runs_make_one_report(gradlab, finished, tmp_path):
    assert "add --out FOLDER" in gradlab("report", str(finished), str(finished)).stderr
    done = gradlab("report", str(finished), str(finished), "--out", "both", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["html"] == "both/report.html"
    assert (tmp_path / "both" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_report_of_several_runs_overwrites_none_of_theirs(gradlab, finished):
    before = (finished / "report.html").read_bytes()
    done = gradlab("report", str(finished), str(finished), "--out", str(finished))
    assert done.returncode == 2
    assert "whose own report would be lost: choose another folder" in done.stderr
    assert (finished / "report.html").read_bytes() == before


def test_the_handbook_is_answered_from_what_was_run(gradlab, tmp_path):
    assert "there is no folder runs/ here" in gradlab("report", "--handbook").stderr
    assert "name the folder of a finished run" in gradlab("report").stderr
    done = gradlab("run", "mlp_cifar10", "--quick", "--epochs", "1", "--seeds", "0", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    bound = gradlab("report", "--handbook", "--json")
    assert bound.returncode == 0, bound.stderr
    page = (tmp_path / json.loads(bound.stdout)["html"]).read_text()
    assert "Not answered yet: gradlab run resnet" in page
    assert "At the epoch that validates best" in page
    assert (tmp_path / "handbook_report" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "there is no folder nowhere" in gradlab("report", "nowhere", "--handbook").stderr


def test_compare_pairs_by_seed_and_never_oversells(gradlab, finished, tmp_path):
    slow = gradlab("run", "logistic_regression", "--quick", "--epochs", "1", "--seeds", "0", "4", "--out", "other")
    assert slow.returncode == 0, slow.stderr
    done = gradlab("compare", str(finished), "other", "--json")
    document = json.loads(done.stdout)
    assert document["seeds"] == [0, 4]
    assert all(not entry["significant"] for entry in document["comparisons"])
    assert all(entry["smallest_p"] == 0.5 for entry in document["comparisons"])
    told = gradlab("compare", str(finished), "other").stdout
    assert "better" not in told
    assert f"logistic regression (logistic_regression {finished.name})" in told
    assert "Settings that differ: epochs" in told
    both = gradlab("report", str(finished), "other", "--out", "both")
    assert both.returncode == 0, both.stderr
    html = (tmp_path / "both" / "report.html").read_text()
    beside = html.index("The runs beside each other")
    assert beside < html.index("logistic_regression other (epochs 1"), "first what they show together"
    assert f"gradlab compare {finished} other" in html
    assert "Nothing was measured" not in html
    assert f"logistic_regression {finished.name} (epochs " in html
    assert "logistic_regression other (epochs 1" in html


def test_data_list_speaks_json(gradlab):
    names = [entry["name"] for entry in json.loads(gradlab("data", "list", "--json").stdout)["datasets"]]
    assert names == ["digits", "mnist", "fashion_mnist", "cifar10", "cifar100", "stl10"]


def test_data_show_writes_a_picture(gradlab, tmp_path):
    done = gradlab("data", "show", "digits", "--columns", "4")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
