"""Batched random image transforms that run where the batch lives."""

from gradlab.augment.affine import SmallAffine
from gradlab.augment.binarize import Binarize
from gradlab.augment.crop import RandomResizedCrop
from gradlab.augment.flip import RandomHorizontalFlip
from gradlab.augment.normalize import Normalize
from gradlab.augment.pipeline import Pipeline, Transform, mixes_samples, without_randomness
from gradlab.augment.shuffle import BatchShuffle, FixedShuffle, ImageShuffle

__all__ = [
    "BatchShuffle",
    "Binarize",
    "FixedShuffle",
    "ImageShuffle",
    "Normalize",
    "Pipeline",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "SmallAffine",
    "Transform",
    "mixes_samples",
    "without_randomness",
]
