"""Optimisers that torch.optim lacks, and surfaces to try them on."""

from gradlab.optim.curves import pathological_curve_loss, train_curve
from gradlab.optim.momentum import OptimizerTemplate, SGDMomentum

__all__ = ["OptimizerTemplate", "SGDMomentum", "pathological_curve_loss", "train_curve"]
