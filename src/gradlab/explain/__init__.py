"""What a network is: its layers, sizes and costs."""

from gradlab.explain.summary import Layer, layer_table, training_memory

__all__ = ["Layer", "layer_table", "training_memory"]
