"""`gradlab list`."""

import json
from collections.abc import Sequence

from gradlab.cli.arguments import JSON, parse
from gradlab.cli.fields import outline
from gradlab.experiments import GROUPS, experiment_names, source_of


def main(words: Sequence[str]) -> int:
    """Prints every experiment with its question."""
    options = parse("list", "Every experiment with the question that it answers.", [JSON], words)
    questions = {name: outline(source_of(name)).question for name in experiment_names()}
    if options["json"]:
        listed = [{"name": name, "question": question} for name, question in questions.items()]
        print(json.dumps({"experiments": listed, "groups": {name: list(GROUPS[name]) for name in GROUPS}}, indent=2))
        return 0
    width = max(map(len, questions))
    for name, question in questions.items():
        print(f"{name.ljust(width)}  {question}")
    for name, members in GROUPS.items():
        print(f"{name.ljust(width)}  {', '.join(members)}, in one report")
    print("\ngradlab run NAME --quick needs no download; gradlab run NAME --help shows what can be varied.")
    return 0
