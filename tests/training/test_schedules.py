"""Every schedule against torch's own scheduler, step by step."""

import pytest
import torch
from torch.optim import lr_scheduler

from gradlab.training import schedules

STEPS = 60


def factors_of(make_scheduler) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make_scheduler(optimizer)
    found = []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


ORACLES = {
    "constant": (schedules.constant(), lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    "step": (schedules.step_decay(every=7, factor=0.3), lambda o: lr_scheduler.StepLR(o, 7, 0.3)),
    "multi-step": (schedules.multi_step([5, 20, 20, 41]), lambda o: lr_scheduler.MultiStepLR(o, [5, 20, 20, 41], 0.1)),
    "cosine": (schedules.cosine(steps=59, floor=0.02), lambda o: lr_scheduler.CosineAnnealingLR(o, 59, 0.02)),
    "linear": (
        schedules.linear(steps=40),
        lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=40),
    ),
    "warm-up": (
        schedules.warm_up(schedules.constant(), steps=12, start=0.1),
        lambda o: lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=12),
    ),
    "one cycle": (
        schedules.one_cycle(steps=STEPS + 1, rise=0.4),
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=STEPS + 1, pct_start=0.4, cycle_momentum=False),
    ),
}


@pytest.mark.parametrize("name", ORACLES)
def test_equals_torch(name):
    schedule, make_scheduler = ORACLES[name]
    assert [schedule(step) for step in range(STEPS)] == pytest.approx(factors_of(make_scheduler), rel=1e-9, abs=1e-12)


def test_a_warm_up_of_no_steps_changes_nothing():
    schedule = schedules.warm_up(schedules.cosine(steps=9), steps=0)
    assert [schedule(step) for step in range(12)] == [schedules.cosine(steps=9)(step) for step in range(12)]


def test_one_cycle_ends_at_its_floor_and_stays():
    schedule = schedules.one_cycle(steps=10, end=1e-3)
    assert schedule(9) == pytest.approx(1e-3)
    assert schedule(50) == pytest.approx(1e-3)


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"steps": 10, "rise": 0.0}, {"steps": 10, "rise": 1.0}])
def test_one_cycle_refuses(wrong):
    with pytest.raises(ValueError, match="at least 2 steps"):
        schedules.one_cycle(**wrong)
