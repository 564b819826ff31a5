"""What every network of `gradlab.models` promises; a new one is added to `CASES` or the first test fails."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from gradlab import models, rng
from gradlab.equivariance import CyclicGroup
from gradlab.objectives import classification

BATCH, CLASSES = 6, 3


def whole_output(model: nn.Module, inputs: Tensor) -> Tensor:
    return model(inputs)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A small network of one kind, and what its docstrings promise to refuse.

    Args:
        arguments: what makes the network.
        shape: of one input.
        read: takes [batch, CLASSES] numbers from what the network says.
        begins_alike: matrices that begin the same for every seed.
        stackable: whether `torch.func.vmap` takes it, and torch's compiler takes it whole; torch's own recurrent layers
            neither takes.
        refused_arguments: what its class promises to refuse, and how.
        refused_shape: an input that its `forward` promises to refuse, and how.
    """

    arguments: dict[str, Any]
    shape: tuple[int, ...]
    kind: type[nn.Module] | None = None
    read: Callable[[nn.Module, Tensor], Tensor] = whole_output
    stackable: bool = True
    begins_alike: frozenset[str] = frozenset()
    refused_arguments: tuple[dict[str, Any], str] | None = None
    refused_shape: tuple[tuple[int, ...], str] | None = None


def small_encoder() -> models.BaseNetwork:
    return models.BaseNetwork(2, 2, 6, image_size=8)


class SmallBYOL(models.BYOL):
    def __init__(self) -> None:
        super().__init__(small_encoder(), 6, hidden_dim=5, projection_dim=CLASSES, steps=10)


class SmallBarlowTwins(models.BarlowTwins):
    def __init__(self) -> None:
        super().__init__(small_encoder(), 6, projection_dim=8)


class SmallBaseline(models.Baseline):
    def __init__(self) -> None:
        super().__init__(small_encoder(), 6, CLASSES)


class SmallSimCLR(models.SimCLR):
    def __init__(self) -> None:
        super().__init__(small_encoder(), 6, hidden_dim=CLASSES)


CASES = {
    "BYOL": Case(
        kind=SmallBYOL,
        arguments={},
        shape=(2, 8, 8),
        read=lambda model, images: model(images)[0],
        refused_arguments=({"encoder": nn.Identity(), "decay": 1.5}, r"decay must lie in \[0, 1\]"),
    ),
    "BarlowTwins": Case(
        kind=SmallBarlowTwins,
        arguments={},
        shape=(2, 8, 8),
        read=lambda model, images: model(images)[:, :CLASSES],
        refused_arguments=({"encoder": nn.Identity(), "feature_dim": 0}, "at least one number: got 0 and 1024"),
    ),
    "BaseNetwork": Case(
        arguments={"num_input_channels": 2, "c_hid": 2, "output_dim": CLASSES, "image_size": 8},
        shape=(2, 8, 8),
        refused_arguments=({"num_input_channels": 2, "c_hid": 0, "output_dim": 3}, "must be positive: got 2, 0, 3"),
        refused_shape=((2, 9, 9), "takes images of 2x8x8: got 2x9x9"),
    ),
    "Baseline": Case(
        kind=SmallBaseline,
        arguments={},
        shape=(2, 8, 8),
        refused_arguments=({"encoder": nn.Identity(), "num_classes": 0}, "features and classes: got 512 and 0"),
    ),
    "CNN": Case(
        arguments={
            "in_channels": 2, "out_channels": CLASSES, "kernel_size": 3, "num_hidden": 1, "hidden_channels": 6,
        },
        shape=(2, 7, 8),
        refused_shape=((1, 7, 8), "images of 2 channels: got 1"),
    ),
    "DenseNet": Case(
        arguments={"num_classes": CLASSES, "num_layers": (2, 1), "bn_size": 2, "growth_rate": 3, "in_channels": 2},
        shape=(2, 5, 6),
        refused_arguments=({"num_layers": ()}, r"every block needs layers and growth: got \[\]"),
        refused_shape=((1, 5, 6), "images of 2 channels: got 1"),
    ),
    "GoogleNet": Case(
        arguments={"num_classes": CLASSES, "in_channels": 2},
        shape=(2, 4, 4),
        refused_shape=((2, 3, 4), "images of at least 4x4: got 3x4"),
    ),
    "GroupEquivariantCNN": Case(
        arguments={
            "group": CyclicGroup(8), "in_channels": 2, "out_channels": CLASSES, "kernel_size": 3, "num_hidden": 1,
            "hidden_channels": 4,
        },
        shape=(2, 7, 8),
        refused_shape=((1, 7, 8), "images of 2 channels: got 1"),
    ),
    "LeNet": Case(
        arguments={"image_size": 17, "in_channels": 2, "num_classes": CLASSES, "filters": (4, 6), "hidden_units": 8},
        shape=(2, 17, 17),
        refused_arguments=({"image_size": 15}, "at least 16x16: got 15"),
    ),
    "LogRegression": Case(
        arguments={"input_size": 2 * 4 * 5, "num_classes": CLASSES},
        shape=(2, 4, 5),
        refused_shape=((2, 5, 5), "takes 40 numbers an image: got 2x5x5"),
    ),
    "MLP": Case(
        arguments={"input_size": 2 * 4 * 5, "num_classes": CLASSES, "hidden_sizes": (9, 7)},
        shape=(2, 4, 5),
        refused_arguments=({"num_classes": 0}, "at least one unit: got .* and 0 classes"),
        refused_shape=((2, 4, 4), "takes 40 numbers an image: got 2x4x4"),
    ),
    "MyRecurrentNet": Case(
        arguments={"vocab_size": 4, "hidden_size": 5},
        shape=(6, 4),
        read=lambda model, sequences: model(sequences).view(-1, 6, 4)[:, -1, :CLASSES],
        stackable=False,
        refused_shape=((6, 5), "must have 4 features: got"),
    ),
    "P4CNN": Case(
        arguments={
            "group": CyclicGroup(4), "image_size": 8, "in_channels": 2, "num_classes": CLASSES, "channels": 4,
            "depths": (1, 0),
        },
        shape=(2, 8, 8),
        refused_arguments=({"image_size": 29}, "maps of 25x25 .* breaks equivariance: take images of 28 or 30"),
        refused_shape=((2, 9, 9), "takes images of 8x8: got 9x9"),
    ),
    "PostActivationResNet": Case(
        arguments={"num_classes": CLASSES, "num_blocks": (1, 2), "c_hidden": (4, 6), "in_channels": 2},
        shape=(2, 7, 8),
        refused_arguments=({"num_blocks": (1,)}, r"every group needs blocks and channels: got \[1\] and"),
        refused_shape=((1, 7, 8), "images of 2 channels: got 1"),
    ),
    "PreActResNetBlock": Case(
        arguments={"c_in": 2, "subsample": True, "c_out": CLASSES},
        shape=(2, 5, 6),
        read=lambda model, images: model(images).mean((2, 3)),
        refused_arguments=({"c_in": 2, "subsample": True}, "needs at least one output channel: got c_out -1"),
    ),
    "RNNModel": Case(
        arguments={"input_size": 4, "hidden_size": 5, "output_size": CLASSES, "num_layers": 2},
        shape=(6, 4),
        stackable=False,
        refused_arguments=(
            {"input_size": 4, "hidden_size": 5, "output_size": CLASSES, "start": "zero"},
            "start must be .*: got 'zero'",
        ),
        refused_shape=((6, 5), "must have 4 features: got"),
    ),
    "ResNet": Case(
        arguments={"num_classes": CLASSES, "num_blocks": (1, 2), "c_hidden": (4, 6), "in_channels": 2},
        shape=(2, 7, 8),
        refused_arguments=({"num_blocks": (1,)}, r"every group needs blocks and channels: got \[1\] and"),
        refused_shape=((1, 7, 8), "images of 2 channels: got 1"),
    ),
    "ResNet18": Case(
        arguments={"in_channels": 2, "width": 4},
        shape=(2, 8, 8),
        read=lambda model, images: model(images)[:, :CLASSES] - model(images)[:, CLASSES : 2 * CLASSES],
        refused_arguments=({"width": 0}, "at least one channel: got width 0"),
        refused_shape=((1, 8, 8), "images of 2 channels: got 1"),
    ),
    "ResidualCNN": Case(
        arguments={"image_size": 8, "in_channels": 2, "num_classes": CLASSES, "channels": (4, 6)},
        shape=(2, 8, 8),
        refused_arguments=({"image_size": 3}, "at least 4x4: got 3"),
        refused_shape=((2, 9, 9), "takes images of 8x8: got 9x9"),
    ),
    "SimCLR": Case(
        kind=SmallSimCLR,
        arguments={},
        shape=(2, 8, 8),
        refused_arguments=({"encoder": nn.Identity(), "hidden_dim": 0}, "at least one number: got 512 and 0"),
    ),
    "ResidualGroupCNN": Case(
        arguments={
            "group": CyclicGroup(8), "num_classes": CLASSES, "num_blocks": (1, 1), "channels": (3, 4), "in_channels": 2,
        },
        shape=(2, 6, 8),
        refused_arguments=({"num_blocks": (1,)}, r"every stage needs blocks and channels: got \[1\] and"),
        refused_shape=((2, 7, 8), "breaks equivariance at a height of 7: take 6 or 8"),
    ),
    "SimpleClassifier": Case(arguments={"num_inputs": 5, "num_hidden": 6, "num_outputs": CLASSES}, shape=(5,)),
    "StridedGroupCNN": Case(
        arguments={
            "group": CyclicGroup(8), "image_size": 8, "in_channels": 2, "num_classes": CLASSES, "channels": (3, 4),
            "strides": (2, 1),
        },
        shape=(2, 8, 8),
        refused_arguments=({"strides": (2, 3)}, r"a stride of 1 or 2: got .* and \[2, 3\]"),
        refused_shape=((2, 9, 9), "takes images of 8x8: got 9x9"),
    ),
    "TransformerPredictor": Case(
        arguments={"input_dim": 4, "num_classes": CLASSES, "model_dim": 8, "num_heads": 2, "num_layers": 2},
        shape=(5, 4),
        read=lambda model, sequences: model(sequences).mean(1),
        refused_arguments=({"input_dim": 4, "num_classes": CLASSES, "model_dim": 7}, "even number of features: got 7"),
        refused_shape=((5, 3), "must have 4 features: got"),
    ),
    "VariationalAutoencoder": Case(
        arguments={"input_shape": (1, 3, 4), "latent_features": 3},
        shape=(1, 3, 4),
        read=lambda model, images: model.observation_model(model.posterior(images).mean).logits.flatten(1)[:, :CLASSES],
        refused_shape=((1, 4, 4), "takes images of 1x3x4: got 1x4x4"),
    ),
    "VisionTransformer": Case(
        arguments={
            "embed_dim": 8, "hidden_dim": 12, "num_channels": 2, "num_heads": 2, "num_layers": 2,
            "num_classes": CLASSES, "patch_size": 4, "num_patches": 4,
        },
        shape=(2, 8, 8),
        refused_arguments=({"embed_dim": 8, "num_heads": 3}, "heads must divide the embedding: got 3 heads"),
        refused_shape=((3, 8, 8), "images of 2 channels: got 3"),
    ),
    "WhitenedCNN": Case(
        arguments={"in_channels": 2, "num_classes": CLASSES, "widths": (18, 20)},
        shape=(2, 8, 8),
        begins_alike=frozenset({"groups.4.weight", "groups.11.weight"}),
        refused_arguments=({"widths": (4, 0)}, r"groups of at least one channel: got \[4, 0\]"),
        refused_shape=((2, 4, 8), "images of at least 5x5: got 4x8"),
    ),
}  # fmt: skip
every_model = pytest.mark.parametrize("name", sorted({*models.__all__, *(n for n in CASES if hasattr(models, n))}))


def case_of(name: str) -> Case:
    assert name in CASES, f"{name} is new: add a small one to CASES"
    return CASES[name]


def kind_of(case: Case) -> type[nn.Module]:
    if case.kind is not None:
        return case.kind
    return getattr(models, next(name for name, known in CASES.items() if known is case))


class Read(nn.Module):
    """A network and the reading of its output, as one module."""

    def __init__(self, case: Case, seed: int) -> None:
        super().__init__()
        with rng.global_stream(seed, "initial weights"):
            self.model = kind_of(case)(**case.arguments)
        self.read = case.read

    def forward(self, inputs: Tensor) -> Tensor:
        return self.read(self.model, inputs)


def made(case: Case, seed: int = 0) -> Read:
    return Read(case, seed)


def inputs_of(case: Case, count: int = BATCH, seed: int = 0) -> Tensor:
    return torch.randn(count, *case.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels_of(count: int = BATCH) -> Tensor:
    return torch.arange(count) % CLASSES


# --- the contracts


def check_batch_independence(case: Case) -> None:
    """In evaluation a logit belongs to its own input: neither value nor gradient depends on the inputs beside it."""
    model, inputs = made(case).double().eval(), inputs_of(case).requires_grad_()
    logits = model(inputs)
    assert logits.shape == (BATCH, CLASSES)
    alone = torch.cat([model(one[None]) for one in inputs])
    torch.testing.assert_close(logits, alone, rtol=0, atol=1e-12)
    for index in range(BATCH):
        (gradient,) = torch.autograd.grad(logits[index].sum(), inputs, retain_graph=True)
        beside = [other for other in range(BATCH) if other != index]
        assert gradient[index].abs().sum() > 0
        assert gradient[beside].abs().sum() == 0


def check_every_parameter_gets_a_gradient(case: Case) -> None:
    model = made(case).double()
    classification(model, inputs_of(case, count=40), labels_of(40))[0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{name} is not part of the output"
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, f"{name} gets no gradient"


def check_state_dict_round_trip(case: Case) -> None:
    first, second, inputs = made(case, 0).double(), made(case, 1).double(), inputs_of(case)
    first(inputs)  # running statistics, where there are any, leave their starting point
    first.eval()
    second.eval()
    assert not torch.equal(first(inputs), second(inputs))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(inputs), second(inputs))


def check_one_batch_can_be_overfitted(case: Case) -> None:
    model, inputs, labels = made(case).double(), inputs_of(case), labels_of()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(300):
        optimizer.zero_grad()
        loss, metrics = classification(model, inputs, labels)
        if loss < 0.02:
            assert metrics["accuracy"] == BATCH
            return
        loss.backward()
        optimizer.step()
    raise AssertionError(f"after 300 steps the loss is {loss.item():g}")


def check_the_seed_decides_the_weights(case: Case) -> None:
    """All tensors for one seed; for another one at least the matrices, since biases and scales may start constant."""
    torch.manual_seed(1)
    first = made(case, 3).state_dict()
    torch.manual_seed(2)
    again, other = made(case, 3).state_dict(), made(case, 4)
    for name, tensor in first.items():
        assert torch.equal(tensor, again[name]), f"{name} differs between two networks of one seed"
    for name, parameter in other.named_parameters():
        if parameter.ndim > 1 and name.removeprefix("model.") not in case.begins_alike:
            assert not torch.equal(first[name], parameter), f"{name} is the same for two seeds"


def check_double_precision(case: Case) -> None:
    model, inputs = made(case).eval(), inputs_of(case)
    single = model(inputs.float())
    assert single.dtype == torch.float32
    double = model.double()(inputs)
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-5)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            kept = parameter.clone()
            parameter.add_(1e-10 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
            changed = model(inputs)
            assert not torch.equal(changed, double), f"double precision is lost on the way from {name}"
            torch.testing.assert_close(changed, double, rtol=0, atol=1e-6)
            parameter.copy_(kept)


def check_stacked_equals_one_by_one(case: Case) -> None:
    """In training, with running statistics, as several seeds are trained at once."""
    replicas = [made(case, seed).double() for seed in range(3)]
    inputs = torch.stack([inputs_of(case, seed=seed) for seed in range(3)])
    parameters, buffers = stack_module_state(replicas)
    stacked = vmap(lambda p, b, batch: functional_call(replicas[0], (p, b), (batch,)))(parameters, buffers, inputs)
    for index, replica in enumerate(replicas):
        torch.testing.assert_close(stacked[index], replica(inputs[index]), rtol=0, atol=1e-12)
        for name, buffer in replica.named_buffers():
            torch.testing.assert_close(buffers[name][index], buffer, rtol=0, atol=1e-12)


def check_inputs_are_left_as_they_are(case: Case) -> None:
    inputs = inputs_of(case)
    kept = inputs.clone()
    made(case).double()(inputs)
    assert torch.equal(inputs, kept)


def check_compiled(case: Case, *, backend: str) -> None:
    """One graph (torch's own recurrent layers break it), whose results and gradients are those of the plain network."""
    torch.compiler.reset()
    model, compiled, inputs = made(case).double(), made(case).double(), inputs_of(case)
    compiled.compile(backend=backend, fullgraph=case.stackable)
    torch.testing.assert_close(compiled(inputs), model(inputs), rtol=0, atol=1e-11)
    for network in (compiled, model):
        network(inputs).sin().sum().backward()
    for (name, one), other in zip(compiled.named_parameters(), model.parameters(), strict=True):
        assert other.grad is not None, name
        assert one.grad is not None, f"{name} gets another gradient: none"
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-7, atol=1e-10, msg=f"{name} gets another gradient")


CONTRACTS = [
    check_batch_independence,
    check_every_parameter_gets_a_gradient,
    check_state_dict_round_trip,
    check_one_batch_can_be_overfitted,
    check_the_seed_decides_the_weights,
    check_double_precision,
    check_stacked_equals_one_by_one,
    check_inputs_are_left_as_they_are,
]
every_contract = pytest.mark.parametrize("check", CONTRACTS, ids=lambda check: check.__name__.removeprefix("check_"))


@every_model
@every_contract
def test_contract(name, check):
    case = case_of(name)
    if check is check_stacked_equals_one_by_one and not case.stackable:
        with pytest.raises(RuntimeError, match="Batching rule not implemented"):
            check(case)
    else:
        check(case)


compiling = (
    pytest.mark.filterwarnings(  # of torch's compiler, the second where it looks at what a recurrent layer returns
        "ignore:`torch.jit.script_method`:DeprecationWarning",
        "ignore:The .grad attribute of a Tensor that is not a leaf Tensor:UserWarning",
    )
)


@compiling
@every_model
def test_the_compiler_can_trace(name):
    """The traced operations run as they are, so that nothing is compiled, which takes minutes."""
    check_compiled(case_of(name), backend="eager")


@compiling
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.stackable])
def test_why_some_are_traced_in_pieces(name):
    torch.compiler.reset()
    compiled = made(case_of(name)).double()
    compiled.compile(backend="eager", fullgraph=True)
    with pytest.raises(RuntimeError, match="Dynamo does not support RNN, GRU, or LSTM"):
        compiled(inputs_of(case_of(name)))


@compiling
@pytest.mark.slow
@pytest.mark.timeout(900)
@every_model
def test_compiled_equals_plain(name):
    check_compiled(case_of(name), backend="inductor")


@every_model
def test_what_is_promised_to_be_refused_is_refused(name):
    case, kind = case_of(name), getattr(models, name)
    promises = [inspect.getdoc(kind) or "", inspect.getdoc(kind.forward) or ""]
    promised = ["ValueError:" in text.partition("Raises:")[2] for text in promises]
    assert promised == [bool(case.refused_arguments), bool(case.refused_shape)], "each promise needs its case"
    if case.refused_arguments is not None:
        with pytest.raises(ValueError, match=case.refused_arguments[1]):
            kind(**case.refused_arguments[0])
    if case.refused_shape is not None:
        with pytest.raises(ValueError, match=case.refused_shape[1]):
            made(case)(torch.zeros(2, *case.refused_shape[0]))


# --- each contract is seen to fail


class Wrong(nn.Module):
    """A linear classifier that its children spoil."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(8, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc1(images)


class CentredOnItsBatch(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        return self.fc1(images - images.mean(0))


class LooksAtItsNeighbour(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        return self.fc1(images) + 1e-6 * images.roll(1, 0).sum(-1, keepdim=True)


class UnusedLayer(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.fc2 = nn.Linear(8, CLASSES)


class Detached(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.linear(images, self.fc1.weight.detach(), self.fc1.bias)


class HiddenState(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.direction = torch.randn(8, dtype=torch.float64)  # neither parameter nor buffer

    def forward(self, images: Tensor) -> Tensor:
        return self.fc1(images * self.direction)


class ZeroWeights(Wrong):
    def __init__(self) -> None:
        super().__init__()
        nn.init.zeros_(self.fc1.weight)


class OwnSeed(Wrong):
    def __init__(self) -> None:
        super().__init__()
        nn.init.normal_(self.fc1.weight, generator=torch.Generator().manual_seed(0))


class DrawsFromElsewhere(Wrong):
    numbers = torch.Generator().manual_seed(0)

    def __init__(self) -> None:
        super().__init__()
        nn.init.normal_(self.fc1.weight, generator=self.numbers)


class SinglePrecisionInside(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.linear(images.float(), self.fc1.weight.float(), self.fc1.bias.float()).to(images.dtype)


class AsksForValues(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        return self.fc1(images) * (1.0 if images.sum().item() > 0 else -1.0)


class CompilesToAnotherValue(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        return self.fc1(images) + (1e-6 if torch.compiler.is_compiling() else 0.0)


class CompilesWithoutASlope(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        weight = self.fc1.weight
        return nn.functional.linear(images, weight.detach() if torch.compiler.is_compiling() else weight, self.fc1.bias)


class InPlace(Wrong):
    def forward(self, images: Tensor) -> Tensor:
        return self.fc1(images.clamp_(min=0))


@pytest.mark.parametrize(
    ("check", "wrong", "error"),
    [
        (check_batch_independence, CentredOnItsBatch, AssertionError),
        (check_batch_independence, LooksAtItsNeighbour, AssertionError),
        (check_every_parameter_gets_a_gradient, UnusedLayer, AssertionError),
        (check_every_parameter_gets_a_gradient, Detached, AssertionError),
        (check_state_dict_round_trip, HiddenState, AssertionError),
        (check_one_batch_can_be_overfitted, Detached, AssertionError),
        (check_the_seed_decides_the_weights, ZeroWeights, AssertionError),
        (check_the_seed_decides_the_weights, OwnSeed, AssertionError),
        (check_the_seed_decides_the_weights, DrawsFromElsewhere, AssertionError),
        (check_double_precision, SinglePrecisionInside, AssertionError),
        (check_stacked_equals_one_by_one, AsksForValues, RuntimeError),
        (check_inputs_are_left_as_they_are, InPlace, AssertionError),
    ],
    ids=lambda value: getattr(value, "__name__", "").removeprefix("check_"),
)
def test_a_wrong_network_is_told_apart(check, wrong, error):
    with pytest.raises(error):
        check(Case(kind=wrong, arguments={}, shape=(8,)))


@compiling
@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        (AsksForValues, RuntimeError, "item"),
        (CompilesToAnotherValue, AssertionError, "not close"),
        (CompilesWithoutASlope, AssertionError, "weight gets another gradient"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_network_that_compiles_to_something_else_is_told_apart(wrong, error, told):
    with pytest.raises(error, match=told):
        check_compiled(Case(kind=wrong, arguments={}, shape=(8,)), backend="eager")


@every_contract
def test_the_classifier_that_is_spoiled_above_keeps_the_contracts(check):
    check(Case(kind=Wrong, arguments={}, shape=(8,)))
