from gradlab.answers.cheatsheet import PRACTICAL
from gradlab.experiments import GROUPS


def test_every_experiment_of_the_cheat_sheet_answers_once_and_in_order():
    assert [question.experiment_name for question in PRACTICAL.questions] == list(GROUPS["cheatsheet"])


def test_every_experiment_says_that_it_comes_from_there():
    for question in PRACTICAL.questions:
        source = (question.experiment.__doc__ or "").partition("Source:")[2]
        assert source.strip().startswith("cheat-sheet"), question.experiment_name
