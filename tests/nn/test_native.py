"""Native kernels: compiled once, told apart, and left to torch where they cannot be."""

import multiprocessing
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from gradlab.nn import native
from gradlab.nn.native import Kernel

COMPILER = native.shutil.which("c++") or native.shutil.which("g++") or native.shutil.which("clang++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
CACHED = (native._loaded, native._found, native._warn)


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


def small_kernel(folder: Path, body: str = "", flags: tuple[str, ...] = ("-O0",)) -> Kernel:
    source = folder / "small.cpp"
    source.write_text(f'extern "C" int answer() {{ return 42; }}\n{body}')
    return Kernel(source, "the answer", flags)


@needs_compiler
def test_it_is_compiled_once(fresh):
    kernel = small_kernel(fresh)
    first = native.built(kernel, fresh / "cache")
    made = first.stat().st_mtime_ns
    assert native.built(kernel, fresh / "cache") == first
    assert first.stat().st_mtime_ns == made
    assert [path.name for path in (fresh / "cache").iterdir()] == [first.name], "nothing half-done is left"
    assert kernel.library().answer() == 42


@needs_compiler
def test_another_source_or_option_or_processor_is_another_file(fresh, monkeypatch):
    paths = [native.built(small_kernel(fresh), fresh)]
    paths.append(native.built(small_kernel(fresh, flags=("-O0", "-g0")), fresh))
    paths.append(native.built(small_kernel(fresh, "// another line"), fresh))
    monkeypatch.setattr(native, "_target", lambda _command: b"another processor")
    paths.append(native.built(small_kernel(fresh), fresh))
    assert len(set(paths)) == 4


@needs_compiler
def test_processes_that_start_together_all_get_it(fresh):
    script = (
        "import sys; from pathlib import Path; from gradlab.nn import native\n"
        f"native.cache_folder = lambda: Path({str(fresh / 'cache')!r})\n"
        f"kernel = native.Kernel(Path({str(small_kernel(fresh).source)!r}), 'the answer', ('-O0',))\n"
        "sys.exit(kernel.library() is None)\n"
    )
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", script]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
    assert len(list((fresh / "cache").iterdir())) == 1


def test_without_a_compiler_torch_does_it_and_one_line_says_so(fresh, monkeypatch):
    monkeypatch.setattr(native.shutil, "which", lambda _name: None)
    with pytest.warns(
        UserWarning, match="runs in torch, not natively: no C\\+\\+ compiler: install one, or name it in CXX"
    ):
        assert small_kernel(fresh).library() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert small_kernel(fresh).library() is None, "said once"
        assert small_kernel(fresh).told() == "torch"


@needs_compiler
def test_a_source_that_does_not_compile_leaves_it_to_torch(fresh):
    kernel = small_kernel(fresh, "this is no C++")
    with pytest.warns(UserWarning, match="runs in torch, not natively: .* failed: .*this") as told:
        assert kernel.library() is None
    assert len(told) == 1
    assert "\n" not in str(told[0].message)


@needs_compiler
def test_a_cache_that_cannot_be_written_to_leaves_it_to_torch(fresh, monkeypatch):
    (fresh / "file").write_text("in the way")
    monkeypatch.setattr(native, "cache_folder", lambda: fresh / "file" / "native")
    with pytest.warns(UserWarning, match="runs in torch, not natively: .*Not a directory"):
        assert small_kernel(fresh).library() is None


def test_a_damaged_library_leaves_it_to_torch(fresh, monkeypatch):
    damaged = fresh / "small-0.so"
    damaged.write_bytes(b"no library")
    monkeypatch.setattr(native, "built", lambda _kernel, _folder: damaged)
    with pytest.warns(UserWarning, match="runs in torch, not natively"):
        assert small_kernel(fresh).library() is None


def test_the_processes_of_a_run_are_silent(fresh, monkeypatch):
    monkeypatch.setattr(native.shutil, "which", lambda _name: None)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "the run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert small_kernel(fresh).library() is None


def test_it_can_be_switched_off(fresh, monkeypatch):
    monkeypatch.setenv(native.SWITCH, "0")
    monkeypatch.setattr(native, "_loaded", lambda _kernel: pytest.fail("nothing is compiled"))
    assert small_kernel(fresh).told() == "torch"


@needs_compiler
def test_the_record_names_what_was_built(fresh):
    kind, digest = small_kernel(fresh).told().split()
    assert kind == "native"
    assert native.built(small_kernel(fresh), fresh).name == f"small-{digest}.so"


def test_no_switch_changes_how_the_process_rounds():
    assert not {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"} & set(native.FLAGS)
