"""Runs a learner's file in a process of its own, with limits on time, memory and output.

It keeps mistakes and casual cheating away from the verdict; it is no prison: submissions of strangers who mean harm
belong in a container.
"""

from gradlab.learn.sandbox.workshop import Limits, Report, Workshop

__all__ = ["Limits", "Report", "Workshop"]
