"""What gradlab set out to reach in each bench, and what a file of results says about it."""

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
CORES_USED = 0.95
"""Of the cores, what processes should use."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: what is asked, the figure that was set, the figure that was found."""

    what: str
    goal: float
    found: float
    unit: str = " x"
    most: bool = False
    """Whether the goal is the largest figure allowed; else the smallest."""

    @property
    def met(self) -> bool:
        """Whether the figure that the page shows reaches the goal that it shows."""
        found, goal = float(self.shown(self.found)), float(self.shown(self.goal))
        return found <= goal if self.most else found >= goal

    def shown(self, value: float) -> str:
        """A figure as the page prints it."""
        return f"{value:.1f}" if self.unit != " x" else f"{value:.2f}"

    def row(self) -> tuple[str, str, str, str]:
        """What is asked, the goal, what was found, and whether that is enough."""
        bound = "at most" if self.most else "at least"
        return (
            self.what,
            f"{bound} {self.shown(self.goal)}{self.unit}",
            f"{self.shown(self.found)}{self.unit}",
            "met" if self.met else "missed",
        )


def handbook_loop(found: Document) -> Iterator[Goal]:
    """Images a processor second and a second, in the best precision that was measured; of several seeds apart."""
    units = {"images_per_processor_second": "processor time", "images_per_second": "wall time"}
    for network, goal in {"MLP": 8.0, "ResNet": 2.2, "ViT": 2.0, "G-CNN": 1.5}.items():
        if network in found["networks"]:
            ratios = found["networks"][network]["median_ratio_to_handbook"]
            alone = {name: ratio for name, ratio in ratios.items() if "a core" not in name}
            for unit, told in units.items():
                best = max(alone, key=lambda name, alone=alone, unit=unit: alone[name][unit])
                yield Goal(f"{network}, {best}, {told}", goal, alone[best][unit])
            several = {name: ratio["images_per_second"] for name, ratio in ratios.items() if name not in alone}
            if several:
                best = max(several, key=lambda name, several=several: several[name])
                yield Goal(f"{network}, {best}, wall time", goal, several[best])


def simclr_loop(found: Document) -> Iterator[Goal]:
    """Images a processor second, in the best precision that was measured."""
    about = found["networks"]["SimCLR"]
    for key, told, goal in (("handbook", "the handbook's loss", 12.0), ("matrix_product", "the matrix product", 4.0)):
        ratios = about[f"median_ratio_to_{key}"]
        ours = {name: ratio["images_per_processor_second"] for name, ratio in ratios.items() if "gradlab" in name}
        best = max(ours, key=lambda name, ours=ours: ours[name])
        yield Goal(f"{best}, beside {told}", goal, ours[best])


def bare_loop(found: Document) -> Iterator[Goal]:
    """In single precision, as the loop by hand."""
    for network, about in found["networks"].items():
        yield Goal(network, 1.0, about["median_speed_to_by_hand"]["gradlab"])


def loop_overhead(found: Document) -> Iterator[Goal]:
    """Processor microseconds."""
    for network, about in found["networks"].items():
        yield Goal(network, 15.0, about["median_overhead_microseconds"]["gradlab"], " µs", most=True)


def auto_behind(about: Mapping[str, Any]) -> float:
    """How much longer `auto` took than the way that is best in the median, in the median round."""
    times = about["wall_seconds"]
    best = min(("in a row", "processes", "stacked"), key=lambda way: statistics.median(times[way]))
    return statistics.median(auto / least for auto, least in zip(times["auto"], times[best], strict=True)) - 1


def seeds_together(found: Document) -> Iterator[Goal]:
    """Several seeds on several cores; stacks are asked of linear layers only."""
    cores = found["cores"]
    for network, about in found["networks"].items():
        speeds = about["speed_to_in_a_row"]
        yield Goal(f"{network}, processes", CORES_USED * cores, speeds["processes"])
        if "steady_processes_to_in_a_row" in about:
            yield Goal(f"{network}, processes once started", CORES_USED * cores, about["steady_processes_to_in_a_row"])
        beside = about["beside_another_program"]["processes_to_seeds_times_one"]
        yield Goal(f"{network}, processes beside a program", CORES_USED * cores * cores / (cores + 1), beside)
        if not network.startswith(("LeNet", "ResNet")):
            yield Goal(f"{network}, stacked", 2.0, speeds["stacked"])
        yield Goal(f"{network}, `auto` behind the best way", 5.0, 100 * auto_behind(about), " %", most=True)


def seeds_on_gpu(found: Document) -> Iterator[Goal]:
    """All seeds beside one, in time and in losses."""
    for network, about in found["networks"].items():
        yield Goal(f"{network}, all seeds to one", 3.0, about["all_to_one"], most=True)
        apart = 1e5 * about["largest_difference"]["float32"]["as a share"]
        yield Goal(f"{network}, largest difference of a loss", 1.0, apart, " x 10^-5", most=True)


def shared_seed(found: Document) -> Iterator[Goal]:
    """Equal but for rounding, in double precision."""
    for network, about in found["networks"].items():
        yield Goal(f"{network}, weights apart", 1.0, 1e9 * about["float64"]["apart"], " x 10^-9", most=True)


def augmentation(found: Document) -> Iterator[Goal]:
    """Views at 32 pixels."""
    handbook, kornia = (found["sizes"]["32 x 32"][f"median_ratio_to {peer}"] for peer in (
        "torchvision, PIL, one image after the other", "kornia, a batch"))  # fmt: skip
    yield Goal("native, beside PIL", 120.0, handbook["gradlab, native"])
    for name in ("gradlab, torch", "gradlab, torch.compile"):
        yield Goal(f"{name.removeprefix('gradlab, ')}, beside PIL", 20.0, handbook[name])
        yield Goal(f"{name.removeprefix('gradlab, ')}, beside kornia", 3.0, kornia[name])


def group_convolution(found: Document) -> Iterator[Goal]:
    """Beside a plain convolution of the same shape."""
    separable = {"C4": 1.5, "C8": 2.4}
    for group, shapes in found["layers"].items():
        for shape, kinds in shapes.items():
            single = shape.startswith("batch 1,")
            for kind, goal in {"training": 1.35 if single else 1.05, "evaluation": 1.0}.items():
                ratio = kinds[kind]["median_ratio_to_plain"]["group"]
                yield Goal(f"{group}, {shape}, {kind}", goal, ratio, most=True)
            if not single:
                speed = kinds["training"]["separable_speedup_over_group"]
                yield Goal(f"{group}, {shape}, separable beside dense", separable[group], speed)
    for name, value in found["build_milliseconds"].items():
        yield Goal(f"building a layer, {name}", 5.0, value, " ms", most=True)


def sources(found: Document) -> dict[str, Document]:
    """What was found of folders, by the size of the images in their files; older files hold one."""
    return found.get("sources") or {f"{found['source']} x {found['source']}": found}


def streaming(found: Document) -> Iterator[Goal]:
    """Beside bare decoding, per processor second, and memory over the epochs."""
    for source, about in sources(found).items():
        yield Goal(f"decoding {source}, beside bare decoding", 1.0, about["share_of_bare"]["processor"])
        peaks = about["epoch_peak_bytes"]
        grown = 100 * (statistics.median(peaks[len(peaks) // 2 :]) / max(peaks[: max(1, len(peaks) // 2)]) - 1)
        yield Goal(f"memory's growth over the epochs, {source}", 5.0, grown, " %", most=True)


GOALS: dict[str, Callable[[Document], Iterator[Goal]]] = {
    bench.__name__: bench
    for bench in (
        handbook_loop, simclr_loop, bare_loop, loop_overhead, seeds_together, seeds_on_gpu, shared_seed,
        augmentation, group_convolution, streaming,
    )
}  # fmt: skip
"""Bench -> its goals, out of a file of its results."""
