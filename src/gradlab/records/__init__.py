"""What a run leaves behind: files written whole or not at all, rows, weights, environment."""

from gradlab.records.earlier import forget, reopen, seconds_told, take_back
from gradlab.records.environment import (
    code_digest,
    describe_environment,
    halves_vectors,
    processor_name,
    vector_instructions,
    vendor,
)
from gradlab.records.files import append_line, sha256_of_file, write_atomically, write_json
from gradlab.records.folder import RunFolder, new_run_folder, slug
from gradlab.records.journal import Row, RowJournal, read_rows
from gradlab.records.sealed import read_sealed, write_sealed
from gradlab.records.weights import read_weights, write_weights

__all__ = [
    "Row",
    "RowJournal",
    "RunFolder",
    "append_line",
    "code_digest",
    "describe_environment",
    "forget",
    "halves_vectors",
    "new_run_folder",
    "processor_name",
    "read_rows",
    "read_sealed",
    "read_weights",
    "reopen",
    "seconds_told",
    "sha256_of_file",
    "slug",
    "take_back",
    "vector_instructions",
    "vendor",
    "write_atomically",
    "write_json",
    "write_sealed",
    "write_weights",
]
