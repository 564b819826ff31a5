import copy

import pytest

from tests.learn.mutants import Mutants

WRONG = Mutants("keep_best")


@WRONG("the model ends with the last weights instead of the best")
def alias(model, train_epoch, validate, num_epochs, every=5):
    best, state = 0, None
    for epoch in range(num_epochs):
        train_epoch(model)
        if (epoch + 1) % every == 0 or epoch + 1 == num_epochs:
            acc = validate(model)
            if acc > best:
                best, state = acc, model.state_dict()
    model.load_state_dict(state)
    return best


@WRONG("the model ends with the last weights instead of the best")
def shallow(model, train_epoch, validate, num_epochs, every=5):
    best, state = 0, None
    for epoch in range(num_epochs):
        train_epoch(model)
        if (epoch + 1) % every == 0 or epoch + 1 == num_epochs:
            acc = validate(model)
            if acc > best:
                best, state = acc, copy.copy(model.state_dict())
    model.load_state_dict(state)
    return best


def loop(model, train_epoch, validate, epochs, wanted):
    for epoch in epochs:
        train_epoch(model)
        if wanted(epoch):
            yield validate(model), copy.deepcopy(model.state_dict())


@WRONG("the model ends with the last weights instead of the best")
def not_loaded(model, train_epoch, validate, num_epochs, every=5):
    found = list(
        loop(model, train_epoch, validate, range(1, num_epochs + 1), lambda e: e % every == 0 or e == num_epochs)
    )
    return max(acc for acc, _ in found)


@WRONG("the last epoch is not validated")
def only_multiples(model, train_epoch, validate, num_epochs, every=5):
    found = list(loop(model, train_epoch, validate, range(1, num_epochs + 1), lambda e: e % every == 0))
    best = max(found, key=lambda pair: pair[0])
    model.load_state_dict(best[1])
    return best[0]


@WRONG("the last of equally good weights is kept")
def greater_or_equal(model, train_epoch, validate, num_epochs, every=5):
    best = (-1, None)
    for pair in loop(
        model, train_epoch, validate, range(1, num_epochs + 1), lambda e: not e % every or e == num_epochs
    ):
        best = pair if pair[0] >= best[0] else best
    model.load_state_dict(best[1])
    return best[0]


@WRONG("the worst weights are kept")
def lowest(model, train_epoch, validate, num_epochs, every=5):
    found = list(
        loop(model, train_epoch, validate, range(1, num_epochs + 1), lambda e: not e % every or e == num_epochs)
    )
    best = min(found, key=lambda pair: pair[0])
    model.load_state_dict(best[1])
    return best[0]


@WRONG("the last accuracy is returned")
def last_accuracy(model, train_epoch, validate, num_epochs, every=5):
    found = list(
        loop(model, train_epoch, validate, range(1, num_epochs + 1), lambda e: not e % every or e == num_epochs)
    )
    model.load_state_dict(max(found, key=lambda pair: pair[0])[1])
    return found[-1][0]


@WRONG("every epoch is validated")
def each_epoch(model, train_epoch, validate, num_epochs, every=5):
    found = list(loop(model, train_epoch, validate, range(num_epochs), lambda e: True))
    best = max(found, key=lambda pair: pair[0])
    model.load_state_dict(best[1])
    return best[0]


@WRONG("the epochs are counted from 0")
def from_zero(model, train_epoch, validate, num_epochs, every=5):
    found = list(loop(model, train_epoch, validate, range(num_epochs), lambda e: e % every == 0))
    best = max(found, key=lambda pair: pair[0])
    model.load_state_dict(best[1])
    return best[0]


@WRONG("one epoch too few is trained")
def short_range(model, train_epoch, validate, num_epochs, every=5):
    best, state = -1, {}
    for epoch in range(1, num_epochs):
        train_epoch(model)
        if epoch % every == 0:
            acc = validate(model)
            if acc > best:
                best, state = acc, copy.deepcopy(model.state_dict())
    if state:
        model.load_state_dict(state)
    return float(best)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
