"""What holds for every exercise: our answer passes, every fault is wrong and told apart, the starter stands alone."""

import ast

import pytest
import torch

from gradlab.learn.compare import Tolerance, same
from gradlab.learn.exercise import Draw, exercise
from gradlab.learn.judge import judge
from gradlab.learn.observe import observe, plain
from gradlab.learn.outline import outlines
from tests.learn.mutants import all_mutants

NAMES = [told.name for told in outlines()]
ALLOWED = {"torch", "numpy", "math", "collections", "itertools", "pathlib", "typing"}
MUTANTS = dict(all_mutants())


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_is_named_by_itself(name):
    """So our answer has none of them, and no fault hides another."""
    each = exercise(name)
    cases = [plain(case) for case in each.cases(5)]
    for fault in each.check.faults:
        answers = each.wrong_answers(fault.wrong)
        verdict = judge(each, [observe(each.check.probe, answers, case) for case in cases], cases)
        assert verdict.fault == fault.name, f"{name}: {fault.name} is told as {verdict.fault or 'right'}"


@pytest.mark.parametrize("name", NAMES)
def test_our_answer_is_the_same_on_every_run(name):
    each = exercise(name)
    tolerance = Tolerance(each.check.relative, each.check.absolute)
    for case in map(plain, each.cases(3)):
        first, again = (observe(each.check.probe, each.answers, case) for _ in range(2))
        assert "value" in first, first
        assert same(first, again, tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_the_starter_stands_alone(name):
    told = exercise(name).outline
    for text in (told.starter(), told.solution()):
        tree = ast.parse(text)
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert {module.partition(".")[0] for module in modules} <= ALLOWED
        assert set(told.asks) <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert told.starter().count("# TODO") == told.marked().count("### BEGIN SOLUTION") >= 1


@pytest.mark.parametrize("name", NAMES)
def test_what_runs_beside_the_learner_holds_no_solution(name):
    each = exercise(name)
    assert "SOLUTION" not in each.probe_source()
    assert not set(each.outline.asks) & {
        node.name for node in ast.parse(each.probe_source()).body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_whole(name):
    each = exercise(name)
    told = each.outline
    assert len(told.hints) == 3
    assert len({*told.hints}) == 3
    assert min(map(len, (*told.hints, told.source))) > 8
    assert told.title
    assert all(asked in told.statement for asked in told.asks)
    names = [fault.name for fault in each.check.faults]
    assert len(names) == len(set(names)) >= 7
    assert all(fault.advice.endswith((".", "?")) for fault in each.check.faults)


@pytest.mark.parametrize("name", NAMES)
def test_there_are_at_least_eight_wrong_solutions(name):
    assert len(MUTANTS[name]) >= 8


def test_a_seed_and_a_case_draw_the_same_and_the_first_case_is_small():
    for case in range(3):
        one, other = Draw(4, case), Draw(4, case)
        assert torch.equal(one.normal(3, 2), other.normal(3, 2))
        assert one.order(5).sort().values.tolist() == list(range(5))
    assert not torch.equal(Draw(4, 0).normal(9), Draw(4, 1).normal(9))
    assert not torch.equal(Draw(4, 0).normal(9), Draw(5, 0).normal(9))
    assert Draw(4, 0).size(2, 9) == 2
    assert Draw(4, 0).choice("abc") == "a"
    assert {Draw(seed, 1).size(2, 4) for seed in range(40)} == {2, 3, 4}
