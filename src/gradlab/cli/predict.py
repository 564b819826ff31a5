"""`gradlab predict`."""

import csv
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import JSON, Flag, parse, positive_number, word
from gradlab.errors import FileError, UsageError, unknown
from gradlab.records import RunFolder, read_weights, write_atomically
from gradlab.report import best_validated, none_beats_guessing, percent, ties_told
from gradlab.report.wording import counted


def main(words: Sequence[str]) -> int:
    """Says which class each picture belongs to, by the mean probability over the seeds' networks."""
    flags = [
        Flag(name="run", help="the folder of a finished run", convert=word),
        Flag(
            name="images",
            help="pictures: PNG, JPEG, WEBP, ..., or folders of them",
            convert=word,
            many=True,
            shown="IMAGE",
        ),
        Flag(name="--arm", help="whose networks [the arm that validates best]", convert=word, shown="ARM"),
        Flag(name="--top", help="how many classes to name [3]", convert=positive_number, default=3, shown="N"),
        Flag(name="--csv", help="write the answers there, one row a picture", convert=word, shown="FILE"),
        Flag(name="--invert", help="swap dark and bright: for dark digits on white paper"),
        JSON,
    ]
    options = parse("predict", "What a run's networks say about pictures.", flags, words)
    run = RunFolder(Path(options["run"]))
    environment, arm = image_classifier(run, options["arm"], "predict")
    answers = _answers(run, environment, arm, options)
    for caution in (from_its_own_data(run, [answer["image"] for answer in answers]), _guesses(run)):
        if caution:
            print(caution, file=sys.stderr)
    if options["csv"]:
        write_atomically(Path(options["csv"]), os.fsencode(_as_csv(answers)))  # names need not be UTF-8
    if options["json"]:
        print(json.dumps({"run": str(run.path), "arm": arm, "predictions": answers}, indent=2))
        return 0
    seeds = answers[0]["seeds"]
    print(f"{arm}, the mean probability of {counted(seeds, 'seed')}:")
    for answer in answers:
        ranked = ", ".join(f"{entry['class']} {percent(entry['probability'], 1)}" for entry in answer["classes"])
        first = answer["classes"][0]["class"]
        print(f"{answer['image']}: {ranked} ({first} is first for {answer['agreeing']} of {counted(seeds, 'seed')})")
    if options["csv"]:
        print(f"table: {options['csv']}")
    return 0


def from_its_own_data(run: RunFolder, names: Sequence[str]) -> str | None:
    """A warning where pictures lie in the folder that the run was made from, else None."""
    kind, _, folder = str(run.document("config")["config"].get("data", "")).partition(":")
    root = Path(folder).resolve()
    own = sum(root in Path(name).resolve().parents for name in names)
    if kind != "folder" or not own:
        return None
    return (
        f"warning: {own} of {counted(len(names), 'picture')} in the folder that these networks learned from: most of "
        "them were trained on, so the answers say little of how new pictures fare (the test accuracy does)"
    )


def _guesses(run: RunFolder) -> str | None:
    """A warning where none of a run's networks was clearly better than guessing on its test images, else None."""
    if not none_beats_guessing(run.document("results")):
        return None
    return (
        "warning: no network of this run is clearly better than guessing on its test images: do not rely on an answer"
    )


def _as_csv(answers: Sequence[dict[str, Any]]) -> str:
    """One row a picture: its most probable class, that probability, and for how many of the seeds it comes first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image", "class", "probability", "agreeing", "seeds"))
    for answer in answers:
        first = answer["classes"][0]
        writer.writerow(
            (answer["image"], first["class"], f"{first['probability']:.6f}", answer["agreeing"], answer["seeds"])
        )
    return text.getvalue()


def image_classifier(run: RunFolder, wanted: str | None, command: str) -> tuple[dict[str, Any], str]:
    """(environment, arm) of a run whose networks classify pictures: the wanted arm, or the one that validates best.

    Raises:
        UsageError: they do not, or there is no such arm.
    """
    environment = run.document("environment")
    shape = environment["data"].get("shape", [])
    rows = run.rows()
    named = {row.get("arm") for row in rows if "accuracy" in row}  # other arms may end in features, not in classes
    arms = [str(arm) for arm, about in environment["arms"].items() if arm in named and not _shuffles(about)]
    if wanted in named and wanted in environment["arms"] and _shuffles(environment["arms"][wanted]):
        raise UsageError(f"'{wanted}' was trained on shuffled pixels and cannot read a picture: choose one of {arms}")
    if len(shape) != 3 or not arms:
        raise UsageError(f"{run.path} has no network that names what pictures show: {command} is for image classifiers")
    arm = wanted or best_validated(run, arms)
    if arm not in arms:
        raise unknown("arm", arm, arms)
    if wanted is None and (tie := ties_told(run, arms)):
        print(f"{tie} Choose with --arm.", file=sys.stderr)
    return environment, arm


def _shuffles(about: dict[str, Any]) -> bool:
    """Whether an arm's networks saw pixels in another order than that of a picture."""
    return any(step["name"].endswith("Shuffle") for step in about.get("recipe", {}).get("inputs", []))


def _answers(run: RunFolder, environment: dict[str, Any], arm: str, options: dict[str, Any]) -> list[dict[str, Any]]:
    import torch

    from gradlab.augment import Normalize
    from gradlab.evaluation import predict_logits

    data = environment["data"]
    names = named_pictures(options["images"])
    pixels = pictures_of(run, data, names, invert=options["invert"])
    prepare = Normalize(data["mean"], data["standard_deviation"])
    shares = torch.stack(
        [predict_logits(model, pixels, prepare).softmax(1) for model in trained_networks(run, environment, arm)]
    )
    return [_answer(name, shares[:, index], data["classes"], options["top"])
            for index, name in enumerate(names)]  # fmt: skip


def named_pictures(names: Sequence[str]) -> list[str]:
    """The files that are meant: of a folder all pictures in it, at any depth.

    Raises:
        UsageError: a folder has none.
    """
    from gradlab.data import picture_files

    files: list[str] = []
    for name in names:
        if not Path(name).is_dir():
            files.append(name)
            continue
        inside = [str(path) for path in picture_files(Path(name))]
        if not inside:
            raise UsageError(f"there is no picture in the folder {name}: name pictures, or a folder of them")
        files += inside
    return files


def pictures_of(run: RunFolder, data: dict[str, Any], names: Sequence[str], *, invert: bool) -> Any:
    """Pictures from disk as a run's networks take them before they are normalised: uint8 [N, C, H, W]."""
    import torch

    from gradlab.data.decode import read_picture

    channels, height, _width = data["shape"]
    framing = run.document("config").get("framing", "crop")  # older runs do not say
    pictures = torch.stack([torch.from_numpy(read_picture(Path(name), height, framing).copy()) for name in names])
    pixels = pictures.permute(0, 3, 1, 2)
    if channels == 1:
        weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)  # luma of ITU-R BT.601, as Pillow's mode L
        pixels = (pixels.float() * weights).sum(1, keepdim=True).round().to(torch.uint8)
    elif channels != 3:
        raise UsageError(f"this run's networks take {channels} channels; pictures have 1 or 3")
    return (255 - pixels if invert else pixels).contiguous()


def trained_networks(run: RunFolder, environment: dict[str, Any], arm: str) -> list[Any]:
    """The networks of an arm with their selected weights, one for each seed that has any."""
    import torch

    from gradlab.cli.settings import configured, load_experiment

    settings, data = run.document("config"), environment["data"]
    module = load_experiment(settings["experiment"])
    config = configured(module, settings)
    models = []
    digests = {Path(name).name: digest for name, digest in environment["arms"][arm]["weights"].items()}
    for seed in settings["seeds"]:
        path = run.weights(arm, seed)
        if not digests.get(path.name):
            continue  # a seed that diverged has no weights
        model = module.network(config, arm, tuple(data["shape"]), len(data["classes"]))
        arrays = read_weights(path, sha256=digests[path.name])
        try:
            model.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
        except RuntimeError as error:
            raise FileError(f"{path} does not fit the network of '{arm}'") from error
        models.append(model.eval())
    if not models:
        raise UsageError(f"'{arm}' has no weights: every seed diverged")
    return models


def _answer(name: str, shares: Any, classes: Sequence[str], top: int) -> dict[str, Any]:
    mean = shares.mean(0)
    order = mean.argsort(descending=True, stable=True)[:top].tolist()
    return {
        "image": name,
        "classes": [{"class": classes[index], "probability": mean[index].item()} for index in order],
        "agreeing": int((shares.argmax(1) == order[0]).sum()),
        "seeds": len(shares),
    }
