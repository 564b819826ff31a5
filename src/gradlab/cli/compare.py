"""`gradlab compare`."""

import json
from collections.abc import Sequence
from pathlib import Path

from gradlab.cli.arguments import JSON, Flag, parse, word
from gradlab.errors import UsageError
from gradlab.records import RunFolder


def main(words: Sequence[str]) -> int:
    """Holds the arms of two or more runs beside each other, paired by seed."""
    flags = [
        Flag(name="runs", help="the folders of two finished runs or more", convert=word, many=True, shown="RUN"),
        JSON,
    ]
    options = parse("compare", "Compares runs seed by seed; says what the seeds can and cannot show.", flags, words)
    names = options["runs"]
    if len(names) < 2:
        raise UsageError("compare takes two runs or more: gradlab compare RUN RUN")
    places = [Path(name).resolve() for name in names]
    if twice := next((name for name, place in zip(names, places, strict=True) if places.count(place) > 1), None):
        raise UsageError(f"{twice} is named twice: a run beside itself shows nothing, so name another one")
    from gradlab.report import compare_runs, comparison_text, differing_settings, labels_of

    runs = [RunFolder(Path(name)) for name in names]
    documents = [run.document("results") for run in runs]
    document = compare_runs(documents, labels_of(runs), settings=differing_settings(runs))
    print(json.dumps(document, indent=2) if options["json"] else comparison_text(document))
    return 0
