import math

import pytest

from gradlab.training.solo import Solo
from gradlab.training.stack import Stack
from tests.reliability.families import FAMILIES
from tests.reliability.numbers import SETTINGS, VALUES, WAYS, family_bits, in_a_fresh_process, one_of_three


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("step", "value"), [(0, math.nan), (3, math.inf), (4, -math.inf)])
def test_a_loss_that_is_no_number_stops_its_own_replica_before_the_step(way, step, value):
    assert value in VALUES or math.isnan(value)
    assert one_of_three(way, step, value) == []


def step_first(self, inputs, targets, *, factor, number):
    """A wrong step: looks at the loss when the weights have moved."""
    loss, _ = self._task.objective(self._model, inputs, targets)
    self._optimizer.zero_grad()
    loss.backward()
    self._optimizer.step()
    if not math.isfinite(loss.item()):
        self.diverged[0], self.diverged_at[0] = f"loss {loss.item()} at step {number}, learning rate {factor}", number
    return [{"loss": loss.item() * len(targets)}]


def test_a_step_with_such_a_loss_is_told_apart(monkeypatch):
    monkeypatch.setattr(Stack, "_mark_diverged", lambda *_losses: None)
    assert one_of_three("stacked", 3, math.nan) != []
    monkeypatch.setattr(Solo, "step", step_first)
    assert any("not from before the step" in what for what in one_of_three("in a row", 3, math.nan))


def test_a_fresh_process_with_another_locale_time_zone_and_hash_seed_gives_the_same_bits():
    names = ("MLP, dropout and augmentation", "group CNN", "VAE", "stacked seeds")
    assert set(names) < set(FAMILIES)
    expected, found = family_bits(names), in_a_fresh_process(SETTINGS[1], names)
    assert list(found) == list(names)
    assert found == expected
