from types import ModuleType

from gradlab.answers import Question

ASKED = Question(part="1", text="?", experiment=ModuleType("gradlab.experiments.resnet"), arms=("ResNet", "MLP"))
ACCURACY = {"test_accuracy": [0.5, 0.6]}


def test_it_knows_its_experiment():
    assert ASKED.experiment_name == "resnet"


def test_a_run_that_lacks_an_arm_does_not_answer(make_run):
    assert ASKED.answering({}) is None
    assert ASKED.answering({"resnet": [make_run("resnet", {"MLP, plain": ACCURACY})]}) is None


def test_the_run_with_fewest_other_arms_answers(make_run):
    both, more = {"MLP": ACCURACY, "ResNet": ACCURACY}, {"ViT": ACCURACY}
    wide, first, second = (make_run("resnet", arms) for arms in (both | more, both, both))
    found = ASKED.answering({"resnet": [wide, first, second]})
    assert found is not None
    assert found.path == first.path


def test_a_full_run_goes_before_a_quick_one(make_run):
    both = {"MLP": ACCURACY, "ResNet": ACCURACY}
    quick, full = make_run("resnet", both, quick=True), make_run("resnet", both | {"ViT": ACCURACY})
    found = ASKED.answering({"resnet": [quick, full]})
    assert found is not None
    assert found.path == full.path


def test_without_named_arms_the_first_run_answers(make_run):
    asked = Question(part="1", text="?", experiment=ModuleType("gradlab.experiments.vit"))
    runs = [make_run("vit", {"a": ACCURACY, "b": ACCURACY}), make_run("vit", {"a": ACCURACY})]
    found = asked.answering({"vit": runs})
    assert found is not None
    assert found.path == runs[0].path
