import pytest

from gradlab.report.palette import DARK, LIGHT, RIGHT, STRONGEST_FILL, WRONG, contrast, laid_over, stand_ins, themed

THEMES = [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")]


@pytest.mark.parametrize("theme", THEMES)
def test_text_reaches_a_contrast_of_4_5(theme):
    for colour in (theme.ink, theme.muted, theme.accent):
        for ground in (theme.paper, theme.raised):
            assert contrast(colour, ground) >= 4.5
    # The names at the ends of lines are written in the lines' colours, on paper only.
    assert min(contrast(colour, theme.paper) for colour in theme.series) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_marks_reach_a_contrast_of_3(theme):
    assert min(contrast(colour, theme.paper) for colour in (*theme.series, theme.rule)) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("fill", [RIGHT, WRONG])
def test_numbers_on_the_strongest_cell_can_be_read(theme, fill):
    assert contrast(theme.ink, laid_over(fill, theme.paper, STRONGEST_FILL)) >= 4.5


def test_contrast_equals_known_ratios():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#123456", "#123456") == 1


def test_stand_ins_are_distinct_and_all_replaced():
    colours = stand_ins()
    assert len(set(colours.values())) == len(colours) == len(LIGHT.tokens())
    drawn = "".join(f'fill="{colour}"' for colour in colours.values())
    assert themed(drawn, LIGHT.tokens()) == "".join(f'fill="{colour}"' for colour in LIGHT.tokens().values())
    assert "#" not in themed(drawn)
    assert 'fill="var(--series-8)"' in themed(drawn)
