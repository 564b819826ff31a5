"""What a computation is: autograd told step by step; a network's layers, sizes and costs, and its signals."""

from gradlab.explain.autograd import explain
from gradlab.explain.examples import EXAMPLES, explain_example
from gradlab.explain.signal_scale import NONLINEARITIES, Scales, expected_scales, signal_scales
from gradlab.explain.steps import Explanation, Flow, Leaf, Step
from gradlab.explain.summary import Layer, layer_table, training_memory
from gradlab.explain.tape import Tape

__all__ = [
    "EXAMPLES",
    "NONLINEARITIES",
    "Explanation",
    "Flow",
    "Layer",
    "Leaf",
    "Scales",
    "Step",
    "Tape",
    "expected_scales",
    "explain",
    "explain_example",
    "layer_table",
    "signal_scales",
    "training_memory",
]
