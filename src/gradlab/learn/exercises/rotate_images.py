"""Rotate images by right angles.

Write `rotate_images(images, turns)` for images [batch, channels, height, width]: each image turned counter-clockwise by
`turns` right angles, as seen when row 0 is drawn at the top. `turns` may be negative or above 3. For odd numbers of
turns height and width change places. Build it from `flip` and `transpose`.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 2, part 2: rotated test images"
WITHOUT = ("rot90", "grid_sample", "affine_grid")
HINTS = (
    "Take a sheet of paper with F on it. Which mirror image do you see after swapping rows and columns?",
    "Transposing mirrors at the diagonal; flipping the rows afterwards makes it a counter-clockwise turn.",
    "One turn: `images.transpose(2, 3).flip(2)`. Repeat it `turns % 4` times.",
)


def rotate_images(images: Tensor, turns: int) -> Tensor:
    """Returns the images turned counter-clockwise.

    Args:
        images: [batch, channels, height, width].
        turns: right angles; any whole number.
    """
    ### BEGIN SOLUTION
    for _ in range(turns % 4):
        images = images.transpose(2, 3).flip(2)
    return images
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    shape = (draw.size(1, 3), draw.size(1, 2), draw.size(2, 4), draw.size(3, 4))
    return {"images": draw.normal(*shape), "turns": [1, 2, 3, -1, 6, 0, 5][draw.case]}


CHECK = Check(
    case=_case,
    cases=7,
    faults=(
        Fault(
            "the images turn clockwise",
            "Counter-clockwise: what was on the right comes to the top.",
            lambda x, t: x.rot90(-t, (2, 3)),
        ),
        Fault(
            "the images are only transposed",
            "A transpose mirrors; a flip has to follow.",
            lambda x, t: x.transpose(2, 3) if t % 2 else x,
        ),
        Fault("the images are mirrored left to right", "A turn keeps F an F.", lambda x, t: x.flip(3) if t % 4 else x),
        Fault("the turns are not counted", "Repeat the turn `turns % 4` times.", lambda x, t: x.rot90(1, (2, 3))),
        Fault(
            "negative turns do nothing",
            "`range(-1)` is empty: take `turns % 4`.",
            lambda x, t: x.rot90(max(t, 0), (2, 3)),
        ),
        Fault("turned twice as far", "One turn is a right angle.", lambda x, t: x.rot90(2 * t, (2, 3))),
        Fault(
            "turned by one less", "`range(turns)` counts turns times.", lambda x, t: x.rot90(max(t % 4 - 1, 0), (2, 3))
        ),
        Fault("channels and rows are turned", "Axes 2 and 3 are height and width.", lambda x, t: x.rot90(t, (1, 2))),
        Fault(
            "the images are reshaped instead of transposed",
            "`view` and `reshape` keep the order of the numbers.",
            lambda x, t: x.rot90(t, (2, 3)) if t % 2 == 0 else x.reshape(*x.shape[:2], x.shape[3], x.shape[2]),
        ),
        Fault(
            "flipped at both axes for an odd turn",
            "Two flips are half a turn.",
            lambda x, t: x.rot90(t, (2, 3)) if t % 2 == 0 else x.flip(2, 3),
        ),
    ),
)
