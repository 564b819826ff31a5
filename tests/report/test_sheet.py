"""Text on sheets: broken and clipped to the width that it has."""

import pytest

from gradlab.report.sheet import broken, text_width


@pytest.mark.parametrize(
    "text",
    ["a walnut chair (54.3 %), is a bench", "one\ntwo words and three more words", "", "Donaudampfschifffahrt x"],
)
def test_every_line_fits_and_no_word_is_lost_that_does(text):
    width = 90.0
    lines = broken(text, width, 10.5)
    assert all(text_width(line, 10.5) <= width for line in lines)
    fits = [word for word in text.split() if text_width(word, 10.5) <= width]
    assert [word for line in lines for word in line.split() if not word.endswith("…")] == fits


def test_text_that_fits_stays_as_it_is():
    assert broken("cat (99.1 %)\nphoto.jpg", 500.0) == ["cat (99.1 %)", "photo.jpg"]


def test_a_number_keeps_its_unit():
    assert broken("is 54.3 % sure", text_width("54.3 %") + 1) == ["is", "54.3 %", "sure"]


def test_a_line_is_as_full_as_it_can_be():
    text = "a b c d e f g h"
    lines = broken(text, text_width("a b c d"))
    assert lines[0] == "a b c d"
