"""Datasets as bytes in memory: readers, download, splits, pictures."""

from gradlab.data.archive import Progress
from gradlab.data.decode import FRAMINGS, Framing, read_picture
from gradlab.data.download import fetch, show_progress
from gradlab.data.folder import IMAGE_MEMORY, load_folder, picture_files
from gradlab.data.grid import picture_grid, save_picture_grid
from gradlab.data.images import Images, Normalisation, Splits
from gradlab.data.listing import Entry, catalogue, first_present
from gradlab.data.loading import load, refuse_unknown
from gradlab.data.map_style import from_dataset, images_from
from gradlab.data.places import data_root
from gradlab.data.resize import resized
from gradlab.data.sequences import COUNTING_SYMBOLS, counting_sequences, counting_words, reversing_sequences
from gradlab.data.streamed import StreamedPixels
from gradlab.data.xor import XORDataset

__all__ = [
    "COUNTING_SYMBOLS",
    "FRAMINGS",
    "IMAGE_MEMORY",
    "Entry",
    "Framing",
    "Images",
    "Normalisation",
    "Progress",
    "Splits",
    "StreamedPixels",
    "XORDataset",
    "catalogue",
    "counting_sequences",
    "counting_words",
    "data_root",
    "fetch",
    "first_present",
    "from_dataset",
    "images_from",
    "load",
    "load_folder",
    "picture_files",
    "picture_grid",
    "read_picture",
    "refuse_unknown",
    "resized",
    "reversing_sequences",
    "save_picture_grid",
    "show_progress",
]
