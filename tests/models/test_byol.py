"""BYOL: its target is the moving average that the paper computes after each step."""

import copy
import math
import signal

import pytest
import torch
from torch import Tensor, nn

from gradlab.errors import InterruptedRunError
from gradlab.models import BYOL
from gradlab.models.byol import without_parameters
from gradlab.objectives import byol
from gradlab.training import Place, Recipe, Stop, collect, fit

STEPS = 6


def made(**changes) -> BYOL:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.BatchNorm1d(6))
    return BYOL(encoder, feature_dim=6, hidden_dim=5, projection_dim=3, **{"decay": 0.8, **changes}).double()


def batches() -> list[Tensor]:
    return list(torch.randn(STEPS, 8, 1, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64))


def trained(model: BYOL) -> list[float]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    losses = []
    for batch in batches():
        optimizer.zero_grad()
        loss, _ = byol(model, batch, torch.zeros(4))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def losses_by_the_paper(decays: list[float]) -> list[float]:
    """Algorithm 1: two networks with parameters of their own, the target moved after every optimiser step."""
    model = made()
    online = nn.ModuleList([model.encoder, model.projector])
    target = copy.deepcopy(online)
    optimizer = torch.optim.SGD([*online.parameters(), *model.predictor.parameters()], lr=0.3, momentum=0.9)
    losses = []
    for batch, decay in zip(batches(), decays, strict=True):
        optimizer.zero_grad()
        foretold = model.predictor(online[1](online[0](batch)))
        with torch.no_grad():
            made_of = target[1](target[0](batch))
        cosines = torch.cosine_similarity(foretold, made_of.roll(4, 0))
        loss = (2 - 2 * cosines).sum() / 4
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
                slow.copy_(decay * slow + (1 - decay) * fast)
        losses.append(loss.item())
    return losses


class FrozenTarget(BYOL):
    """Wrong: the target never moves."""

    def follow(self) -> None:
        pass


class CopiedTarget(BYOL):
    """Wrong: the target is the network itself."""

    def follow(self) -> None:
        for online, target in ((self.encoder, self.target_encoder), (self.projector, self.target_projector)):
            target.load_state_dict(online.state_dict())


class MovesByWhatStays(BYOL):
    """Wrong: the shares are swapped."""

    def follow(self) -> None:
        self.decay = 1 - self.decay
        super().follow()
        self.decay = 1 - self.decay


def check_is_the_paper(kind: type[BYOL]) -> None:
    model = made()
    model.__class__ = kind
    assert trained(model) == pytest.approx(losses_by_the_paper([0.8] * STEPS), abs=1e-12)


def test_trains_as_the_paper_does():
    check_is_the_paper(BYOL)


@pytest.mark.parametrize("wrong", [FrozenTarget, CopiedTarget, MovesByWhatStays])
def test_other_targets_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_is_the_paper(wrong)


def test_the_decay_rises_along_half_a_cosine():
    """After step k of K: 1 - (1 - decay) (cos(pi k / K) + 1) / 2."""
    decays = [1 - 0.2 * (math.cos(math.pi * step / STEPS) + 1) / 2 for step in range(1, STEPS + 1)]
    assert trained(made(steps=STEPS)) == pytest.approx(losses_by_the_paper(decays), abs=1e-12)


def test_the_target_has_no_parameters_and_no_gradient():
    model = made()
    assert not list(model.target_encoder.parameters())
    assert {name for name, _ in model.target_encoder.named_buffers()} == set(model.encoder.state_dict())
    _predictions, targets = model(batches()[0])
    assert not targets.requires_grad


def test_evaluation_leaves_the_target_alone():
    model = made()
    trained(model)
    before = copy.deepcopy(model.state_dict())
    model.eval()(batches()[0])
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_copy_without_parameters_computes_the_same():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 3))
    copied = without_parameters(network)
    assert torch.equal(network(torch.ones(4, 1, 2, 2)), copied(torch.ones(4, 1, 2, 2)))
    assert len(list(network.parameters())) == 6


@pytest.mark.parametrize("together", ["in a row", "stacked"])
def test_a_stopped_training_goes_on_exactly_and_seeds_keep_apart(together, tmp_path):
    """Bit for bit with its state read back at every step; a seed's numbers do not depend on those beside it."""
    images = torch.rand(24, 1, 2, 2, generator=torch.Generator().manual_seed(3))

    def twice(batch: Tensor, uniforms: Tensor) -> Tensor:
        return torch.cat([batch + uniforms[:, :1, None, None], batch - uniforms[:, 1:, None, None]])

    twice.uniforms, twice.whole_batch = 2, True
    recipe = Recipe(
        epochs=2, batch_size=8, optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    )

    def run(seeds, place):
        return collect(fit(lambda: made_by_the_seed().float(), (images, torch.zeros(24)), byol, recipe, seeds=seeds,
                           together=together, prepare=twice, place=place))  # fmt: skip

    rows, whole = run((0, 1), Place())
    stopped = StopsAtStep(4)
    with pytest.raises(InterruptedRunError):
        run((0, 1), Place(state=tmp_path, stop=stopped))
    again, resumed = run((0, 1), Place(state=tmp_path))
    assert again == rows
    for seed in (0, 1):
        for name, tensor in whole.models[seed].state_dict().items():
            assert torch.equal(tensor, resumed.models[seed].state_dict()[name]), name
    alone = run((1,), Place())[1].models[1].state_dict()
    for name, tensor in whole.models[1].state_dict().items():
        torch.testing.assert_close(tensor, alone[name], rtol=1e-4, atol=1e-5)


class StopsAtStep(Stop):
    """Asks to stop once the loop has looked so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    @property
    def signal_number(self) -> int:
        self._left -= 1
        return signal.SIGTERM if self._left < 0 else 0


def made_by_the_seed() -> BYOL:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.BatchNorm1d(6))
    return BYOL(encoder, feature_dim=6, hidden_dim=5, projection_dim=3, decay=0.8, steps=STEPS)
