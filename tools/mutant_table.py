"""Prints the wrong solutions of every exercise: how many there are, are caught, and are told with their own fault."""

from gradlab.report.wording import percent
from tests.learn.mutants import all_mutants


def table(seed: int = 0) -> str:
    """A Markdown table, a row for each exercise, and the sums."""
    lines = ["| exercise | wrong solutions | caught | named |", "|---|---|---|---|"]
    sums = [0, 0, 0]
    for name, mutants in all_mutants():
        verdicts = [mutant.verdict(seed) for mutant in mutants]
        caught = sum(not verdict for verdict in verdicts)
        named = sum(verdict.fault == mutant.fault for verdict, mutant in zip(verdicts, mutants, strict=True))
        lines.append(f"| {name} | {len(mutants)} | {caught} | {named} |")
        sums = [one + other for one, other in zip(sums, (len(mutants), caught, named), strict=True)]
    shares = [percent(part / sums[0], 1) for part in sums]
    lines.append(f"| all | {sums[0]} | {sums[1]} ({shares[1]}) | {sums[2]} ({shares[2]}) |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
