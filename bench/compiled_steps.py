"""How much faster is a step of gradlab's loop compiled, and after how many steps is the compiling earned back?

The learner's own step, batches given, compiled and not, taking turns; processor time on a CPU, wall time on a GPU.
Run: `python -m bench.compiled_steps`; on a GPU `python -m bench.compiled_steps --device cuda`, not run yet
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from bench.bare_loop import CASES, Case, optimizer
from bench.record import interleaved, write
from gradlab.objectives import classification
from gradlab.training import PRECISIONS, Place, Recipe
from gradlab.training.solo import Solo
from gradlab.training.task import Compile, Precision, Task
from gradlab.training.ticker import wait_for

STEPS = {"cpu": 3, "cuda": 200}


def stepper(case: Case, place: Place) -> tuple[Callable[[int], None], float]:
    """What makes so many steps, and the seconds that compiling them took."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(case.batch, *case.shape, generator=generator).to(place.device)
    targets = torch.randint(0, 10, (case.batch,), generator=generator).to(place.device)
    recipe = Recipe(epochs=1, batch_size=case.batch, optimizer=optimizer)
    learner = Solo(
        Task(arm="bench", make_model=case.make, inputs=inputs, targets=targets, objective=classification,
             recipe=recipe, prepare=None, measure={}, place=place), 0)  # fmt: skip
    begin = time.perf_counter()
    if place.compile == "on":
        learner.compile(inputs, targets)
    seconds = time.perf_counter() - begin
    learner.start_epoch()

    def steps(count: int) -> None:
        for number in range(count):
            learner.step(inputs, targets, factor=1.0, number=number)
        wait_for(place.device)

    return steps, seconds


def measured(case: Case, device: str, precision: Precision, rounds: int) -> dict[str, object]:
    """Microseconds a step, the median ratio, and the wall seconds of compiling."""
    on_cpu = torch.device(device).type == "cpu"
    count = STEPS["cpu" if on_cpu else "cuda"]
    torch.compiler.reset()
    choices: tuple[Compile, ...] = ("off", "on")
    places = {name: Place(device=device, precision=precision, compile=name) for name in choices}
    made = {name: stepper(case, place) for name, place in places.items()}
    times = interleaved(
        {name: lambda steps=steps: steps(count) for name, (steps, _) in made.items()},
        rounds=rounds,
        clock=time.process_time if on_cpu else time.perf_counter,
    )
    micro = {name: [seconds / count * 1e6 for seconds in values] for name, values in times.items()}
    saved = statistics.median(a - b for a, b in zip(micro["off"], micro["on"], strict=True))
    return {
        "microseconds_a_step": micro,
        "median_speed_to_uncompiled": statistics.median(a / b for a, b in zip(micro["off"], micro["on"], strict=True)),
        "compile_seconds": made["on"][1],
        "steps_until_earned_back": round(made["on"][1] / saved * 1e6) if saved > 0 else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="bfloat16", choices=PRECISIONS)
    parser.add_argument("--networks", nargs="+", default=list(CASES), choices=list(CASES))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for name in asked.networks:
        found[name] = measured(CASES[name], asked.device, asked.precision, asked.rounds)
        print(name, {key: value for key, value in found[name].items() if key != "microseconds_a_step"}, flush=True)
    about = {"device": asked.device, "precision": asked.precision, "networks": found}
    on_cpu = torch.device(asked.device).type == "cpu"
    about["unit"] = "CPU microseconds a step" if on_cpu else "microseconds a step"
    gpu = None if on_cpu else torch.cuda.get_device_name(asked.device)
    print(write("compiled_steps" if on_cpu else "compiled_steps_gpu", about, processor=gpu))


if __name__ == "__main__":
    main()
