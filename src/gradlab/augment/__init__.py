"""Batched random image transforms that run where the batch lives."""

from gradlab.augment.affine import SmallAffine
from gradlab.augment.alternating import AlternatingFlip, ReflectedTranslation
from gradlab.augment.binarize import Binarize
from gradlab.augment.blur import GaussianBlur
from gradlab.augment.crop import RandomResizedCrop
from gradlab.augment.erasing import RandomErasing
from gradlab.augment.flip import RandomHorizontalFlip
from gradlab.augment.fused import FusedPipeline, uses_the_kernel
from gradlab.augment.greyscale import RandomGrayscale
from gradlab.augment.handbook import baseline_augmentation, simclr_augmentation
from gradlab.augment.jitter import ColorJitter
from gradlab.augment.native import native_augmentation
from gradlab.augment.normalize import Normalize
from gradlab.augment.pipeline import (
    Pipeline,
    Transform,
    alternating_columns,
    draws_for_the_batch,
    mixes_samples,
    without_randomness,
)
from gradlab.augment.rotation import RandomRotation
from gradlab.augment.shuffle import BatchShuffle, FixedShuffle, ImageShuffle
from gradlab.augment.translation import RandomTranslation
from gradlab.augment.views import ContrastiveTransformations

__all__ = [
    "AlternatingFlip",
    "BatchShuffle",
    "Binarize",
    "ColorJitter",
    "ContrastiveTransformations",
    "FixedShuffle",
    "FusedPipeline",
    "GaussianBlur",
    "ImageShuffle",
    "Normalize",
    "Pipeline",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomTranslation",
    "ReflectedTranslation",
    "SmallAffine",
    "Transform",
    "alternating_columns",
    "baseline_augmentation",
    "draws_for_the_batch",
    "mixes_samples",
    "native_augmentation",
    "simclr_augmentation",
    "uses_the_kernel",
    "without_randomness",
]
