"""Optimisers that torch.optim lacks, and surfaces to try them on."""

from gradlab.optim.curves import pathological_curve_loss, train_curve
from gradlab.optim.momentum import OptimizerTemplate, SGDMomentum
from gradlab.optim.muon import Muon, orthogonalised

__all__ = ["Muon", "OptimizerTemplate", "SGDMomentum", "orthogonalised", "pathological_curve_loss", "train_curve"]
