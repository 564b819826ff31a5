"""What a trained network does on data it was not trained on."""

from gradlab.evaluation.classification import Examination, examine, measure_classification, predict_logits
from gradlab.evaluation.rotation import accuracy_over_rotation, rotate

__all__ = [
    "Examination",
    "accuracy_over_rotation",
    "examine",
    "measure_classification",
    "predict_logits",
    "rotate",
]
