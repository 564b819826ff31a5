from gradlab.learn.course import CHAPTERS


def test_chapters_are_in_practical_order_and_no_exercise_comes_twice():
    folders = [chapter.folder for chapter in CHAPTERS]
    practicals = [folder for folder in folders if folder.startswith("practical")]
    assert practicals == [f"practical{number}" for number in (1, 2, 3, 4, 5)]
    assert folders[0] == "introduction"
    names = [name for chapter in CHAPTERS for name in chapter.exercises]
    assert len(names) == len(set(names))
