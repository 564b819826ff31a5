import pytest

from gradlab import models
from gradlab.cli.explain_model import explained_model
from gradlab.cli.network import build_network, group_named, input_size
from gradlab.errors import UsageError

HANDBOOK = {
    "SimpleClassifier": 17,
    "LeNet": 431_080,
    "VariationalAutoencoder": 469_268,
    "CNN": 103_690,
    "GroupEquivariantCNN": 102_970,
}
"""Trainable parameters that the handbook, the slides or the course's solved notebooks state for their examples."""


def parameters(name: str, *given: str, shape: tuple[int, ...] | None = None) -> int:
    model, _shape = build_network(name, shape, 10, given)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("name", HANDBOOK)
def test_sizes_left_out_are_those_of_the_handbook(name):
    assert parameters(name) == HANDBOOK[name]


@pytest.mark.parametrize("name", models.__all__)
def test_every_network_can_be_explained_by_its_name_alone(name):
    text, document, _page = explained_model(name, None, 10)
    assert text.startswith(f"{name} for ")
    assert len(document["parts"]) > 1


def test_arguments_are_given_by_name():
    assert parameters("ResNet", "num_blocks=2x2x3", "c_hidden=16x24x32", shape=(3, 32, 32)) == 83_882
    assert parameters("RNNModel", "cell=LSTM") == 4 * parameters("RNNModel") - 3 * (128 * 10 + 10)
    model, _shape = build_network("GroupEquivariantCNN", None, 10, ["group=D4", "hidden_channels=3"])
    assert model.lifting_conv.kernel.table.order == 8
    model, _shape = build_network("SimCLR", None, 10, ["feature_dim=64"])
    assert model.head[0].in_features == 64


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("GroupEquivariantCNN", "grop=C4", "unknown argument of GroupEquivariantCNN 'grop': did you mean 'group'"),
        ("GroupEquivariantCNN", "group=Z4", "a group is named C or D and its number of rotations.*got 'Z4'"),
        ("GroupEquivariantCNN", "group", "--with takes NAME=VALUE.*got 'group'"),
        ("ResNet", "num_blocks=two", "ResNet does not take these arguments"),
        ("Nope", "group=C4", "unknown model 'Nope'"),
    ],
)
def test_arguments_that_do_not_fit_are_a_usage_error(name, given, told):
    with pytest.raises(UsageError, match=told):
        build_network(name, None, 10, [given])


def test_networks_of_images_refuse_other_inputs():
    with pytest.raises(UsageError, match="LeNet reads images: --input takes channels x height x width"):
        build_network("LeNet", (28, 28), 10)
    with pytest.raises(UsageError, match="got '1x2x3x4'"):
        input_size("--input", "1x2x3x4")


def test_groups_by_name():
    assert group_named("C8").table.order == 8
    assert group_named("D3").table.order == 6
