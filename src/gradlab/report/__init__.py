"""Reports from records: pages of text, tables and figures as HTML and PDF; never imports torch."""

from gradlab.report.accuracy import (
    accuracies_sentence,
    accuracy_of,
    change_compared,
    changes_table,
    differences,
    finding,
    gain_text,
    images_caution,
    mean_of,
    measured_arms,
    measured_counts,
    none_beats_guessing,
    reading,
    value_of,
)
from gradlab.report.blocks import (
    Answer,
    Block,
    Bullets,
    Code,
    ConfusionMatrix,
    Details,
    Facts,
    Heading,
    Line,
    LineChart,
    Pictures,
    Point,
    PointChart,
    Table,
    Text,
    block_title,
)
from gradlab.report.classification import (
    beside_published,
    best_validated,
    classification_blocks,
    comparison_sentence,
    error_of,
    error_sentence,
    ties_told,
    validated,
    with_error,
)
from gradlab.report.compare import compare_runs, comparison_blocks, comparison_text
from gradlab.report.curves import line_chart
from gradlab.report.documents import write_documents
from gradlab.report.front_page import with_front_page
from gradlab.report.graph_chart import Arrow, Box, GraphChart
from gradlab.report.group_figures import kernel_copies, lifted_grids, maps_at_angles, moved_grids
from gradlab.report.labels import differing_settings, labels_of, told_apart
from gradlab.report.mosaic import mosaic
from gradlab.report.page import Page
from gradlab.report.plane import Field, Path, PointSet, point_sets
from gradlab.report.plane_charts import FieldChart, HeatMaps, ScatterChart, SurfaceChart
from gradlab.report.results import results, summarise_rows, values_by_seed
from gradlab.report.runs import page_of_run
from gradlab.report.shades import heated, shades
from gradlab.report.tables import cell, point_chart, results_table
from gradlab.report.terminal import terminal_summary, wrapped
from gradlab.report.wording import percent
from gradlab.report.write import ReportPaths, figure_png, write_report

__all__ = [
    "Answer",
    "Arrow",
    "Block",
    "Box",
    "Bullets",
    "Code",
    "ConfusionMatrix",
    "Details",
    "Facts",
    "Field",
    "FieldChart",
    "GraphChart",
    "Heading",
    "HeatMaps",
    "Line",
    "LineChart",
    "Page",
    "Path",
    "Pictures",
    "Point",
    "PointChart",
    "PointSet",
    "ReportPaths",
    "ScatterChart",
    "SurfaceChart",
    "Table",
    "Text",
    "accuracies_sentence",
    "accuracy_of",
    "beside_published",
    "best_validated",
    "block_title",
    "cell",
    "change_compared",
    "changes_table",
    "classification_blocks",
    "compare_runs",
    "comparison_blocks",
    "comparison_sentence",
    "comparison_text",
    "differences",
    "differing_settings",
    "error_of",
    "error_sentence",
    "figure_png",
    "finding",
    "gain_text",
    "heated",
    "images_caution",
    "kernel_copies",
    "labels_of",
    "lifted_grids",
    "line_chart",
    "maps_at_angles",
    "mean_of",
    "measured_arms",
    "measured_counts",
    "mosaic",
    "moved_grids",
    "none_beats_guessing",
    "page_of_run",
    "percent",
    "point_chart",
    "point_sets",
    "reading",
    "results",
    "results_table",
    "shades",
    "summarise_rows",
    "terminal_summary",
    "ties_told",
    "told_apart",
    "validated",
    "value_of",
    "values_by_seed",
    "with_error",
    "with_front_page",
    "wrapped",
    "write_documents",
    "write_report",
]
