"""What holds for every file of the package; each rule is seen to reject a wrong source."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gradlab.cli.run import FLAGS
from gradlab.experiments import GROUPS, experiment_names, source_of

ROOT = Path(__file__).parents[1]
SOURCE, TESTS = ROOT / "src" / "gradlab", ROOT / "tests"
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST = 400
MIRRORED = (
    "records",
    "nn",
    "augment",
    "models",
    "objectives",
    "evaluation",
    "explain",
    "learn",
    "training",
    "stats",
    "data",
    "answers",
)
TESTED_ELSEWHERE = {
    "learn/sandbox/child.py": "learn/sandbox/test_workshop.py",
    "learn/sandbox/guard.py": "learn/sandbox/test_workshop.py",
    "learn/sandbox/layout.py": "learn/sandbox/test_workshop.py",
    "learn/sandbox/server.py": "learn/sandbox/test_workshop.py",
    "training/agreement.py": "training/test_resume.py",
    "training/board.py": "cli/test_run.py",
    "training/learner.py": "training/test_fit.py",
    "training/loop.py": "training/test_fit.py",
    "training/ranks.py": "training/test_share.py",
    "training/run.py": "cli/test_run.py",
    "training/saver.py": "training/test_resume.py",
    "training/signals.py": "training/test_resume.py",
    "training/solo.py": "training/test_fit.py",
    "training/stack.py": "training/test_fit.py",
    "training/state.py": "training/test_resume.py",
    "training/worker.py": "training/test_processes.py",
}
"""Parts of one loop, which are tested by what the whole does: there the file that does it."""
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "torchvision"}
FORBIDDEN_CALLS = {"eval", "exec", "torch.load", "torch.save", "torch.export.load", "torch.jit.load", "os.system",
                   "os.popen"}  # fmt: skip
FORBIDDEN_METHODS = {"extractall", "aoti_load_package"}
FORBIDDEN_OPTIONS = {"shell", "allow_pickle"}
LITERALS = (bool, int, float, str, tuple, type(None))


# --- the rules, each a list of what breaks it


def too_long(text: str) -> list[str]:
    lines = len(text.splitlines())
    return [f"{lines} lines"] if lines > LONGEST else []


def without_docstring(text: str) -> list[str]:
    tree = ast.parse(text)
    missing = [] if ast.get_docstring(tree) else ["module"]

    def walk(body: list[ast.stmt], where: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
                "_"
            ):
                if not ast.get_docstring(node):
                    missing.append(f"{where}{node.name}")
                if isinstance(node, ast.ClassDef):
                    walk(node.body, f"{where}{node.name}.")

    walk(tree.body, "")
    return missing


def dangerous(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_IMPORTS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in FORBIDDEN_CALLS or called.rpartition(".")[2] in FORBIDDEN_METHODS:
                found.append(called)
            for option in node.keywords:
                value = option.value.value if isinstance(option.value, ast.Constant) else "a variable"
                if option.arg in FORBIDDEN_OPTIONS and value is not False:
                    found.append(f"{option.arg}={value}")
    return found


def misshapen_experiment(text: str) -> list[str]:
    tree = ast.parse(text)
    wrong = []
    question = (ast.get_docstring(tree) or "").partition("\n")[0]
    if not question.endswith("?"):
        wrong.append(f"the docstring's first line asks nothing: {question!r}")
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    functions = {node.name: [argument.arg for argument in node.args.args] for node in tree.body
                 if isinstance(node, ast.FunctionDef)}  # fmt: skip
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    if "QUICK" not in names:
        wrong.append("no QUICK")
    trains = "run.fit(" in text
    for name, count in {"run": 2, "page": 1, "network": 4}.items():
        if name == "network" and not trains and name not in functions:
            continue
        if name not in functions:
            wrong.append(f"no function {name}")
        elif len(functions[name]) != count:
            wrong.append(f"{name} takes {len(functions[name])} arguments instead of {count}")
    return wrong + (misshapen_config(classes["Config"]) if "Config" in classes else ["no Config"])


def misshapen_config(config: ast.ClassDef) -> list[str]:
    wrong = []
    decorations = {ast.unparse(decorator) for decorator in config.decorator_list}
    if decorations != {"dataclass(frozen=True, slots=True, kw_only=True)"}:
        wrong.append(f"Config is not frozen, slotted and keyword-only: {decorations}")
    taken = {flag.key for flag in FLAGS} | {"help", "debug"}
    for position, node in enumerate(config.body):
        if isinstance(node, ast.Assign):
            wrong.append(f"{ast.unparse(node)} has no type")
        if not isinstance(node, ast.AnnAssign):
            continue
        name = ast.unparse(node.target)
        try:
            if node.value is None or not isinstance(ast.literal_eval(node.value), LITERALS):
                wrong.append(f"{name} has no plain default")
        except ValueError:
            wrong.append(f"the default of {name} is no literal: {ast.unparse(node.value)}")
        after = config.body[position + 1] if position + 1 < len(config.body) else None
        described = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if not (described and isinstance(after.value.value, str) and "\n" not in after.value.value):
            wrong.append(f"{name} is not described by one line below it")
        if name in taken or name.removeprefix("no_") in taken:
            wrong.append(f"{name} is a flag of `gradlab run` already")
    return wrong


# --- the package keeps them


def offenders(rule, files: list[Path]) -> dict[str, list[str]]:
    found = {str(path.relative_to(ROOT)): rule(path.read_text(encoding="utf-8")) for path in files}
    return {name: what for name, what in found.items() if what}


@pytest.mark.parametrize("rule", [too_long, without_docstring, dangerous])
def test_every_file_keeps_the_rule(rule):
    assert len(FILES) > 80, "the package is somewhere else"
    assert offenders(rule, FILES) == {}


def test_every_experiment_has_its_parts():
    files = [source_of(name) for name in experiment_names()]
    assert len(files) >= 3
    assert offenders(misshapen_experiment, files) == {}


def test_groups_hold_experiments():
    for name, members in GROUPS.items():
        assert name not in experiment_names(), f"{name} is a group and an experiment"
        assert set(members) <= set(experiment_names())


def test_the_layers_name_every_room_and_no_other():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    named = [room.strip() for layer in layers for room in layer.split("|")]
    rooms = {path.stem for path in SOURCE.glob("*.py")} | {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert sorted(named) == sorted(rooms - {"__init__"})


def test_every_folder_of_code_is_a_package():
    """Without an `__init__.py` a folder would be outside the layers and outside the wheel's checks."""
    folders = {path.parent for path in FILES} - {SOURCE / "data" / "embedded"}  # data and the script that made them
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_reports_records_and_the_command_line_start_without_torch():
    rooms = ["gradlab.errors", "gradlab.records", "gradlab.stats", "gradlab.report", "gradlab.cli", "gradlab.cli.run"]
    script = (
        "import importlib, sys\n"
        f"for room in {rooms}:\n"
        "    importlib.import_module(room)\n"
        "    assert 'torch' not in sys.modules, f'{room} imports torch'\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def unmirrored(rooms: tuple[str, ...] = MIRRORED) -> list[str]:
    files = [path.relative_to(SOURCE) for room in rooms for path in (SOURCE / room).rglob("*.py")]
    return sorted(
        str(path)
        for path in files
        if path.name != "__init__.py" and not (TESTS / path.parent / f"test_{path.name}").is_file()
    )


def test_tests_mirror_the_source():
    assert sorted(set(unmirrored()) - set(TESTED_ELSEWHERE)) == [], "each file of the source has its file of tests"


def test_what_is_tested_elsewhere_is_there_and_has_no_file_of_its_own():
    without = unmirrored()
    for path, elsewhere in TESTED_ELSEWHERE.items():
        assert path in without, f"{path} has its own tests, or is gone: take it off the list"
        assert (TESTS / elsewhere).is_file()


def test_every_file_of_tests_mirrors_something():
    for room in MIRRORED:
        for path in (TESTS / room).rglob("test_*.py"):
            mirrored = SOURCE / path.relative_to(TESTS).parent / path.name.removeprefix("test_")
            elsewhere = str(path.relative_to(TESTS)) in TESTED_ELSEWHERE.values()
            assert mirrored.is_file() or elsewhere, f"{path.relative_to(ROOT)} tests no file of src/gradlab/{room}"


# --- each rule is seen to reject


@pytest.mark.parametrize(
    ("rule", "text", "found"),
    [
        (too_long, "x = 1\n" * 401, "401 lines"),
        (without_docstring, "x = 1", "module"),
        (without_docstring, '"""M."""\ndef f(): pass', "f"),
        (without_docstring, '"""M."""\nclass C:\n    """C."""\n    def f(self): pass', "C.f"),
        (dangerous, "import pickle", "pickle"),
        (dangerous, "from torchvision.transforms import ToTensor", "torchvision.transforms"),
        (dangerous, "def f():\n    import pickle as p", "pickle"),
        (dangerous, "eval('1')", "eval"),
        (dangerous, "exec('x = 1')", "exec"),
        (dangerous, "archive.extractall(folder)", "archive.extractall"),
        (dangerous, "subprocess.run(line, shell=True)", "shell=True"),
        (dangerous, "subprocess.run(line, shell=wanted)", "shell=a variable"),
        (dangerous, "np.load(path, allow_pickle=True)", "allow_pickle=True"),
        (dangerous, "torch.load(path)", "torch.load"),
        (dangerous, "torch.export.load(path)", "torch.export.load"),
        (dangerous, "torch._inductor.aoti_load_package(path)", "torch._inductor.aoti_load_package"),
    ],
)
def test_a_file_that_breaks_the_rule_is_found(rule, text, found):
    assert found in rule(text)


def test_harmless_files_are_not_found():
    text = '"""M."""\ndef _private(): pass\nclass _Private:\n    def f(self): pass\n'
    text += "model.eval()\nnp.load(path, allow_pickle=False)\narchive.extract(member)\n"
    assert too_long(text) == without_docstring(text) == dangerous(text) == []


GOOD = '''"""Is this one well shaped?"""

@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All."""

    epochs: int = 10
    """passes"""
    arms: tuple[str, ...] = ("a", "b")
    """arms"""

QUICK = Config(epochs=1)

def network(_config, _arm, shape, classes): ...
def run(config, run): yield from run.fit("a", network)
def page(run): ...
'''


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("well shaped?", "well shaped."), "asks nothing"),
        (("frozen=True, ", ""), "not frozen"),
        (("slots=True, ", ""), "not frozen, slotted"),
        (('    """passes"""\n', ""), "epochs is not described"),
        (('    """arms"""\n', ""), "arms is not described"),
        (('"""passes"""', '"""passes\n    and more"""'), "epochs is not described by one line"),
        (("int = 10", "int = 2 * 5"), "default of epochs is no literal"),
        (("int = 10", "int"), "epochs has no plain default"),
        (("int = 10", "list = [1]"), "epochs has no plain default"),
        (("epochs: int", "seeds: int"), "seeds is a flag"),
        (("epochs: int", "data_root: int"), "data_root is a flag"),
        (("epochs: int", "json: int"), "json is a flag"),
        (("epochs: int", "no_quiet: int"), "no_quiet is a flag"),
        (("epochs: int = 10", "epochs = 10"), "has no type"),
        (("QUICK", "SMOKE"), "no QUICK"),
        (("def page(run)", "def draw(run)"), "no function page"),
        (("def run(config, run)", "def run(config)"), "run takes 1 arguments"),
        (("def network", "def _network"), "no function network"),
        (("class Config", "class Settings"), "no Config"),
    ],
)
def test_an_experiment_that_breaks_the_rule_is_found(change, found):
    assert misshapen_experiment(GOOD) == []
    assert change[0] in GOOD
    assert found in " | ".join(misshapen_experiment(GOOD.replace(*change)))
