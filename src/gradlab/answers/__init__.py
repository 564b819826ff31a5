"""The handbook's questions, practical by practical, answered from runs."""

from gradlab.answers.bind import PAGES, PRACTICALS, bind
from gradlab.answers.question import Practical, Question

__all__ = ["PAGES", "PRACTICALS", "Practical", "Question", "bind"]
