"""Datasets as bytes in memory: readers, download, splits."""

from gradlab.data.images import Images, Splits
from gradlab.data.loading import load

__all__ = ["Images", "Splits", "load"]
