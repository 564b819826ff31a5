"""Initial weights of the right size.

A layer keeps the variance of its signal when its weights have the right variance. Write
`initial_weights(normal, gain)`: `normal` holds standard normal numbers in the shape of the weight, [out, in] of a
linear layer or [out, in, height, width] of a convolution; the result has variance gain / fan_in, where fan_in is how
many numbers one output is summed from. (gain is 2 for ReLU, after He et al., and 1 for a recurrent network, whose
unit adds two such sums.)
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: parameter initialisation, variance 2 / num_in and 1 / num_in"
HINTS = (
    "A standard normal number times s has variance s^2: which s is needed?",
    "fan_in counts all axes but the first: for a convolution in * height * width.",
    "`normal * (gain / normal[0].numel()) ** 0.5`.",
)


def initial_weights(normal: Tensor, gain: float) -> Tensor:
    """Returns weights of variance gain / fan_in in the shape of `normal`.

    Args:
        normal: standard normal numbers [out, in] or [out, in, height, width].
        gain: 2 for ReLU, 1 for none.
    """
    ### BEGIN SOLUTION
    return normal * (gain / normal[0].numel()) ** 0.5
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    shape = [draw.size(3, 6), draw.size(2, 5)] + ([2, 3] if draw.case % 2 else [])
    return {"normal": draw.normal(*shape), "gain": draw.choice((2.0, 1.0, 2.0))}


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the variance is used as standard deviation",
            "Multiply by the square root of the variance.",
            lambda n, g: n * g / n[0].numel(),
        ),
        Fault(
            "fan_out instead of fan_in",
            "One output is summed from fan_in numbers: all axes but the first.",
            lambda n, g: n * (g / (n.numel() // n.shape[1])) ** 0.5,
        ),
        Fault(
            "the kernel's size is left out of fan_in",
            "A convolution sums over in * height * width numbers.",
            lambda n, g: n * (g / n.shape[1]) ** 0.5,
        ),
        Fault(
            "divided by the number of outputs",
            "fan_in counts inputs: all axes but the first.",
            lambda n, g: n * (g / n.shape[0]) ** 0.5,
        ),
        Fault(
            "divided by the number of all weights",
            "fan_in leaves the first axis out.",
            lambda n, g: n * (g / n.numel()) ** 0.5,
        ),
        Fault(
            "Xavier's mean of fan_in and fan_out",
            "gain / fan_in is asked for.",
            lambda n, g: n * (2 * g / (n[0].numel() + n.numel() // n.shape[1])) ** 0.5,
        ),
        Fault("the gain is missing", "The variance is gain / fan_in.", lambda n, g: n / n[0].numel() ** 0.5),
        Fault("always 2 / fan_in", "Use the gain that was handed in.", lambda n, g: n * (2 / n[0].numel()) ** 0.5),
        Fault("the gain is not under the root", "sqrt(gain / fan_in).", lambda n, g: n * g / n[0].numel() ** 0.5),
        Fault("the numbers are not scaled", "Multiply by sqrt(gain / fan_in).", lambda n, g: n.clone()),
        Fault(
            "multiplied by fan_in instead of divided",
            "More inputs need smaller weights.",
            lambda n, g: n * (g * n[0].numel()) ** 0.5,
        ),
        Fault(
            "only the last axis counts",
            "fan_in counts all axes but the first.",
            lambda n, g: n * (g / n.shape[-1]) ** 0.5,
        ),
    ),
)
