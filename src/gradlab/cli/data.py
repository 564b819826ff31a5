"""`gradlab data list | fetch | show`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import FRAMING, JSON, Flag, one_of, parse, positive_number, whole_number, word
from gradlab.errors import UsageError, unknown

ROOT = Flag(name="--data-root", help="where datasets are [GRADLAB_DATA, else your cache]", convert=word, shown="FOLDER")
OFFLINE = Flag(name="--offline", help="never download")


def main(words: Sequence[str]) -> int:
    """Runs one of the verbs on datasets."""
    if not words or words[0] in ("-h", "--help"):
        print("usage: gradlab data {list,fetch,show} [...]\n")
        print("  list   every dataset, and whether it is here\n  fetch  download a dataset and check it")
        print("  show   write a picture of a dataset")
        return 0
    if words[0] not in VERBS:
        raise unknown("data command", words[0], VERBS, where="gradlab data --help")
    return VERBS[words[0]](words[1:])


def _list(words: Sequence[str]) -> int:
    options = parse("data list", "Every dataset, and whether it is here.", [ROOT, JSON], words)
    from gradlab.data import catalogue, data_root

    root = _root(options)
    entries = catalogue(root)
    if options["json"]:
        print(json.dumps({"root": str(data_root(root)), "datasets": [asdict(entry) for entry in entries]}, indent=2))
        return 0
    for entry in entries:
        here = "here" if entry.present else f"not here, {entry.download_bytes / 1e6:,.0f} MB to download"
        size = "x".join(map(str, entry.shape))
        counts = f"{entry.train:,} + {entry.validation:,} + {entry.test:,}"
        rest = f", {entry.unlabelled:,} unlabelled" if entry.unlabelled else ""
        print(f"{entry.name:<14} {size:<8} {len(entry.classes):>3} classes  {counts}{rest}  ({here})")
    print("folder:PATH    your own pictures, one sub-folder a class, or train, validation and test folders of them")
    print(f"\ndata root: {data_root(root)} (--data-root, else GRADLAB_DATA, else your cache)")
    return 0


def _fetch(words: Sequence[str]) -> int:
    flags = [Flag(name="name", help="the dataset; see `gradlab data list`", convert=word), ROOT, OFFLINE, JSON]
    options = parse(
        "data fetch", "Downloads a dataset, checks every file and puts it under the data root.", flags, words
    )
    from gradlab.data import fetch, show_progress

    progress = None if options["json"] else show_progress
    root = fetch(options["name"], root=_root(options), offline=bool(options["offline"]), progress=progress)
    told = {"name": options["name"], "root": str(root)}
    print(json.dumps(told, indent=2) if options["json"] else f"{options['name']} is whole under {root}")
    return 0


def _show(words: Sequence[str]) -> int:
    flags = [
        Flag(name="name", help="the dataset, or folder:PATH", convert=word),
        Flag(name="--split", help="train, validation, test or unlabelled [train]", default="train", shown="SPLIT",
             convert=one_of(("train", "validation", "test", "unlabelled"))),
        Flag(name="--columns", help="pictures in a row [10]", convert=positive_number, default=10, shown="N"),
        Flag(name="--seed", help="which pictures are drawn [0]", convert=whole_number, default=0, shown="SEED"),
        Flag(name="--out", help="the PNG to write [NAME.png]", convert=word, shown="FILE"),
        FRAMING, ROOT, OFFLINE, JSON,
    ]  # fmt: skip
    options = parse("data show", "Writes a picture of a dataset, one row a class.", flags, words)
    from gradlab.data import load, save_picture_grid
    from gradlab.records import slug

    splits = load(options["name"], root=_root(options), offline=bool(options["offline"]), framing=options["framing"])
    parts = splits.parts()
    if options["split"] not in parts:
        raise UsageError(f"{splits.name} has no {options['split']} part: it has {', '.join(parts)}")
    path = Path(options["out"] or f"{slug(splits.name)}.png")
    save_picture_grid(path, parts[options["split"]], columns=options["columns"], seed=options["seed"])
    told = {"picture": str(path), "name": splits.name, "sha256": splits.digest(), "classes": list(splits.classes)}
    print(json.dumps(told, indent=2) if options["json"] else f"{path}: {options['split']} images of {splits.name}")
    return 0


VERBS: dict[str, Callable[[Sequence[str]], int]] = {"list": _list, "fetch": _fetch, "show": _show}


def _root(options: dict[str, Any]) -> Path | None:
    return Path(options["data_root"]) if options["data_root"] else None
