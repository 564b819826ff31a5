"""How long do `--help` and the imports take, and how much memory does a training process need beyond torch?

Run: `python -m bench.start_up`
"""

import statistics
import subprocess
import sys
import time

from bench.record import write

ROUNDS = 9
PROGRAMS = {
    "python alone": "pass",
    "gradlab --help": "from gradlab.cli import main; main(['--help'])",
    "gradlab list": "from gradlab.cli import main; main(['list'])",
    "import torch": "import torch",
    "import gradlab.training": "import gradlab.training",
    "import gradlab.report": "import gradlab.report",
    "digits loaded": "from gradlab import data; data.load('digits')",
}
PEAK = "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"


def main():
    seconds = {name: [] for name in PROGRAMS}
    peaks = {}
    for _ in range(ROUNDS):
        for name, program in PROGRAMS.items():
            begin = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", program + PEAK], check=True, capture_output=True, text=True)
            seconds[name].append(time.perf_counter() - begin)
            peaks[name] = int(done.stdout.split()[-1])
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in middle.items():
        print(f"{name:<26} {value * 1000:7.0f} ms  {peaks[name] / 1e6:7.0f} MB")
    print(write("start_up", {"seconds": seconds, "median_seconds": middle, "peak_bytes": peaks}))


if __name__ == "__main__":
    main()
