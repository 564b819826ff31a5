from pathlib import Path

from gradlab.learn.sandbox.supervise import supervise


def watched(tmp_path: Path, codes, content: bytes = b"", **more):
    killed = []
    output = tmp_path / "output"
    output.write_bytes(content)
    given = {"seconds": 5.0, "printed": 10, **more}
    told = supervise(lambda: next(codes), lambda: killed.append(True), output, **given)
    return told, len(killed)


def test_it_tells_the_code_and_kills_what_is_left(tmp_path):
    assert watched(tmp_path, iter([None, None, 3])) == ("ended 3", 1)


def test_a_process_that_goes_on_is_stopped(tmp_path):
    assert watched(tmp_path, iter(lambda: None, 1), seconds=0.02) == ("time", 1)


def test_a_process_that_prints_too_much_is_stopped(tmp_path):
    assert watched(tmp_path, iter(lambda: None, 1), content=b"x" * 11) == ("output", 1)
    assert watched(tmp_path, iter([0]), content=b"x" * 11) == ("output", 1)
    assert watched(tmp_path, iter([0]), content=b"x" * 10) == ("ended 0", 1)
