"""Writes docs/performance.md, side-by-side speeds, from the benches' files. Run: `python -m tools.performance_page`"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.record import machine
from gradlab.records.environment import VECTOR_INSTRUCTIONS
from gradlab.report.wording import percent
from tools.performance_goals import GOALS, Document, auto_behind, sources

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "bench" / "results"
HEAD = """# Performance

Made by `python -m tools.performance_page` from the files in `bench/results/`, a folder for each kind of machine, which
hold what each round measured, the hardware, the versions and the commit. `make bench` measures them again, with the
peers that come with `pip install -e '.[bench]'`. Variants take turns within a round, and ratios are medians over rounds
of two neighbours in time. Where the unit is processor time, other programs on the machine disturb it little; wall time
stands only where it is what is asked. Where something was set as a goal, a second table says what, and whether it is
met there. A bench that a machine lacks was not run on it; no bench has been run on a GPU yet. Causes of what is missed,
as far as they are known, are in `LOG.md`.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def times(ratio: float) -> str:
    return f"{ratio:.2f} x"


def handbook_loop(found: Document) -> str:
    units = ("images_per_processor_second", "images_per_second")
    rows = []
    for network, about in found["networks"].items():
        for loop in about[units[0]]:
            ratios = about["median_ratio_to_handbook"].get(loop)
            speeds = [round(statistics.median(about[unit][loop])) for unit in units]
            rows.append([network, loop, *speeds, *(times(ratios[unit]) if ratios else "" for unit in units)])
    head = ["network", "loop", "images/CPU-s", "images/s", "to the handbook's, CPU", "wall"]
    return table(head, rows) + f"\n\n{cores_kept_busy(found)}"


def cores_kept_busy(found: Document) -> str:
    """Why ratios in wall time are smaller than in processor time."""
    busy = [
        statistics.median(
            wall / processor
            for processor, wall in zip(*(about[unit]["handbook"] for unit in (
                "images_per_processor_second", "images_per_second")), strict=True)
        )
        for about in found["networks"].values()
    ]  # fmt: skip
    return (
        f"The handbook's loop, a trainer and {found['loader_workers']} loaders, keeps {min(busy):.1f} to "
        f"{max(busy):.1f} cores busy with one network; gradlab trains each seed on one thread, so one seed alone gains "
        'less by the clock. "A seed a core" counts the images of as many networks as there are cores.'
    )


def simclr_loop(found: Document) -> str:
    about = found["networks"]["SimCLR"]
    units = ("images_per_processor_second", "images_per_second")
    whole, quick = about["median_ratio_to_handbook"], about["median_ratio_to_matrix_product"]
    rows = [
        [name, round(statistics.median(values))]
        + [times(ratios[name][unit]) if name in ratios else "" for ratios in (whole, quick) for unit in units]
        for name, values in about[units[0]].items()
    ]
    head = ["loop", "images/CPU-s", "to the handbook's, CPU", "wall", "to it with a matrix product, CPU", "wall"]
    return table(head, rows)


def bare_loop(found: Document) -> str:
    variants = list(next(iter(found["networks"].values()))["median_speed_to_by_hand"])
    rows = [
        [network, f"{statistics.median(about['microseconds_a_step']['by hand']):,.0f}"]
        + [times(about["median_speed_to_by_hand"][variant]) for variant in variants[1:]]
        for network, about in found["networks"].items()
    ]
    absent = found["not_installed"]
    note = f"\n\nNot installed, so not measured: {', '.join(absent)}." if absent else ""
    return table(["network", "by hand, µs a step", *variants[1:]], rows) + note


def loop_overhead(found: Document) -> str:
    rows = [
        [network, f"{statistics.median(about['microseconds_a_step']['by hand']):,.0f}"]
        + [f"{value:+.1f}" for name, value in about["median_overhead_microseconds"].items() if name != "by hand"]
        for network, about in found["networks"].items()
    ]
    names = next(iter(found["networks"].values()))["median_overhead_microseconds"]
    return table(["network", "by hand, µs a step", *(f"{name}, µs more" for name in names if name != "by hand")], rows)


def seeds_together(found: Document) -> str:
    networks, cores = found["networks"], found["cores"]
    ways = list(next(iter(networks.values()))["speed_to_in_a_row"])
    shown = [column for column in SEEDS_TOGETHER if any(column.key in about for about in networks.values())]
    rows = [
        [network, *(times(about["speed_to_in_a_row"][way]) for way in ways)]
        + [column.cell(about) if column.key in about else "" for column in shown]
        for network, about in networks.items()
    ]
    one = [statistics.median(about["wall_seconds"]["in a row"]) / found["seeds"] for about in networks.values()]
    short = "" if "epochs" in found else ", so short that the start of processes weighs"
    told = [
        f"{found['seeds']} seeds on {cores} cores. Alone a seed trains for {min(one):.2f} to {max(one):.2f} s{short}.",
        *(column.told.format(cores=cores, fair=cores * cores / (cores + 1)) for column in shown if column.told),
    ]
    return f"{' '.join(told)}\n\n" + table(["network", *ways, *(column.head for column in shown)], rows)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, what its cells are made of, and a sentence on it; older files may lack the key."""

    head: str
    key: str
    cell: Callable[[Document], str]
    told: str = ""


SEEDS_TOGETHER = (
    Column(
        "processes once they have started",
        "steady_processes_to_in_a_row",
        lambda about: times(about["steady_processes_to_in_a_row"]),
    ),
    Column("`auto` behind the best", "wall_seconds", lambda about: percent(auto_behind(about))),
    Column(
        "processes beside another program, to one seed after the other there",
        "beside_another_program",
        lambda about: times(about["beside_another_program"]["processes_to_seeds_times_one"]),
        "Beside a program that keeps one core busy, {cores} processes have a fair share of {fair:.2f} cores.",
    ),
    Column(
        "programs that share nothing",
        "programs_that_share_nothing",
        lambda about: times(about["programs_that_share_nothing"]["speed_to_one"]),
        "Programs that share nothing show what the cores give by themselves: {cores} at once beside one alone.",
    ),
    Column(
        "of the stack's time in products",
        "stack_in_products_by_clock",
        lambda about: percent(about["stack_in_products_by_clock"]),
        "A stack spares calls, not products.",
    ),
)


def augmentation(found: Document) -> str:
    parts = []
    for size, about in found["sizes"].items():
        handbook, kornia = (about[f"median_ratio_to {peer}"] for peer in (
            "torchvision, PIL, one image after the other", "kornia, a batch"))  # fmt: skip
        rows = [[name, f"{views:,}", times(handbook[name]), times(kornia[name])]
                for name, views in about["median"].items()]  # fmt: skip
        parts.append(f"{size} pixels\n\n" + table(["", "views a CPU second", "to torchvision, PIL", "to kornia"], rows))
    return "\n\n".join(parts)


def group_convolution(found: Document) -> str:
    rows = [
        [
            group,
            shape,
            kind,
            times(about["median_ratio_to_plain"]["group"]),
            times(about["separable_speedup_over_group"]),
        ]
        for group, shapes in found["layers"].items()
        for shape, kinds in shapes.items()
        for kind, about in kinds.items()
    ]
    head = [
        "group",
        "input",
        "",
        "time of a group convolution to a plain one's",
        "speed of a separable one to a dense one's",
    ]
    built = ", ".join(f"{name} {value:.1f} ms" for name, value in found["build_milliseconds"].items())
    return table(head, rows) + f"\n\nBuilding a layer of 16 fields and 5 x 5 taps: {built}."


def streaming(found: Document) -> str:
    parts = []
    for source, about in sources(found).items():
        rows = [[way, f"{value:,.0f}"] for way, value in about["images_per_processor_second"].items()]
        peaks = ", ".join(f"{peak / 1e6:.0f}" for peak in about["epoch_peak_bytes"])
        told = (
            f"{about['files']:,} JPEG files of {source}, read as {about['side']} x {about['side']}; streaming reaches "
            f"{about['share_of_bare']['processor']:.2f} of bare decoding by processor time, "
            f"{about['share_of_bare']['wall']:.2f} by the clock. Peak memory over the epochs, MB: {peaks}; all images "
            f"decoded would take {about['decoded_bytes'] / 1e6:.0f}."
        )
        parts.append(table(["", "images a CPU second"], rows) + "\n\n" + told)
    return "\n\n".join(parts)


def seeds_on_gpu(found: Document) -> str:
    rows = [
        [network, f"{about['milliseconds_a_step']['one seed']:.2f}", times(about["all_to_one"])]
        + [f"{about['largest_difference'][precision]['as a share']:.1e}" for precision in ("float32", "float64")]
        for network, about in found["networks"].items()
    ]
    head = ["network", "one seed, ms a step", "all seeds to one", "largest difference of a loss, float32", "float64"]
    return f"{found['seeds']} seeds as one stack, {found['device']}.\n\n" + table(head, rows)


def shared_seed(found: Document) -> str:
    rows = [
        [network, about["batch"]]
        + [f"{statistics.median(speeds):,.0f}" for speeds in about["images_per_second"].values()]
        + [times(about["median_ratio"]), f"{about['float64']['apart']:.0e}", f"{about['float64']['moved']:.0e}"]
        for network, about in found["networks"].items()
    ]
    head = ["network", "batch", "one process, images/s", "two", "two to one", "weights apart, float64", "weights moved"]
    return table(head, rows)


def compiled_steps(found: Document) -> str:
    rows = [
        [network, times(about["median_speed_to_uncompiled"]), f"{about['compile_seconds']:.0f}",
         "never" if about["steps_until_earned_back"] is None else f"{about['steps_until_earned_back']:,}"]
        for network, about in found["networks"].items()
    ]  # fmt: skip
    return table(["network", "speed to uncompiled", "seconds to compile", "steps until that is earned back"], rows)


def contrastive(found: Document) -> str:
    medians = found["medians"]
    rows = [[name, f"{seconds * 1e3:,.1f}"] for name, seconds in medians.items()]
    ratio = (
        f"The loss as a matrix product is {found['broadcast_over_matrix_product']:.0f} x as fast as by broadcasting."
    )
    return table(["", "CPU milliseconds"], rows) + "\n\n" + ratio


def start_up(found: Document) -> str:
    rows = [
        [name, f"{1e3 * seconds:.0f}", f"{found['peak_bytes'][name] / 1e6:.0f}"]
        for name, seconds in found["median_seconds"].items()
    ]
    return table(["", "milliseconds", "peak memory, MB"], rows)


def learn_check(found: Document) -> str:
    rows = [[name, f"{statistics.median(seconds):.2f}"] for name, seconds in found["processor_seconds"].items()]
    used = {name: statistics.median(each["processor"]) for name, each in found["exercises"].items()}
    worst = max(used, key=lambda name: used[name])
    told = (
        f"In a shell a check costs {found['imports_of_torch']:.2f} imports of torch. Where torch is there already, in "
        "a notebook, under `--watch` and for all but the first of many, a check of our own solution takes "
        f"{statistics.median(used.values()):.2f} CPU seconds in the median of {len(used)} exercises and "
        f"{used[worst]:.2f} at most (`{worst}`). Under `--watch` the verdict is there "
        f"{statistics.median(found['watched_seconds']):.1f} s after a file was saved, by the clock of a machine under "
        "the load below."
    )
    return table(["", "CPU seconds"], rows) + "\n\n" + told


def arithmetic_floor(found: Document) -> str:
    rows = [
        [network, precision, f"{about['operations_a_step'] / 1e9:.2f}"]
        + [f"{statistics.median(values) / 1e9:.1f}" for values in about["operations_per_processor_second"].values()]
        + [f"{ratio:.2f}" for ratio in about["median_ratio_to"].values()]
        + ["" if about["share_of_arithmetic"] is None else percent(about["share_of_arithmetic"])]
        for network, precisions in found["networks"].items()
        for precision, about in precisions.items()
        if precision != "measured"
    ]
    head = ["network", "precision", "10^9 operations a step", "step, 10^9 a CPU second", "matrix product",
            "convolution", "step to product", "step to convolution", "a step's time in arithmetic"]  # fmt: skip
    return table(head, rows)


def levers(found: Document) -> str:
    rows = [
        [name, about["lever"], other, times(speed)]
        for name, about in found["levers"].items()
        for other, speed in about["speed"].items()
    ]
    return table(["", "lever", "beside", "times as fast"], rows)


SECTIONS: dict[str, tuple[str, Callable[[Document], str]]] = {
    "handbook_loop": ("Beside the handbook's own loop", handbook_loop),
    "simclr_loop": ("Learning without labels beside the handbook's way of it", simclr_loop),
    "bare_loop": ("Beside a loop by hand, Fabric and Lightning: speed as a multiple of the loop by hand", bare_loop),
    "arithmetic_floor": ("How near a step is to what the processor can compute", arithmetic_floor),
    "loop_overhead": ("What the loop adds to a step", loop_overhead),
    "seeds_together": ("Many seeds: speed as a multiple of one after the other", seeds_together),
    "seeds_on_gpu": ("Many seeds as one stack on a GPU", seeds_on_gpu),
    "shared_seed": ("One seed shared by two processes", shared_seed),
    "compiled_steps": ("Compiled steps", compiled_steps),
    "compiled_steps_gpu": ("Compiled steps on a GPU", compiled_steps),
    "augmentation": ("Augmentation", augmentation),
    "group_convolution": ("Group convolutions", group_convolution),
    "contrastive": ("Contrastive learning", contrastive),
    "levers": ("Smaller levers", levers),
    "streaming": ("Folders that stay in their files", streaming),
    "start_up": ("Start-up", start_up),
    "learn_check": ("Checks of exercises", learn_check),
}


def section(name: str) -> str:
    """A bench's title and, for each kind of machine, its table, its goals, and where and when it was measured."""
    title, body = SECTIONS[name]
    found = {path.parent.name: json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"*/{name}.json"))}
    parts = [
        f"### {processor(each, folder)}\n\n{body(each)}{goals(name, each)}\n\n{measured(each)}"
        for folder, each in found.items()
    ]
    return "\n\n".join([f"## {title}", *parts]) + "\n"


def processor(found: Document, folder: str) -> str:
    """Its name, and its vector instructions: older files leave those to the name of their folder."""
    environment = found["environment"]
    name = environment["processor"]
    further = folder.removeprefix(machine(name)).lstrip("-")
    of_folder = next((told for told in VECTOR_INSTRUCTIONS.values() if machine(told) == further), None)
    told = environment.get("instructions") or of_folder
    return ", ".join([name.replace("(R)", ""), *([told] if told else [])])


def goals(name: str, found: Document) -> str:
    """A table of what was set as a goal, empty where nothing was."""
    if name not in GOALS:
        return ""
    return "\n\n" + table(["goal", "set", "here", ""], [goal.row() for goal in GOALS[name](found)])


def measured(found: Document) -> str:
    """By which command, when, on what: a sentence for each time at which some of the networks were measured."""
    environment, times_of = found["environment"], dict[str, list[str]]()
    for network, about in found.get("networks", {"": {}}).items():
        times_of.setdefault(_occasion(about.get("measured", found)), []).append(network)
    cores = environment["cores"]
    where = f"{cores} core{'s' * (cores > 1)}, torch {environment['packages']['torch']}"
    if len(times_of) == 1:
        return f"{next(iter(times_of))}; {where}."
    return "; ".join(f"{', '.join(networks)}: {occasion}" for occasion, networks in times_of.items()) + f"; {where}."


def _occasion(about: Document) -> str:
    changed = " with changes" if about.get("uncommitted_changes") else ""
    return (
        f"`{about['command']}`, {about['date']}, commit {about['commit']}{changed}, load {about['load_at_start']:.1f}"
    )


def page() -> str:
    return "\n".join([HEAD, *(section(name) for name in SECTIONS if list(RESULTS.glob(f"*/{name}.json")))])


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
