"""`gradlab explain`: examples, users' files, and what they do wrong."""

import json

import pytest

from gradlab.cli.explain import main
from gradlab.errors import FileError, UsageError

FILE = """
import sys
import torch
from neighbour import factor
print("printed by the file", sys.argv)
x = torch.tensor([1.0, 2.0], requires_grad=True)
y = (factor * x).sum()
y.backward()
frozen = y.detach()
number = 3
if __name__ == "__main__":
    done = y * 2
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "neighbour.py").write_text("factor = 3.0\n")
    (tmp_path / "mine.py").write_text(FILE)
    return tmp_path / "mine.py"


def document(capsys, *words):
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_list_names_every_example(capsys):
    assert main([]) == 0
    assert "handbook " in capsys.readouterr().out
    assert {entry["name"] for entry in document(capsys)["examples"]} >= {"handbook", "cheatsheet", "slides"}


def test_the_known_gradients(capsys):
    found = document(capsys, "slides")
    assert {leaf["name"]: leaf["gradient"]["numbers"] for leaf in found["leaves"]} == {"w": "[7, 1]", "x": "[5, 3]"}


def test_jacobians_are_lists(capsys):
    step = document(capsys, "slides", "--jacobian")["steps"][0]
    assert step["flows"][0]["jacobian"]["matrix"] == [[7, 1]]


def test_a_file_is_run_and_its_prints_stay_out_of_the_answer(file, capsys):
    assert main([f"{file}:done", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["leaves"][0]["gradient"]["numbers"] == "[6, 6]"
    assert found["leaves"][0]["held"]["numbers"] == "[3, 3]"
    assert [step["code"] for step in found["steps"]] == ["y * 2", "sum(#3)", "3 * x"] or found["steps"][2]["line"] == 7
    assert "printed by the file" in err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "say which variable of .* to explain, as .*: one of y, done"),
        (":", "say which variable"),
        (":don", "unknown variable of .* 'don': did you mean 'done'"),
        (":frozen", r"frozen has no graph: it was cut off by detach\(\) in line 9"),
        (":number", "number in .* is no tensor but an int"),
        (":x", "x is a leaf"),
    ],
)
def test_other_variables_are_one_clear_line(file, name, message):
    with pytest.raises(UsageError, match=message):
        main([f"{file}{name}"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1 / 0", "fails in line 1: ZeroDivisionError"),
        ("x = (", "fails in line 1: SyntaxError"),
        ("import sys\nsys.exit(2)", r"ended itself \(exit code 2\)"),
        ("x = 1", "a tensor computed from one with requires_grad=True"),
    ],
)
def test_files_that_fail_are_one_clear_line(tmp_path, text, message):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(UsageError, match=message):
        main([str(tmp_path / "bad.py")])


def test_names_that_are_nothing(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'handbook'"):
        main(["handbok"])
    with pytest.raises(FileError, match="there is no file"):
        main([f"{tmp_path / 'none.py'}:y"])
    with pytest.raises(UsageError, match=r"takes a Python file: got .notes\.txt:y"):
        main(["notes.txt:y"])


def test_a_page_is_written(tmp_path, capsys):
    assert main(["handbook", "--out", str(tmp_path / "page")]) == 0
    html = (tmp_path / "page" / "report.html").read_text()
    assert "x.grad receives [1.333, 2, 2.667]" in html
    assert html.count('class="part"') == 2 * 5
    for number in range(1, 6):
        assert f'id="step-{number}"' in html
    assert sorted(path.suffix for path in (tmp_path / "page" / "figures").iterdir()) == [".csv", ".png", ".svg"]
    assert "report.html" in capsys.readouterr().out
    with pytest.raises(UsageError, match="is a file: name a folder"):
        main(["handbook", "--out", str(tmp_path / "page" / "report.html")])


def test_help_needs_no_torch():
    import subprocess
    import sys

    script = (
        "import sys\nfrom gradlab.cli import main\n"
        "try:\n    main(['explain', '--help'])\nexcept SystemExit:\n    pass\nassert 'torch' not in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, capture_output=True).returncode == 0


def test_a_network_with_sizes_and_fields(tmp_path, capsys):
    found = document(capsys, "LeNet")
    conv2 = next(part for part in found["parts"] if part["name"] == "conv2")
    assert (conv2["formulas"], conv2["field"]) == (["(12 − 5 + 2·0)/1 + 1 = 8"], "14 x 14")
    assert main(["LeNet", "--out", str(tmp_path)]) == 0
    html = (tmp_path / "report.html").read_text()
    assert "The architecture of LeNet" in html
    assert "sees most: 16 x 16 pixels" in html


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["LeNett"], "unknown model 'LeNett': did you mean 'LeNet'"),
        (["LeNet", "--input", "28"], "--input takes channels x height x width"),
        (["MLP", "--classes", "0"], "--classes must be at least 1"),
        (["lenet5"], "did you mean 'LeNet'"),
    ],
)
def test_networks_that_cannot_be_told(words, message):
    with pytest.raises(UsageError, match=message):
        main(words)


@pytest.fixture
def digit(tmp_path):
    from PIL import Image

    from gradlab import data

    Image.fromarray(data.load("digits").test.pixels[0, 0].numpy()).save(tmp_path / "digit.png")
    return str(tmp_path / "digit.png")


def test_a_trained_network_looks_at_a_picture(finished, digit, tmp_path, capsys):
    found = document(capsys, str(finished), "--image", digit)
    assert set(found["arrays"]) == {"saliency"}
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert main([str(finished), "--image", digit, "--class", "7", "--out", str(tmp_path / "page")]) == 0
    assert "Asked about 7" in capsys.readouterr().out
    assert "neither convolutions nor attention" in (tmp_path / "page" / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "add --image FILE"),
        (["--image", "DIGIT", "--class", "zwei"], "unknown class 'zwei'"),
        (["--image", "DIGIT", "--arm", "none"], "unknown arm 'none'"),
    ],
)
def test_what_a_run_cannot_show(finished, digit, words, message):
    with pytest.raises(UsageError, match=message):
        main([str(finished), *(digit if word == "DIGIT" else word for word in words)])


def test_convolutions_and_attention_have_their_figures():
    import numpy as np
    import torch

    from gradlab.cli.explain_run import _looked
    from gradlab.models import ResNet, VisionTransformer
    from gradlab.report import Pictures

    torch.manual_seed(0)
    picture, prepared = np.zeros((8, 8, 3), np.uint8), torch.rand(3, 8, 8)
    blocks, arrays = _looked(ResNet(num_blocks=(1, 1), c_hidden=(4, 6)).eval(), prepared, picture, 0, "cat")
    titles = [block.title for block in blocks if isinstance(block, Pictures)]
    assert titles[:2] == ["What speaks for cat", "Filters of stem"]
    assert titles[-1] == "Feature maps of blocks.1.residual.5"
    assert set(arrays) == {"saliency", "grad_cam"}
    blocks, arrays = _looked(VisionTransformer(8, 12, 3, 2, 2, 3, 4, 4).eval(), prepared, picture, 0, "cat")
    titles = [block.title for block in blocks if isinstance(block, Pictures)]
    assert titles == ["What speaks for cat", "Attention of blocks.0.attention", "Attention of blocks.1.attention"]


def test_a_channel_on_a_group_is_shown_for_each_element():
    import numpy as np
    import torch

    from gradlab.cli.explain_run import _looked
    from gradlab.equivariance import CyclicGroup
    from gradlab.models import P4CNN
    from gradlab.report import Pictures

    torch.manual_seed(0)
    model = P4CNN(CyclicGroup(4), image_size=8, channels=3, depths=(1, 0)).eval()
    blocks, arrays = _looked(model, torch.rand(1, 8, 8), np.zeros((8, 8), np.uint8), 0, "cat")
    named = {block.title: block.captions for block in blocks if isinstance(block, Pictures)}
    assert named["Filters of layers.0"][:5] == [
        "filter 0, g0",
        "filter 0, g1",
        "filter 0, g2",
        "filter 0, g3",
        "filter 1, g0",
    ]
    assert named["Feature maps of layers.0"][-1] == "channel 2, g3"
    assert set(arrays) == {"saliency", "grad_cam"}
