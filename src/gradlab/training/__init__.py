"""One loop for everything that learns: many seeds, selection, exact resume."""

from gradlab.training import schedules
from gradlab.training.allocator import keep_freed_memory
from gradlab.training.arithmetic import slow_precision
from gradlab.training.cost import step_seconds
from gradlab.training.fit import Trained, collect, fit
from gradlab.training.pretrained import Pretrained
from gradlab.training.ranks import Ranks, joined, ranks_here
from gradlab.training.recipe import Recipe, Selection
from gradlab.training.run import Run
from gradlab.training.signals import Stop
from gradlab.training.task import COMPILES, PRECISIONS, Place, Progress
from gradlab.training.together import WAYS, oversubscribed

__all__ = [
    "COMPILES",
    "PRECISIONS",
    "WAYS",
    "Place",
    "Pretrained",
    "Progress",
    "Ranks",
    "Recipe",
    "Run",
    "Selection",
    "Stop",
    "Trained",
    "collect",
    "fit",
    "joined",
    "keep_freed_memory",
    "oversubscribed",
    "ranks_here",
    "schedules",
    "slow_precision",
    "step_seconds",
]
