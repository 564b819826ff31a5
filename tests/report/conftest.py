import math
from html.parser import HTMLParser

import numpy as np
import pytest

from gradlab.report import (
    Answer,
    Bullets,
    Code,
    ConfusionMatrix,
    Details,
    Facts,
    Heading,
    Page,
    Pictures,
    Table,
    Text,
    line_chart,
    point_chart,
    results,
    results_table,
)

HOSTILE = "<script>alert('1')</script> & \"quotes\" $x$ #let [b] *c*"
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Outline(HTMLParser):
    """Collects what a test asks of a page, and fails on tags that do not nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data) -> None:
        self.texts.append(data)

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def headings(self) -> list[int]:
        return [int(name[1]) for name, _ in self.tags if name in ("h1", "h2", "h3", "h4", "h5", "h6")]


def rows_of(arms=("MLP", "LeNet", HOSTILE), seeds=3, epochs=4):
    """Rows of a made-up run: learning curves and results whose values follow from arm, seed and epoch."""
    rows = []
    for place, arm in enumerate(arms):
        for seed in range(seeds):
            for epoch in range(1, epochs + 1):
                accuracy = 0.9 + 0.02 * place + 0.01 * math.log(epoch) + 0.002 * seed
                for split, shift in (("train", 0.01), ("validation", 0.0)):
                    about = {"arm": arm, "seed": seed, "epoch": epoch, "split": split}
                    rows.append({**about, "accuracy": accuracy + shift, "loss": 2 * (1 - accuracy)})
            accuracy = 0.9 + 0.02 * place + 0.002 * seed
            rows.append({"arm": arm, "seed": seed, "split": "test", "accuracy": accuracy, "loss": 2 * (1 - accuracy)})
    return rows


def page_of(rows, **changes):
    document = results(
        rows,
        experiment="demo",
        command=f"gradlab run demo --name '{HOSTILE}'",
        environment={"python": "3.11.7", "packages": {"numpy": "2.0"}, "memory_bytes": 2**34},
        seconds=200.4,
        parameters={"MLP": 1000},
    )
    random = np.random.default_rng(0)
    blocks = [
        Answer(f"The answer is 98 %. {HOSTILE}"),
        Text("First.\n\nSecond.", heading="Words"),
        line_chart(rows, where={"split": ["train", "validation"]}, percent=True, title="Accuracy"),
        line_chart(rows, y="loss", where={"split": "validation"}, log_y=True, title="Accuracy", caption=HOSTILE),
        point_chart(document, "test_accuracy", references={"MLP": 0.91}, reference_name="1998"),
        Heading("More"),
        results_table(document, ["test_accuracy"]),
        Table(("a", "b"), [(HOSTILE, "1"), ("x", "2")], caption="A table"),
        ConfusionMatrix(np.array([[5, 1], [0, 7]]), ["cat", HOSTILE], "Confusions"),
        Pictures(random.integers(0, 256, (4, 28, 28), dtype=np.uint8), ["1", "2\nis 3", HOSTILE, "4"], "Mistakes"),
        Pictures(random.integers(0, 256, (2, 8, 12, 3), dtype=np.uint8), ["a", "b"], "Colour", columns=2),
        Facts([("a", "b")], heading="Facts"),
        Bullets(("one", HOSTILE)),
        Code("gradlab run demo"),
        Details("More", [Text("Inside", heading="Deep"), Table(("a",), [("b",)])]),
    ]
    settled = {
        "title": f"Demo {HOSTILE}",
        "question": f"What is asked? {HOSTILE}",
        "blocks": blocks,
        "results": document,
        "config": {"epochs": 4, "rate": 0.1},
        "defaults": {"epochs": 10, "rate": 0.1},
        "data": {"name": "MNIST", "sha256": "0" * 64},
        "files": ("rows.jsonl",),
    }
    return Page(**(settled | changes))


@pytest.fixture(scope="session")
def rows():
    return rows_of()


@pytest.fixture(scope="session")
def page(rows):
    return page_of(rows)


@pytest.fixture
def make_rows():
    return rows_of


@pytest.fixture
def make_page():
    return page_of


@pytest.fixture
def outline():
    def parsed(html: str) -> Outline:
        found = Outline()
        found.feed(html)
        found.close()
        assert not found.open
        return found

    return parsed


@pytest.fixture(scope="session")
def hostile():
    return HOSTILE
