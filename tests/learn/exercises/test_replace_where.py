import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("replace_where")


@WRONG("the input is changed in place")
def no_clone(numbers, marks, mark, value):
    result = numbers
    result[marks == mark] = value
    return result


@WRONG("the input is changed in place")
def masked_fill_in_place(numbers, marks, mark, value):
    return numbers.masked_fill_(marks == mark, value)


@WRONG("the mask is the wrong way round")
def negated(numbers, marks, mark, value):
    result = numbers.clone()
    result[marks != mark] = value
    return result


@WRONG("the numbers are compared instead of the marks")
def compares_numbers(numbers, marks, mark, value):
    result = numbers.clone()
    result[result == mark] = value
    return result


@WRONG("the other places are set to 0")
def from_zeros(numbers, marks, mark, value):
    result = torch.zeros_like(numbers)
    result[marks == mark] = value
    return result


@WRONG("the value is added instead of assigned")
def adds(numbers, marks, mark, value):
    result = numbers.clone()
    result[marks == mark] += value
    return result


@WRONG("the places are multiplied by the value")
def multiplies(numbers, marks, mark, value):
    result = numbers.clone()
    result[marks == mark] *= value
    return result


@WRONG("the mark is written instead of the value")
def writes_the_mark(numbers, marks, mark, value):
    return numbers.masked_fill(marks == mark, mark)


@WRONG("every mark but 0 is replaced")
def truthy(numbers, marks, mark, value):
    return numbers.masked_fill(marks.bool(), value)


@WRONG("whole rows are replaced")
def rows(numbers, marks, mark, value):
    result = numbers.clone()
    for i in range(len(numbers)):
        if mark in marks[i]:
            result[i] = value
    return result


@WRONG("only the first such place is replaced")
def stops_early(numbers, marks, mark, value):
    result = numbers.clone()
    for i, j in (marks == mark).nonzero().tolist():
        result[i, j] = value
        break
    return result


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
