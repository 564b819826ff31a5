"""What a person sees: one moving line on a terminal, seldom plain lines elsewhere, nothing when quiet."""

import io

import pytest

from gradlab.training import Progress
from gradlab.training import display as module
from gradlab.training.display import Display, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(seed=0, epoch=1, step=50, **changes):
    settings = {"arm": "a", "seed": seed, "epoch": epoch, "epochs": 2, "step": step, "steps": 100, "loss": 0.5}
    return Progress(**{**settings, "samples_per_second": 1000.0, **changes})


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.delenv("TERM", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return now


def test_a_terminal_gets_one_line_that_moves(clock):
    terminal = Terminal()
    display = Display(seeds=2, stream=terminal)
    display.progress(progress())
    display.progress(progress(seed=1))
    clock[0] += 0.5
    display.progress(progress(step=60))
    assert " left" not in terminal.getvalue(), "nobody knows before anything is measured"
    clock[0] += 9.5
    display.progress(progress(epoch=2))
    display.progress(progress(seed=1, epoch=2))
    display.wipe()
    text = terminal.getvalue()
    assert "\n" not in text
    assert "a, seed 0: epoch 1/2, 12 % of 2 seeds, loss 0.5000, 1,000 images/s" in text
    assert "a, 2 seeds: epoch 2/2, 75 % of 2 seeds" in text
    assert "2,000 images/s, 5 s left" in text  # a quarter is left, and half took 10 seconds
    assert text.endswith("\r" + " " * module.WIDTH + "\r")


def test_a_file_gets_a_plain_line_every_30_seconds(clock):
    file = io.StringIO()
    display = Display(stream=file)
    for _ in range(100):
        clock[0] += 1
        display.progress(progress())
    assert file.getvalue().count("\n") == 3
    assert "\r" not in file.getvalue()


def test_seeds_that_finished_no_longer_count_in_the_rate(clock):
    terminal = Terminal()
    display = Display(seeds=2, stream=terminal)
    display.progress(progress(epoch=2, step=100))
    clock[0] += 10
    display.progress(progress(seed=1))
    assert "a, seed 1: epoch 1/2, 62 % of 2 seeds, loss 0.5000, 1,000 images/s" in terminal.getvalue()


def test_what_was_read_back_is_done_and_tells_nothing_of_the_time_left(clock):
    terminal = Terminal()
    display = Display(seeds=4, stream=terminal)
    for seed in (0, 1):
        display.progress(progress(seed=seed, epoch=2, step=100, samples_per_second=0.0))
    assert terminal.getvalue() == "", "nothing runs"
    display.progress(progress(seed=2, step=2))
    clock[0] += 10
    display.progress(progress(seed=2, step=100))
    assert "a, seed 2: epoch 1/2, 62 % of 4 seeds" in terminal.getvalue()
    assert "31 s left" in terminal.getvalue()  # three halves of a seed are left, and 0.49 took 10 seconds


def test_quiet_says_nothing(clock):
    terminal = Terminal()
    display = Display(quiet=True, stream=terminal)
    display.progress(progress())
    display.say("hello")
    display.wipe()
    assert terminal.getvalue() == ""


def test_a_diverged_seed_is_told(clock):
    file = io.StringIO()
    Display(stream=file).row({"arm": "a", "seed": 3, "diverged": "loss nan at step 7"})
    assert file.getvalue() == "a seed 3 stopped: loss nan at step 7\n"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_warning_is_said_once_and_another_beside_it():
    stream = io.StringIO()
    display = Display(stream=stream)
    for text in ("of all arms", "of all arms", "of one"):
        display.warn(text)
    assert stream.getvalue() == "warning: of all arms\nwarning: of one\n"
