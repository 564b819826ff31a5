"""What a trained network does on data it was not trained on."""

from gradlab.evaluation.classification import Examination, examine, measure_classification, predict_logits
from gradlab.evaluation.codes import decoded, examine_codes, quantile_grid
from gradlab.evaluation.contrastive import measure_contrastive, said_of_views
from gradlab.evaluation.equivariance import ElementError, equivariance
from gradlab.evaluation.evidence import (
    ACTIVE_VARIANCE,
    active_dimensions,
    as_model_takes,
    importance_weighted_elbo,
    measure_evidence,
    posterior_means,
)
from gradlab.evaluation.geometry import alignment, principal_plane, uniformity
from gradlab.evaluation.label_counts import first_of_each, label_counts, too_few
from gradlab.evaluation.logistic import Solution, logistic_regression
from gradlab.evaluation.neighbours import nearest, neighbour_accuracy, retrieval_precision
from gradlab.evaluation.probes import PENALTIES, Features, features, probe, probe_encoders
from gradlab.evaluation.rotation import accuracy_over_rotation, rotate, rotate_each, turned
from gradlab.evaluation.tsne import tsne

__all__ = [
    "ACTIVE_VARIANCE",
    "PENALTIES",
    "ElementError",
    "Examination",
    "Features",
    "Solution",
    "accuracy_over_rotation",
    "active_dimensions",
    "alignment",
    "as_model_takes",
    "decoded",
    "equivariance",
    "examine",
    "examine_codes",
    "features",
    "first_of_each",
    "importance_weighted_elbo",
    "label_counts",
    "logistic_regression",
    "measure_classification",
    "measure_contrastive",
    "measure_evidence",
    "nearest",
    "neighbour_accuracy",
    "posterior_means",
    "predict_logits",
    "principal_plane",
    "probe",
    "probe_encoders",
    "quantile_grid",
    "retrieval_precision",
    "rotate",
    "rotate_each",
    "said_of_views",
    "too_few",
    "tsne",
    "turned",
    "uniformity",
]
