"""Dropout.

Write `dropout(x, uniform, p, training)`. While training each number of x is set to 0 with probability p, and the others
are divided by 1 - p, so that the expectation stays; otherwise x comes back as it is. The randomness is handed in:
`uniform` has the shape of x and numbers in [0, 1); drop where it is below p.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: nn.Dropout; practical 1, part 2: regularisation"
WITHOUT = ("dropout", "Dropout", "alpha_dropout")
HINTS = (
    "The kept places are those where `uniform >= p`: a tensor of truth values.",
    "A number survives with probability 1 - p, so dividing by 1 - p keeps its expectation.",
    "`return x * (uniform >= p) / (1 - p) if training else x`.",
)


def dropout(x: Tensor, uniform: Tensor, p: float, training: bool) -> Tensor:
    """Returns x with dropped numbers while training, else x.

    Args:
        x: any numbers.
        uniform: numbers in [0, 1) of the same shape.
        p: probability of dropping, in [0, 1).
        training: whether the network is being trained.
    """
    ### BEGIN SOLUTION
    return x * (uniform >= p) / (1 - p) if training else x
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    shape = (draw.size(2, 4), draw.size(3, 6))
    uniform = draw.uniform(*shape)
    p = draw.choice((0.25, 0.375, 0.75))
    uniform[0, 0], uniform[0, 1], uniform[1, 2], uniform[1, 1] = 0.05, 0.95, 0.3, p
    return {"x": draw.normal(*shape) + 0.5, "uniform": uniform, "p": p, "training": draw.case != 1}


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the kept numbers are not scaled",
            "Divide by 1 - p, or evaluation sees larger numbers than training did.",
            lambda x, u, p, t: x * (u >= p) if t else x,
        ),
        Fault(
            "a number whose draw is p itself is dropped",
            "Drop where uniform is below p; at p the number stays.",
            lambda x, u, p, t: x * (u > p) / (1 - p) if t else x,
        ),
        Fault(
            "the scale belongs to evaluation here",
            "Scale while training (divide by 1 - p); in evaluation x stays as it is.",
            lambda x, u, p, t: x * (u >= p) if t else x * (1 - p),
        ),
        Fault(
            "p is the probability of keeping here",
            "p is the probability of dropping: keep where uniform >= p.",
            lambda x, u, p, t: x * (u < p) / p if t else x,
        ),
        Fault(
            "the mask is the wrong way round",
            "Drop where uniform is below p.",
            lambda x, u, p, t: x * (u < p) / (1 - p) if t else x,
        ),
        Fault(
            "divided by p instead of 1 - p",
            "A number survives with probability 1 - p.",
            lambda x, u, p, t: x * (u >= p) / p if t else x,
        ),
        Fault(
            "multiplied by 1 - p instead of divided",
            "The survivors have to make up for the dropped ones.",
            lambda x, u, p, t: x * (u >= p) * (1 - p) if t else x,
        ),
        Fault(
            "numbers are dropped in evaluation",
            "In evaluation x comes back as it is.",
            lambda x, u, p, t: x * (u >= p) / (1 - p),
        ),
        Fault(
            "numbers are dropped in evaluation only",
            "Drop while training.",
            lambda x, u, p, t: x if t else x * (u >= p) / (1 - p),
        ),
        Fault(
            "whole rows are dropped",
            "Each number has its own draw.",
            lambda x, u, p, t: x * (u[:, :1] >= p) / (1 - p) if t else x,
        ),
        Fault("a fixed half is dropped", "Compare with p.", lambda x, u, p, t: x * (u >= 0.5) / (1 - p) if t else x),
        Fault(
            "the numbers are replaced by the mask",
            "Multiply x by the mask.",
            lambda x, u, p, t: (u >= p) / (1 - p) if t else x,
        ),
    ),
)
