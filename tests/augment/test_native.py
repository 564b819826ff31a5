import multiprocessing
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from gradlab.augment import native, native_augmentation

COMPILER = native.shutil.which("c++") or native.shutil.which("g++") or native.shutil.which("clang++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
CACHED = (native._loaded, native._found)
QUICK = ("-shared", "-fPIC", "-O0")


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A cache of its own, and nothing loaded before; what this test loads is forgotten afterwards."""
    monkeypatch.setattr(native, "cache_folder", lambda: tmp_path)
    monkeypatch.delenv(native.SWITCH, raising=False)
    monkeypatch.delenv("CXX", raising=False)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cached in CACHED:
        cached.cache_clear()


def small_source(folder: Path, body: str = "") -> Path:
    source = folder / "small.cpp"
    source.write_text(f'extern "C" int gradlab_augment() {{ return 0; }}\n{body}')
    return source


@needs_compiler
def test_it_is_compiled_once(fresh, monkeypatch):
    monkeypatch.setattr(native, "SOURCE", small_source(fresh))
    first = native.built(fresh / "cache")
    made = first.stat().st_mtime_ns
    assert native.built(fresh / "cache") == first
    assert first.stat().st_mtime_ns == made
    assert [path.name for path in (fresh / "cache").iterdir()] == [first.name], "nothing half-done is left"


@needs_compiler
def test_another_source_or_option_or_processor_is_another_file(fresh, monkeypatch):
    monkeypatch.setattr(native, "FLAGS", QUICK)
    monkeypatch.setattr(native, "SOURCE", small_source(fresh))
    paths = [native.built(fresh)]
    monkeypatch.setattr(native, "FLAGS", (*QUICK, "-g0"))
    paths.append(native.built(fresh))
    monkeypatch.setattr(native, "SOURCE", small_source(fresh, "// another line"))
    paths.append(native.built(fresh))
    monkeypatch.setattr(native, "processor_name", lambda: "another processor")
    paths.append(native.built(fresh))
    assert len(set(paths)) == 4


@needs_compiler
def test_processes_that_start_together_all_get_it(fresh):
    script = (
        "import sys; from pathlib import Path; from gradlab.augment import native\n"
        f"native.SOURCE, native.FLAGS = Path({str(small_source(fresh))!r}), {QUICK!r}\n"
        f"native.cache_folder = lambda: Path({str(fresh / 'cache')!r})\n"
        "sys.exit(native.kernel() is None)\n"
    )
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", script]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
    assert len(list((fresh / "cache").iterdir())) == 1


def test_without_a_compiler_torch_does_it_and_one_line_says_so(fresh, monkeypatch):
    monkeypatch.setattr(native.shutil, "which", lambda _name: None)
    with pytest.warns(
        UserWarning, match="runs in torch, not natively: no C\\+\\+ compiler: install one, or name it in CXX"
    ):
        assert native_augmentation() == "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert native.kernel() is None, "said once"


@needs_compiler
def test_a_source_that_does_not_compile_leaves_it_to_torch(fresh, monkeypatch):
    monkeypatch.setattr(native, "SOURCE", small_source(fresh, "this is no C++"))
    with pytest.warns(UserWarning, match="runs in torch, not natively: .* failed: .*this") as told:
        assert native.kernel() is None
    assert len(told) == 1
    assert "\n" not in str(told[0].message)


@needs_compiler
def test_a_cache_that_cannot_be_written_to_leaves_it_to_torch(fresh, monkeypatch):
    (fresh / "file").write_text("in the way")
    monkeypatch.setattr(native, "cache_folder", lambda: fresh / "file" / "native")
    with pytest.warns(UserWarning, match="runs in torch, not natively: .*Not a directory"):
        assert native_augmentation() == "torch"


def test_a_damaged_library_leaves_it_to_torch(fresh, monkeypatch):
    damaged = fresh / "augment-0.so"
    damaged.write_bytes(b"no library")
    monkeypatch.setattr(native, "built", lambda _folder: damaged)
    with pytest.warns(UserWarning, match="runs in torch, not natively"):
        assert native.kernel() is None


def test_the_processes_of_a_run_are_silent(fresh, monkeypatch):
    monkeypatch.setattr(native.shutil, "which", lambda _name: None)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "the run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert native.kernel() is None


def test_it_can_be_switched_off(fresh, monkeypatch):
    monkeypatch.setenv(native.SWITCH, "0")
    monkeypatch.setattr(native, "_loaded", lambda: pytest.fail("nothing is compiled"))
    assert native_augmentation() == "torch"


@needs_compiler
def test_the_record_names_what_was_built(fresh, monkeypatch):
    monkeypatch.setattr(native, "SOURCE", small_source(fresh))
    kind, digest = native_augmentation().split()
    assert kind == "native"
    assert native.built(fresh).name == f"augment-{digest}.so"


def test_no_switch_changes_how_the_process_rounds():
    assert not {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"} & set(native.FLAGS)
