"""What a trained network does on data it was not trained on."""

from gradlab.evaluation.classification import Examination, examine, measure_classification, predict_logits
from gradlab.evaluation.codes import decoded, examine_codes, quantile_grid
from gradlab.evaluation.equivariance import ElementError, equivariance
from gradlab.evaluation.evidence import (
    ACTIVE_VARIANCE,
    active_dimensions,
    as_model_takes,
    importance_weighted_elbo,
    measure_evidence,
    posterior_means,
)
from gradlab.evaluation.rotation import accuracy_over_rotation, rotate, rotate_each

__all__ = [
    "ACTIVE_VARIANCE",
    "ElementError",
    "Examination",
    "accuracy_over_rotation",
    "active_dimensions",
    "as_model_takes",
    "decoded",
    "equivariance",
    "examine",
    "examine_codes",
    "importance_weighted_elbo",
    "measure_classification",
    "measure_evidence",
    "posterior_means",
    "predict_logits",
    "quantile_grid",
    "rotate",
    "rotate_each",
]
