import pytest
import torch

from gradlab.learn.exercises.save_and_load import load_model
from tests.learn.mutants import Mutants

WRONG = Mutants("save_and_load")


def save_parameters(model, path):
    torch.save({name: p.data for name, p in model.named_parameters()}, path)


def load_loosely(model, path):
    model.load_state_dict(torch.load(path), strict=False)


WRONG.add("the buffers are not saved", "parameters_only", save_model=save_parameters, load_model=load_loosely)


def pickles(model, path):
    with path.open("wb") as file:
        torch.save(model, file)


def unpickles(model, path):
    loaded = torch.load(path, weights_only=False)
    model.load_state_dict(loaded.state_dict())


WRONG.add("the whole model is saved", "pickles_it", save_model=pickles, load_model=unpickles)


def save(model, path):
    torch.save(model.state_dict(), path)


def reads_only(model, path):
    state = torch.load(path)
    state.keys()


WRONG.add("what is read is not put into the model", "reads_only", save_model=save, load_model=reads_only)


def rebinds(model, path):
    model = torch.nn.Sequential()
    model.state = torch.load(path)


WRONG.add("what is read is not put into the model", "rebinds", save_model=save, load_model=rebinds)


def returns_state(model, path):
    with path.open("rb") as file:
        return torch.load(file)


WRONG.add(
    "what is read is returned instead of put into the model", "returns_state", save_model=save, load_model=returns_state
)


def returns_model(model, path):
    model.load_state_dict(torch.load(path))
    return model.eval()


WRONG.add("the model is returned", "returns_model", save_model=save, load_model=returns_model)


def frozen(model, path):
    load_model(model, path)
    for p in model.parameters():
        p.requires_grad = False


WRONG.add("the loaded parameters are frozen", "frozen", load_model=frozen)


def other_name(model, path):
    torch.save(model.state_dict(), str(path)[:-3] + ".pth")


def other_place(model, path):
    model.load_state_dict(torch.load(str(path)[:-3] + ".pth"))


WRONG.add("the file has another name", "other_name", save_model=other_name, load_model=other_place)


def first_layer(model, path):
    torch.save({"0." + name: t for name, t in model[0].state_dict().items()}, path)


WRONG.add("only the first layer is saved", "first_layer", save_model=first_layer, load_model=load_loosely)


def zeros(model, path):
    torch.save({name: torch.zeros(t.shape) for name, t in model.state_dict().items()}, path)


WRONG.add("zeros are saved", "zeros", save_model=zeros, load_model=load_loosely)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
