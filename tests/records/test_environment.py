import json
import os
import platform
from importlib import metadata
from pathlib import Path

import numpy
import pytest
import torch

from gradlab.records import environment
from gradlab.records.environment import available_cores, code_digest, describe_environment


def test_versions_are_those_of_the_modules():
    packages = describe_environment()["packages"]
    assert packages["torch"] == metadata.version("torch")
    assert torch.__version__.startswith(packages["torch"].partition("+")[0])
    assert packages["numpy"] == numpy.__version__
    assert describe_environment()["python"] == platform.python_version()


def test_every_package_whose_version_can_change_the_bits_is_named():
    packages = describe_environment()["packages"]
    assert {"gradlab", "torch", "numpy", "safetensors"} <= set(packages)
    assert None not in packages.values(), "all of these are dependencies, so all are there"


def test_a_missing_package_is_none(monkeypatch):
    monkeypatch.setattr(environment, "PACKAGES", ("numpy", "no-such-package-as-this"))
    assert describe_environment()["packages"] == {"numpy": numpy.__version__, "no-such-package-as-this": None}


def test_everything_is_json():
    description = describe_environment(device="cpu", threads=1, data={"name": "digits"})
    assert json.loads(json.dumps(description, allow_nan=False)) == description


def test_the_caller_s_facts_stand_beside_the_others_and_win():
    assert describe_environment(device="cpu")["device"] == "cpu"
    assert describe_environment(cores=3)["cores"] == 3


def test_memory_is_what_the_system_says():
    pages = {line.split(":")[0]: line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines()}
    found = describe_environment()["memory_bytes"]
    assert abs(found - int(pages["MemTotal"]) * 1024) < os.sysconf("SC_PAGE_SIZE")


def test_cores_are_those_that_this_process_may_use():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cores() == 1
        assert describe_environment()["cores"] == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cores() == len(allowed)


@pytest.mark.parametrize(("counted", "expected"), [(6, 6), (None, 1)])
def test_cores_where_the_system_has_no_affinity(monkeypatch, counted, expected):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert available_cores() == expected


def test_a_system_without_these_calls_is_still_described(monkeypatch):
    def unknown(_name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", unknown)
    monkeypatch.setattr("sys.platform", "darwin")
    description = describe_environment()
    assert description["memory_bytes"] is None
    assert description["processor"] == (platform.processor() or platform.machine())
    assert description["instructions"] is None


AMD = "vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\ncpu family"


@pytest.mark.parametrize("maker", ["AuthenticAMD", None])
def test_who_made_the_processor(monkeypatch, maker):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "exists", lambda _path: True)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"vendor_id\t: {maker}\n" if maker else "")
    assert environment.vendor() == maker


@pytest.mark.parametrize(
    ("information", "told"),
    [
        (f"{AMD}\t: 26\nflags\t\t: fpu avx2 avx512f avx512_bf16", "AVX-512 with bfloat16"),
        (f"{AMD}\t: 25\nflags\t\t: fpu avx2 avx512f avx512_bf16", "AVX-512 with bfloat16, in halves"),
        ("vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2 avx512f", "AVX-512, in halves"),  # of no family it tells
        (f"{AMD}\t: 25\nflags\t\t: fpu avx avx2 fma", "AVX2"),
        ("model name\t: AMD EPYC\nflags\t\t: fpu avx avx2 fma", "AVX2"),
        ("model name\t: Intel(R) Xeon(R)\nflags\t\t: avx2 avx512f amx_bf16 avx512_bf16", "AMX"),
        ("model name\t: Intel(R) Xeon(R)\nflags\t\t: avx2 avx512f", "AVX-512"),
        ("processor\t: 0\nFeatures\t: fp asimd evtstrm", "NEON"),
        ("model name\t: an old one\nflags\t\t: fpu sse2", None),
        ("", None),
    ],
)
def test_two_processors_of_one_name_are_told_apart(monkeypatch, information, told):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "exists", lambda _path: True)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: information)
    assert environment.vector_instructions() == told


def test_the_digest_is_of_every_source_that_can_change_a_trained_number(tmp_path, monkeypatch):
    for name in ("records/environment.py", "nn/a.py", "nn/b.py", "report/page.py", "inline.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "records" / "environment.py"))

    def digest() -> str:
        return code_digest.__wrapped__()

    before = digest()
    assert digest() == before
    for name in ("report/page.py", "inline.py"):
        (tmp_path / name).write_text("other")
        assert digest() == before
    (tmp_path / "nn" / "a.py").write_text("other")
    changed = digest()
    assert changed != before
    (tmp_path / "nn" / "a.py").rename(tmp_path / "nn" / "c.py")
    assert digest() not in (before, changed)
