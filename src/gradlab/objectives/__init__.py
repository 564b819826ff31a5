"""Losses as functions of a model and a batch."""

from gradlab.objectives.binary import binary_classification
from gradlab.objectives.classification import classification, mean_squared_error
from gradlab.objectives.elbo import VariationalInference, negative_elbo, reduce
from gradlab.objectives.tokens import token_classification

__all__ = [
    "VariationalInference",
    "binary_classification",
    "classification",
    "mean_squared_error",
    "negative_elbo",
    "reduce",
    "token_classification",
]
