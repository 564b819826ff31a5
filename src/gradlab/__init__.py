"""gradlab: deep-learning experiments on images, many seeds at a time."""

__version__ = "0.1.0"
