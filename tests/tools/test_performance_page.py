"""The page of the benches, from files of today's shape and of earlier ones."""

from tools.performance_page import seeds_together, streaming

SEEDS = {
    "speed_to_in_a_row": {"in a row": 1.0, "processes": 1.9, "stacked": 2.5, "auto": 2.4},
    "wall_seconds": {"in a row": [16.0], "processes": [8.0], "stacked": [6.4], "auto": [6.72]},
    "beside_another_program": {"processes_to_seeds_times_one": 1.3},
}
FOLDER = {
    "files": 20_000, "side": 64, "source": 64, "images_per_processor_second": {"stream": 8_000.0},
    "share_of_bare": {"processor": 0.8, "wall": 0.9}, "epoch_peak_bytes": [3e8, 3e8], "decoded_bytes": 2e8,
}  # fmt: skip


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def test_seeds_together_of_today_and_of_a_file_without_the_later_figures():
    about = SEEDS | {"stack_in_products_by_clock": 0.41, "programs_that_share_nothing": {"speed_to_one": 1.97}}
    now = seeds_together({"seeds": 8, "cores": 2, "epochs": {"MLP": 20}, "networks": {"MLP": about}})
    assert now.startswith("8 seeds on 2 cores. Alone a seed trains for 2.00 to 2.00 s. Beside")
    assert lines(now)[2] == "| MLP | 1.00 x | 1.90 x | 2.50 x | 2.40 x | 5 % | 1.30 x | 1.97 x | 41 % |"
    steady = SEEDS | {"steady_processes_to_in_a_row": 1.95}
    before = seeds_together({"seeds": 8, "cores": 2, "networks": {"MLP": steady, "LeNet": SEEDS}})
    assert "so short that the start of processes weighs" in before
    assert "share nothing" not in before
    assert "spares calls" not in before
    assert lines(before)[2:] == [
        "| MLP | 1.00 x | 1.90 x | 2.50 x | 2.40 x | 1.95 x | 5 % | 1.30 x |",
        "| LeNet | 1.00 x | 1.90 x | 2.50 x | 2.40 x |  | 5 % | 1.30 x |",
    ]


def test_a_folder_of_an_earlier_file_stands_as_one_of_several_does():
    several = streaming({"processes": 2, "sources": {"64 x 64": FOLDER, "200 x 200": FOLDER | {"source": 200}}})
    assert several.startswith(streaming(FOLDER))
    assert len(lines(several)) == 2 * len(lines(streaming(FOLDER)))
