"""The table of derivatives: for each step of torch's graph a formula, and the function that computes it."""

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved
from gradlab.explain.derivatives.elementwise import ELEMENTWISE
from gradlab.explain.derivatives.losses import LOSSES
from gradlab.explain.derivatives.network import NETWORK
from gradlab.explain.derivatives.products import PRODUCTS
from gradlab.explain.derivatives.reductions import REDUCTIONS
from gradlab.explain.derivatives.second_order import SECOND_ORDER
from gradlab.explain.derivatives.several_inputs import SEVERAL_INPUTS
from gradlab.explain.derivatives.shapes import SHAPES

DERIVATIVES = (*ELEMENTWISE, *SEVERAL_INPUTS, *REDUCTIONS, *PRODUCTS, *SHAPES, *NETWORK, *LOSSES, *SECOND_ORDER)

__all__ = ["DERIVATIVES", "Derivative", "Input", "Saved", "derivative_of"]


def derivative_of(node: object) -> Derivative | None:
    """The derivative of a step of torch's graph; None where the table has none that holds for it."""
    name = node.name()  # type: ignore[attr-defined]
    saved = Saved(node, (None,))
    return next((entry for entry in DERIVATIVES if entry.node == name and entry.applies(saved)), None)
