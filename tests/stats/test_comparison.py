import json

import pytest

from gradlab.stats import compare, compare_all, verdicts_told


def arms(n, step=0.01, wobble=0.001):
    baseline = {seed: 0.9 + 0.003 * seed for seed in range(n)}
    return {seed: value + step + wobble * (seed % 2) for seed, value in baseline.items()}, baseline


def verdict(n, **options):
    return compare(*arms(n), names=("CNN", "MLP"), percent=True, **options).verdict


def test_three_seeds_never_name_a_better_arm():
    assert verdict(3) == (
        "CNN − MLP = +1.03 points [0.89, 1.18]. "
        "3 paired seeds are too few to tell: no difference can reach p ≤ 0.05 (smallest possible 0.25); "
        "run at least 6 seeds."
    )


def test_one_seed_has_no_interval():
    assert verdict(1) == (
        "CNN − MLP = +1.00 points (no interval). "
        "1 paired seed is too few to tell: no difference can reach p ≤ 0.05 (smallest possible 1); "
        "run at least 6 seeds."
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("larger_is_better", [True, False])
def test_few_seeds_never_say_better_or_worse(n, larger_is_better):
    sentence = verdict(n, larger_is_better=larger_is_better)
    assert f"{n} paired seed{' is' if n == 1 else 's are'} too few to tell" in sentence
    assert "no difference can reach p ≤ 0.05" in sentence
    assert "better" not in sentence
    assert "worse" not in sentence


def test_eight_seeds_name_the_better_arm():
    assert verdict(8) == (
        "CNN is better than MLP: CNN − MLP = +1.05 points [1.01, 1.09], p = 0.00781 "
        "(8 paired seeds: CNN ahead on 8, equal on 0, behind on 0)."
    )


def test_of_losses_the_smaller_is_better():
    assert verdict(8, larger_is_better=False).startswith("MLP is better than CNN: CNN − MLP = +1.05 points")


def test_a_stricter_level_needs_more_seeds():
    assert "no difference can reach p ≤ 0.01 (smallest possible 0.0156)" in verdict(7, confidence=0.99)
    assert verdict(7, confidence=0.99).endswith("run at least 8 seeds.")


def test_no_difference_shown():
    baseline = [0.5, 0.6, 0.7, 0.5, 0.6, 0.7]
    treatment = [0.51, 0.59, 0.71, 0.49, 0.61, 0.7]
    assert compare(treatment, baseline).verdict == (
        "No difference shown with 6 paired seeds: a − b = +0.002 [−0.009, 0.012], p = 1."
    )


def test_equal_differences_have_no_interval():
    found = compare([0.987, 0.657, 0.5], [0.985, 0.655, 0.498], names=("CNN", "MLP"), percent=True)
    assert "CNN − MLP = +0.20 points on every seed. " in found.verdict
    assert found.low == found.high == found.mean_difference
    rounded = compare([0.0628, 0.5006], [0.0627, 0.5005], percent=True)  # they differ by 1e-12 of themselves
    assert "a − b = +0.01 points on every seed. " in rounded.verdict
    apart = compare([0.987, 0.657, 0.5], [0.985, 0.655, 0.4979], names=("CNN", "MLP"), percent=True)
    assert "CNN − MLP = +0.203 points [0.189, 0.218]. 3 paired" in apart.verdict


def test_equal_arms():
    assert compare([0.5, 0.6], [0.5, 0.6]).verdict == "a and b are equal on each of 2 paired seeds."


def test_left_out_seeds_are_named():
    treatment, baseline = arms(8)
    sentence = compare(treatment | {11: 0.5}, baseline | {12: 0.5}).verdict
    assert sentence.endswith("behind on 0) (seeds 11, 12 left out: not in both arms).")


def test_a_family_raises_the_bar():
    treatment, baseline = arms(6)
    found = compare_all({"base": baseline, "one": treatment, "two": treatment, "three": treatment}, baseline="base")
    assert {comparison.verdict for comparison in found} == {
        f"{name} − base = +0.0105 [0.0099, 0.0111]. 6 paired seeds are too few to tell: no difference can reach "
        "p ≤ 0.05 after Holm's correction for 3 comparisons (smallest possible 0.0938); run at least 7 seeds."
        for name in ("one", "two", "three")
    }


def test_that_seeds_are_too_few_is_said_once():
    treatment, baseline = arms(6)
    arms_of = {"base": baseline, "one": treatment, "two": treatment, "same": baseline}
    found = compare_all(arms_of, baseline="base")
    assert verdicts_told(found) == (
        "6 paired seeds are too few to tell: no difference can reach p ≤ 0.05 after Holm's correction for 3 "
        "comparisons (smallest possible 0.0938); run at least 7 seeds. one − base = +0.0105 [0.0099, 0.0111]; "
        "two − base = +0.0105 [0.0099, 0.0111]. same and base are equal on each of 6 paired seeds."
    )


@pytest.mark.parametrize("count", [1, 8])
def test_other_verdicts_follow_one_another(count):
    treatment, baseline = arms(count)
    found = compare_all({"base": baseline, "one": treatment}, baseline="base")
    assert verdicts_told(found) == found[0].verdict
    several = compare_all({"base": baseline, "one": treatment, "two": treatment}, baseline="base")
    told = verdicts_told(several)
    assert told.count("better than") == (2 if count == 8 else 0)
    assert told.count("no difference can reach") == (0 if count == 8 else 1)


def test_comparisons_over_other_seeds_keep_their_own_sentences():
    treatment, baseline = arms(6)
    few, fewer = ({seed: 0.5 + seed / 10 for seed in range(count)} for count in (3, 2))
    same = dict.fromkeys(range(3), 0.4)
    for found in (
        [compare(treatment, baseline), compare({0: 0.5, 1: 0.6}, {0: 0.4, 1: 0.6})],
        [compare(few, same), compare(fewer, same)],
    ):
        assert verdicts_told(found) == " ".join(made.verdict for made in found)


def test_two_comparisons_are_a_family_and_one_is_none():
    treatment, baseline = arms(3)
    two = compare_all({"base": baseline, "one": treatment, "two": treatment}, baseline="base")
    assert "no difference can reach p ≤ 0.05 after Holm's correction for 2 comparisons (" in two[0].verdict
    treatment, baseline = arms(8)
    (one,) = compare_all({"base": baseline, "one": treatment}, baseline="base")
    assert "p = 0.00781 (8 paired seeds" in one.verdict


def test_a_family_reports_the_adjusted_p():
    treatment, baseline = arms(8)
    found = compare_all({"base": baseline, "one": treatment, "two": baseline}, baseline="base")
    assert "p = 0.0156 after Holm's correction for 2 comparisons" in found[0].verdict


def test_p_equal_to_the_level_is_significant():
    # 1 - 0.9375 is exact, 5 seeds reach exactly 2/32 = 0.0625.
    assert compare([1.0] * 5, [0.0] * 5, confidence=0.9375).significant
    assert not compare([1.0] * 5, [0.0] * 5, confidence=0.95).significant
    assert compare([1.0] * 5, [0.0] * 5, confidence=0.9375).verdict.startswith("a is better than b")
    assert compare([1.0] * 4, [0.0] * 4, confidence=0.9375).verdict.endswith("run at least 5 seeds.")


def test_json_holds_what_a_script_needs():
    found = compare(*arms(8), names=("CNN", "MLP"))
    content = json.loads(json.dumps(found.as_json()))
    assert content["ci95"] == [found.low, found.high]
    assert content["seeds"] == list(range(8))
    assert (content["treatment"], content["baseline"], content["significant"]) == ("CNN", "MLP", True)
    assert content["verdict"] == found.verdict
    assert content["smallest_p_adjusted"] is None
    (of_family, _) = compare_all({"base": arms(8)[1], "one": arms(8)[0], "two": arms(8)[0]}, baseline="base")
    assert of_family.as_json()["smallest_p_adjusted"] == of_family.smallest_p_adjusted == 2 * 2**-7
    assert compare([1.0], [2.0]).as_json()["ci95"] is None
