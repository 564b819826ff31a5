"""What a computation is: autograd told step by step; a network's layers, sizes and costs, and its signals."""

from gradlab.explain.architecture import Part, architecture
from gradlab.explain.attribution import grad_cam, saliency
from gradlab.explain.autograd import explain
from gradlab.explain.examples import EXAMPLES, explain_example
from gradlab.explain.inside import attention_maps, copies, feature_maps, filters
from gradlab.explain.signal_scale import NONLINEARITIES, Scales, expected_scales, signal_scales
from gradlab.explain.steps import Explanation, Flow, Leaf, Step
from gradlab.explain.summary import Layer, layer_table, training_memory
from gradlab.explain.tape import Tape
from gradlab.explain.windows import Window

__all__ = [
    "EXAMPLES",
    "NONLINEARITIES",
    "Explanation",
    "Flow",
    "Layer",
    "Leaf",
    "Part",
    "Scales",
    "Step",
    "Tape",
    "Window",
    "architecture",
    "attention_maps",
    "copies",
    "expected_scales",
    "explain",
    "explain_example",
    "feature_maps",
    "filters",
    "grad_cam",
    "layer_table",
    "saliency",
    "signal_scales",
    "training_memory",
]
