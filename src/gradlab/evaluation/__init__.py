"""What a trained network does on data it was not trained on."""

from gradlab.evaluation.classification import Examination, examine, measure_classification, predict_logits

__all__ = ["Examination", "examine", "measure_classification", "predict_logits"]
