"""Networks, one paper a file."""

from gradlab.models.lenet import LeNet
from gradlab.models.log_regression import LogRegression
from gradlab.models.mlp import MLP

__all__ = ["MLP", "LeNet", "LogRegression"]
