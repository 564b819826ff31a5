"""Binds finished runs into one report that answers the handbook's questions: practicals, slides and cheat-sheet."""

from collections.abc import Iterator, Mapping, Sequence

from gradlab.answers import cheatsheet, practical1, practical2, practical3, practical4, practical5, slides
from gradlab.answers.question import Practical, Question
from gradlab.records import RunFolder
from gradlab.report import Answer, Block, Bullets, Heading, Page, Table, Text, block_title

PRACTICALS = (
    practical1.PRACTICAL,
    practical2.PRACTICAL,
    practical3.PRACTICAL,
    practical4.PRACTICAL,
    practical5.PRACTICAL,
)
"""All practicals whose experiments there are."""

PAGES = (*PRACTICALS, slides.PRACTICAL, cheatsheet.PRACTICAL)
"""All that is answered, a page each."""

Runs = Mapping[str, Sequence[RunFolder]]
"""Experiment -> its finished runs, the preferred one first."""


def bind(runs: Runs) -> list[Page]:
    """A page for each practical, for the slides and the cheat-sheet, and one that says where the answers come from."""
    pages = [
        Page(title=practical.title, question=practical.subject, blocks=list(_blocks(practical, runs)), brief=True)
        for practical in PAGES
    ]
    return [*pages, Page(title="The runs", question="Where every number comes from", blocks=_sources(runs), brief=True)]


def _blocks(practical: Practical, runs: Runs) -> Iterator[Block]:
    for question in practical.questions:
        run = question.answering(runs)
        yield Heading(f"{question.part}. {question.text}")
        if run is None:
            yield Text(f"Not answered yet: gradlab run {question.experiment_name}")
        else:
            yield from _answer(question, run)


def _answer(question: Question, run: RunFolder) -> Iterator[Block]:
    """The page's own answer, the discussion, and the parts of the page that belong to it."""
    blocks = question.experiment.page(run)
    told = [block.text for block in blocks if isinstance(block, Answer) and question.opening]
    if question.measured and run.document("config")["quick"]:
        told.insert(0, "(A quick run, which settles nothing.)")
    yield Text(" ".join([*told, *question.discuss(run)]))
    following = False  # bullets belong to the text before them
    for block in blocks:
        shown = block_title(block) in question.shows or (following and isinstance(block, Bullets))
        if shown:
            yield block
        following = shown and isinstance(block, Text)


def _found(runs: Runs) -> str:
    """What there is where no question has an answer."""
    counts = {name: len(found) for name, found in sorted(runs.items()) if found}
    if not counts:
        return "No finished run was found."
    listed = ", ".join(name if count == 1 else f"{name} ({count} runs)" for name, count in counts.items())
    return f"None of the finished runs answers a question of the handbook: {listed}."


def _sources(runs: Runs) -> list[Block]:
    used = {
        run.path: (question.experiment_name, run)
        for practical in PAGES
        for question in practical.questions
        if (run := question.answering(runs)) is not None
    }
    if not used:
        return [Text(f"{_found(runs)} gradlab run practical1 makes the runs of the first practical.")]
    rows = []
    for name, run in used.values():
        settings, data = run.document("config"), run.document("environment").get("data", {})
        seeds = ", ".join(map(str, settings["seeds"]))
        epochs, quick = str(settings["config"].get("epochs", "–")), "quick" if settings["quick"] else "usual"
        rows.append((name, str(data.get("name", "–")), seeds, epochs, quick))
    return [
        Table(("experiment", "data", "seeds", "epochs", "settings"), rows),
        Bullets(tuple(f"{run.path}: {run.document('config')['command']}" for _, run in used.values())),
    ]
