"""What a network is: its layers, sizes and costs, and what its weights do to signals."""

from gradlab.explain.signal_scale import NONLINEARITIES, Scales, expected_scales, signal_scales
from gradlab.explain.summary import Layer, layer_table, training_memory

__all__ = ["NONLINEARITIES", "Layer", "Scales", "expected_scales", "layer_table", "signal_scales", "training_memory"]
