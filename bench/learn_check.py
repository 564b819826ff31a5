"""How long does a learner wait for a check: from a cold shell, while watched, and where many are checked at once?

Run: `python -m bench.learn_check`
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.record import interleaved, medians, write
from gradlab.learn.exercise import exercise
from gradlab.learn.judge import judge_source
from gradlab.learn.learner import start
from gradlab.learn.outline import outline, outlines
from gradlab.learn.sandbox import Workshop

EXERCISE = "softmax"
ROUNDS = 5
COLD = {
    "python alone": ["-c", "pass"],
    "import torch": ["-c", "import torch"],
    "gradlab learn check": ["-m", "gradlab", "learn", "check", EXERCISE],
}
TICK = 1 / os.sysconf("SC_CLK_TCK")


def cold(folder):
    """Processor seconds of each program, with those of its children, as a shell would start it."""
    run = {
        name: partial(subprocess.run, [sys.executable, *words], cwd=folder, check=True, capture_output=True)
        for name, words in COLD.items()
    }
    return interleaved(run, rounds=ROUNDS, clock=children_seconds)


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watched(folder):
    """Seconds from saving a file to the verdict on the screen."""
    words = [sys.executable, "-m", "gradlab", "learn", "check", "--watch", EXERCISE]
    file = folder / outline(EXERCISE).path
    waited = []
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as watching:
        watching.stdout.readline()
        for _ in range(ROUNDS):
            time.sleep(0.5)  # it looks at the files before the first one is saved
            begin = time.perf_counter()
            file.write_text(file.read_text())
            said = [watching.stdout.readline() for _ in range(2)]
            assert said[1] == f"{EXERCISE}: passed\n", said
            waited.append(time.perf_counter() - begin)
        watching.terminate()
    return waited


def warm():
    """Processor seconds of a check of each exercise's own solution, in the judge and the learner's process together."""
    used = {}
    with Workshop() as workshop:
        judge_source(exercise(EXERCISE), outline(EXERCISE).solution(), workshop)
        server = Path(f"/proc/{workshop._server.process.pid}/stat")
        for told in outlines():
            asked = exercise(told.name)
            rounds = []
            for _ in range(ROUNDS):
                before = time.process_time() + family_seconds(server)
                verdict = judge_source(asked, told.solution(), workshop)
                rounds.append((time.process_time() + family_seconds(server) - before, verdict.seconds))
                assert verdict, verdict
            used[told.name] = {"processor": [each[0] for each in rounds], "wall": [each[1] for each in rounds]}
    return used


def family_seconds(stat):
    """Processor seconds of a process and of its children that have ended, in steps of a hundredth."""
    return sum(map(int, stat.read_text().rpartition(")")[2].split()[11:15])) * TICK


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start(folder, notebooks=False)
        (folder / outline(EXERCISE).path).write_text(outline(EXERCISE).solution())
        shell = cold(folder)
        saved = watched(folder)
    used = warm()
    middle = {name: statistics.median(each["processor"]) for name, each in used.items()}
    slowest = max(middle, key=middle.get)
    checked, alone = shell["gradlab learn check"], shell["import torch"]
    imports = statistics.median(one / other for one, other in zip(checked, alone, strict=True))
    print("cold, processor seconds:", medians(shell), f"a check is {imports:.2f} imports of torch")
    print(f"watched: {statistics.median(saved):.2f} s from saving to the verdict")
    print(f"warm: median {statistics.median(middle.values()):.3f} s, worst {middle[slowest]:.3f} s ({slowest})")
    measured = {"processor_seconds": shell, "imports_of_torch": imports, "watched_seconds": saved, "exercises": used}
    print(write("learn_check", measured))


if __name__ == "__main__":
    main()
