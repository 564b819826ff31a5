"""Losses as functions of a model and a batch."""

from gradlab.objectives.barlow_twins import barlow_twins, barlow_twins_loss
from gradlab.objectives.binary import binary_classification
from gradlab.objectives.byol import byol, byol_loss
from gradlab.objectives.classification import classification, classification_of_replicas, mean_squared_error
from gradlab.objectives.elbo import VariationalInference, negative_elbo, reduce
from gradlab.objectives.info_nce import info_nce, info_nce_loss, positive_positions, ranking
from gradlab.objectives.similarities import alone, from_all_processes
from gradlab.objectives.supervised_contrastive import supervised_contrastive, supervised_contrastive_loss
from gradlab.objectives.tokens import token_classification

__all__ = [
    "VariationalInference",
    "alone",
    "barlow_twins",
    "barlow_twins_loss",
    "binary_classification",
    "byol",
    "byol_loss",
    "classification",
    "classification_of_replicas",
    "from_all_processes",
    "info_nce",
    "info_nce_loss",
    "mean_squared_error",
    "negative_elbo",
    "positive_positions",
    "ranking",
    "reduce",
    "supervised_contrastive",
    "supervised_contrastive_loss",
    "token_classification",
]
