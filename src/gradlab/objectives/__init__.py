"""Losses as functions of a model and a batch."""

from gradlab.objectives.classification import classification, mean_squared_error

__all__ = ["classification", "mean_squared_error"]
