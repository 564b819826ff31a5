"""The exercises in the order of the practicals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the course.

    Args:
        folder: its folder and the name of its notebook.
        title: what it is about.
        exercises: in order.
    """

    folder: str
    title: str
    exercises: tuple[str, ...]


CHAPTERS = (
    Chapter("introduction", "Tensors and autograd", ("images_to_tensor",)),
    Chapter("practical1", "Multi-layer perceptrons", ("softmax", "sgd_momentum", "mlp")),
)
