"""Batched random image transforms that run where the batch lives."""

from gradlab.augment.affine import SmallAffine
from gradlab.augment.normalize import Normalize
from gradlab.augment.pipeline import Pipeline, Transform, without_randomness

__all__ = ["Normalize", "Pipeline", "SmallAffine", "Transform", "without_randomness"]
