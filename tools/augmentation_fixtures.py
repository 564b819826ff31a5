"""Writes what torchvision makes of a few small images, and what it draws: tests/augment/torchvision.npz.

gradlab never imports torchvision, so this runs once, in an environment of its own that holds torch and torchvision
0.28, and its result is committed. Run: `python -m tools.augmentation_fixtures`
"""

from pathlib import Path

import numpy as np
import torch

for _operator in ("nms", "qnms"):  # which torchvision's Python asks for, and a CPU-only torch lacks
    torch.library.define(f"torchvision::{_operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import transforms as T  # noqa: E402, TID251
from torchvision.transforms import InterpolationMode  # noqa: E402, TID251
from torchvision.transforms import functional as F  # noqa: E402, TID251

TARGET = Path(__file__).parents[1] / "tests" / "augment" / "torchvision.npz"
DRAWS = 2000
JITTER = T.ColorJitter(0.5, 0.5, 0.5, 0.1)
OPERATIONS = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)


def pictures() -> torch.Tensor:
    """Eight images uint8 [8, 3, 12, 16]: smooth ones, noise, and the corners of the colour cube, greys among them."""
    coarse = torch.rand(5, 3, 3, 4)
    smooth = torch.nn.functional.interpolate(coarse, (12, 16), mode="bilinear").mul(255).byte()
    noise = torch.randint(0, 256, (1, 3, 12, 16), dtype=torch.uint8)
    corners = torch.randint(0, 2, (1, 3, 12, 16), dtype=torch.uint8) * 255
    greys = torch.randint(0, 256, (1, 1, 12, 16), dtype=torch.uint8).expand(-1, 3, -1, -1)
    return torch.cat([smooth, noise, corners, greys])


def jitters(count: int) -> dict[str, torch.Tensor]:
    drawn = [JITTER.get_params(JITTER.brightness, JITTER.contrast, JITTER.saturation, JITTER.hue) for _ in range(count)]
    return {
        "order": torch.stack([order for order, *_ in drawn]),
        "amounts": torch.tensor([amounts for _, *amounts in drawn]),
    }


def jittered(image: torch.Tensor, order: torch.Tensor, amounts: torch.Tensor) -> torch.Tensor:
    for operation in order.tolist():
        image = OPERATIONS[operation](image, amounts[operation].item())
    return image


def single_operations(images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each operation of the jitter by itself, for the amounts of one draw, and all in the drawn order."""
    drawn = jitters(len(images))
    found = {f"jitter/{name}": values for name, values in drawn.items()}
    for number, operation in enumerate(OPERATIONS):
        found[operation.__name__] = torch.stack(
            [operation(image, row[number].item()) for image, row in zip(images, drawn["amounts"], strict=True)]
        )
    found["jitter"] = torch.stack([jittered(*sample) for sample in zip(images, *drawn.values(), strict=True)])
    found["grey"] = F.rgb_to_grayscale(images, 3)
    for size in (3, 5):
        found[f"blur/sigma {size}"] = sigma = torch.tensor([T.GaussianBlur.get_params(0.1, 2.0) for _ in images])
        blurs = [F.gaussian_blur(image, [size, size], [s]) for image, s in zip(images, sigma.tolist(), strict=True)]
        found[f"blur {size}"] = torch.stack(blurs)
    return found


def places(images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Crops, turns, shifts and blots."""
    found = {}
    for size in (8, 16):
        rows = [T.RandomResizedCrop.get_params(image, [0.25, 1.0], [3 / 4, 4 / 3]) for image in images]
        found[f"crop/rectangles {size}"] = torch.tensor(rows)
        cuts = [F.resized_crop(image, *row, [size, size], antialias=True)
                for image, row in zip(images, rows, strict=True)]  # fmt: skip
        found[f"crop {size}"] = torch.stack(cuts)
    found["rotation/degrees"] = degrees = torch.tensor([T.RandomRotation.get_params([-180, 180]) for _ in images])
    turned = [F.rotate(image, angle, InterpolationMode.BILINEAR)
              for image, angle in zip(images, degrees.tolist(), strict=True)]  # fmt: skip
    found["rotation"] = torch.stack(turned)
    shifts = [T.RandomAffine.get_params((0, 0), (0.4, 0.4), None, None, [16, 12])[1] for _ in images]
    found["translation/shifts"] = torch.tensor(shifts)
    shifted = [F.affine(image, 0.0, list(shift), 1.0, [0.0, 0.0]) for image, shift in zip(images, shifts, strict=True)]
    found["translation"] = torch.stack(shifted)
    blots = [T.RandomErasing.get_params(image, (0.1, 0.4), (0.3, 3.3), [0.25]) for image in images]
    found["erasing/rectangles"] = torch.tensor([blot[:4] for blot in blots])
    found["erasing"] = torch.stack([F.erase(image, *blot) for image, blot in zip(images, blots, strict=True)])
    return found


def whole_recipe(images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Practical 5's row of transforms at 12 x 12 pixels, step by step with what each step drew."""
    steps = {
        "recipe/mirrored": torch.rand(len(images)) < 0.5,
        "recipe/rectangles": torch.tensor(
            [T.RandomResizedCrop.get_params(image, [0.25, 1.0], [3 / 4, 4 / 3]) for image in images]
        ),
        "recipe/chosen": torch.rand(len(images)) < 0.8,
        **{f"recipe/{name}": values for name, values in jitters(len(images)).items()},
        "recipe/greyed": torch.rand(len(images)) < 0.3,
        "recipe/sigma": torch.tensor([T.GaussianBlur.get_params(0.1, 2.0) for _ in images]),
    }
    views = []
    for image, mirrored, rectangle, chosen, order, amounts, greyed, sigma in zip(images, *steps.values(), strict=True):
        view = F.hflip(image) if mirrored else image
        view = F.resized_crop(view, *rectangle.tolist(), [12, 12], antialias=True)
        view = jittered(view, order, amounts) if chosen else view
        view = F.rgb_to_grayscale(view, 3) if greyed else view
        views.append(F.normalize(F.gaussian_blur(view, [3, 3], [sigma.item()]), [0.5] * 3, [0.5] * 3))
    return {**steps, "recipe": torch.stack(views)}


def draws() -> dict[str, torch.Tensor]:
    """What torchvision draws for images of 32 x 32 pixels, `DRAWS` times."""
    image = torch.zeros(3, 32, 32)
    jitter = jitters(DRAWS)
    crops = [T.RandomResizedCrop.get_params(image, [0.25, 1.0], [3 / 4, 4 / 3]) for _ in range(DRAWS)]
    shifts = [T.RandomAffine.get_params((0, 0), (0.2, 0.1), None, None, [32, 32])[1] for _ in range(DRAWS)]
    blots = [T.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])[:4] for _ in range(DRAWS)]
    return {
        "draws/jitter amounts": jitter["amounts"],
        "draws/jitter order": jitter["order"].byte(),
        "draws/crop": torch.tensor(crops, dtype=torch.uint8),
        "draws/sigma": torch.tensor([T.GaussianBlur.get_params(0.1, 2.0) for _ in range(DRAWS)]),
        "draws/degrees": torch.tensor([T.RandomRotation.get_params([-30, 30]) for _ in range(DRAWS)]),
        "draws/shifts": torch.tensor(shifts, dtype=torch.int8),
        "draws/erasing": torch.tensor(blots, dtype=torch.uint8),
    }


def main() -> None:
    torch.manual_seed(0)
    images = pictures()
    floats = images.float() / 255
    found = {"images": images, **single_operations(floats), **places(floats), **whole_recipe(floats), **draws()}
    np.savez_compressed(TARGET, **{name: values.numpy() for name, values in found.items()})
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
