"""What `gradlab explain RUN --image FILE` shows: a trained network looking at a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.cli.predict import image_classifier, pictures_of, trained_networks
from gradlab.errors import UsageError
from gradlab.records import RunFolder
from gradlab.report import Answer, Block, Heading, Page, Pictures, Text, heated, percent, shades

LAYERS, CHANNELS = 4, 16
"""At most so many layers are shown, and of each so many channels."""


def explained_run(
    folder: str, image: str, *, arm: str | None, label: str | None, invert: bool
) -> tuple[str, dict[str, Any], Page]:
    """(text, document, page) of the first seed's network of an arm, looking at one picture.

    Args:
        folder: of a finished run whose networks classify pictures.
        image: a file.
        arm: whose network; the one that validates best where None.
        label: the name of the class that is asked about; the one the network names where None.
        invert: swaps dark and bright.

    Raises:
        UsageError: the run has no such network or class.
    """
    import torch

    from gradlab.augment import Normalize

    run = RunFolder(Path(folder))
    environment, chosen = image_classifier(run, arm, "explain")
    data = environment["data"]
    classes = data["classes"]
    model = trained_networks(run, environment, chosen)[0]
    pixels = pictures_of(run, data, [image], invert=invert)
    prepared = Normalize(data["mean"], data["standard_deviation"])(pixels)[0]
    with torch.no_grad():
        shares = model(prepared.unsqueeze(0)).softmax(1)[0]
    named = int(shares.argmax())
    asked = named if label is None else _class(label, classes)
    picture = np.ascontiguousarray(pixels[0].permute(1, 2, 0).squeeze(-1).numpy())
    blocks, arrays = _looked(model, prepared, picture, asked, classes[asked])
    says = (
        f"The network of '{chosen}' says {classes[named]} ({percent(float(shares[named]), 1)}) to {Path(image).name}."
    )
    if asked != named:
        says += f" Asked about {classes[asked]} ({percent(float(shares[asked]), 1)})."
    document = {
        "run": str(run.path),
        "arm": chosen,
        "image": image,
        "class": classes[asked],
        "probabilities": {name: float(share) for name, share in zip(classes, shares, strict=True)},
        "arrays": {name: array.tolist() for name, array in arrays.items()},
    }
    page = Page(title=f"{type(model).__name__} looks at {Path(image).name}",
                question=f"What in {Path(image).name} speaks for {classes[asked]}?",
                blocks=[Answer(says), *blocks], brief=True)  # fmt: skip
    text = "\n".join([says, *(f"{name}: {_told(array)}" for name, array in arrays.items())])
    return text, document, page


def _class(label: str, classes: Sequence[str]) -> int:
    from gradlab.errors import unknown

    if label not in classes:
        raise unknown("class", label, classes)
    return list(classes).index(label)


def _looked(
    model: Any, prepared: Any, picture: np.ndarray, label: int, name: str
) -> tuple[list[Block], dict[str, np.ndarray]]:
    """The page's figures, and the arrays of saliency and Grad-CAM behind them."""
    from gradlab.explain import attention_maps, copies, feature_maps, filters, grad_cam, saliency

    told = f"Saliency: how strongly the score of {name} changes with each pixel."
    arrays = {"saliency": saliency(model, prepared, label).numpy()}
    captions = ["the picture", "saliency"]
    kernels = filters(model)
    if kernels:
        arrays["grad_cam"] = grad_cam(model, prepared, label).numpy()
        captions.append("Grad-CAM")
        told += " Grad-CAM: where the last convolution's features speak for it."
    shown = [heated(picture, np.zeros((1, 1))), *(heated(picture, heat) for heat in arrays.values())]
    told += " Orange is strong, each on its own scale; this shows what the network uses, not why."
    blocks: list[Block] = [Pictures(np.stack(shown), captions, f"What speaks for {name}", 3, told)]
    blocks += _attention_figures(attention_maps(model, prepared), picture)
    if kernels:
        blocks.append(Heading("Inside the convolutions"))
        each, maps = copies(model), feature_maps(model, prepared)
        first = next(iter(kernels))
        blocks += [_filter_figure(first, kernels[first], each[first])]
        blocks += [_feature_figure(layer, maps[layer].numpy(), each[layer]) for layer in _spread(list(maps))]
    elif not blocks[1:]:
        blocks.append(Text("This network has neither convolutions nor attention: there are no maps to show."))
    return blocks, arrays


def _spread(names: Sequence[str]) -> list[str]:
    """At most `LAYERS` of the layers, the first and the last among them."""
    if len(names) <= LAYERS:
        return list(names)
    places = np.linspace(0, len(names) - 1, LAYERS).round().astype(int)
    return [str(names[place]) for place in places.tolist()]


def _filter_figure(layer: str, weights: Any, copies: int) -> Pictures:
    kernels = weights[:CHANNELS].numpy()
    coloured = kernels.shape[1] == 3
    maps = kernels.transpose(0, 2, 3, 1) if coloured else kernels.mean(1)
    what = "" if coloured or kernels.shape[1] == 1 else ", the mean over input channels"
    return Pictures(shades(maps), _numbered("filter", len(maps), copies), f"Filters of {layer}", 8,
                    f"{len(maps)} of {len(weights)} filters{what}; black is the least weight of each, white the "
                    f"largest.{_moved('filter', copies)}")  # fmt: skip


def _feature_figure(layer: str, maps: np.ndarray, copies: int) -> Pictures:
    chosen = maps[:CHANNELS]
    return Pictures(shades(chosen), _numbered("channel", len(chosen), copies), f"Feature maps of {layer}", 8,
                    f"{len(chosen)} of {len(maps)} channels; each from black (its least number) to white (its "
                    f"largest).{_moved('channel', copies)}")  # fmt: skip


def _numbered(what: str, count: int, copies: int) -> list[str]:
    """Such as "channel 3", or "channel 0, g3" for a channel on a group and its response for the element 3."""
    if copies == 1:
        return [f"{what} {place}" for place in range(count)]
    return [f"{what} {place // copies}, g{place % copies}" for place in range(count)]


def _moved(what: str, copies: int) -> str:
    return f" Each {what} counts {copies} times, once for each element g of the group." if copies > 1 else ""


def _attention_figures(maps: dict[str, Any], picture: np.ndarray) -> list[Block]:
    """Of the last layers what the class token looks at, laid over the picture, a picture for each head."""
    figures: list[Block] = []
    for layer in _spread(list(maps)):
        weights = maps[layer].numpy()  # [heads, tokens, tokens]
        places = weights.shape[1] - 1
        side = round(places**0.5)
        if side * side != places or places < 1:
            heads = shades(weights)
            told = "Rows look at columns; white is the most."
        else:
            heads = np.stack([heated(picture, head[0, 1:].reshape(side, side)) for head in weights])
            told = "What the class token looks at; orange is the most."
        captions = [f"head {place}" for place in range(len(heads))]
        figures.append(Pictures(heads, captions, f"Attention of {layer}", max(4, len(heads)), told))
    return [Heading("Attention"), *figures] if figures else []


def _told(array: np.ndarray) -> str:
    row, column = np.unravel_index(int(array.argmax()), array.shape)
    return f"{array.shape[0]} x {array.shape[1]}, largest {array.max():.4g} at row {row}, column {column}"


def need_image(image: str | None) -> str:
    """The picture to look at.

    Raises:
        UsageError: none is named.
    """
    if image is None:
        raise UsageError("a run is explained by a picture that its network looks at: add --image FILE")
    return image
