"""Intervals and paired comparisons across seeds; numpy and the standard library only."""

from gradlab.stats.bootstrap import bca_interval
from gradlab.stats.comparison import Comparison, verdicts_told
from gradlab.stats.formatting import format_interval
from gradlab.stats.multiplicity import holm
from gradlab.stats.pairing import compare, compare_all
from gradlab.stats.sign_flip import sign_flip_p_value
from gradlab.stats.student_t import regularised_incomplete_beta, student_t_cdf, student_t_quantile
from gradlab.stats.summary import Summary, summarise

__all__ = [
    "Comparison",
    "Summary",
    "bca_interval",
    "compare",
    "compare_all",
    "format_interval",
    "holm",
    "regularised_incomplete_beta",
    "sign_flip_p_value",
    "student_t_cdf",
    "student_t_quantile",
    "summarise",
    "verdicts_told",
]
