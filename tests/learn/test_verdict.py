from gradlab.learn.verdict import PASSED, WRONG, Verdict

WRONG_ONE = Verdict(
    exercise="softmax", status=WRONG, fault="a fault", advice="Look here.", line=3, inputs=("x = tensor [1]\n[2.]",),
    got="1", expected="2", printed="hello\n",
)  # fmt: skip


def test_a_verdict_is_true_where_it_passed():
    assert Verdict(exercise="a", status=PASSED)
    assert not WRONG_ONE


def test_it_reads_from_top_to_bottom():
    assert str(WRONG_ONE).splitlines() == [
        "softmax: wrong (line 3): a fault",
        "  Look here.",
        "  input     x = tensor [1]",
        "            [2.]",
        "  got       1",
        "  expected  2",
        "  printed   hello",
    ]
    assert str(Verdict(exercise="a", status=PASSED)) == "a: passed"


def test_its_document_has_every_field():
    document = WRONG_ONE.document()
    assert document["fault"] == "a fault"
    assert set(document) == set(Verdict.__dataclass_fields__)
