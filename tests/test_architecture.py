"""The layers and the limits of the source, read from the source itself with the standard library alone."""

from __future__ import annotations

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


pytestmark = pytest.mark.xdist_group("architecture")  # one process: it reads the source once for all rules

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "stackroom"

LAYERS = {"errors": 0, "core": 1, "store": 2, "registry": 3, "interop": 4, "cli": 5, "tui": 5, "__main__": 6}
"""The lower may not know the higher; cli and tui stand side by side and may not know each other."""

IMPURE_MODULES = words(
    "asyncio fcntl getpass glob grp io mmap multiprocessing os pathlib platform pwd random secrets select "
    "shutil signal socket sqlite3 subprocess tempfile threading time urllib uuid"
)
"""What ``errors`` and ``core`` do without: disk, clock, environment, randomness, other processes."""

FILE_CALLS_OF_OS = words(
    "access chmod chown fchmod fchown fdopen fstat fsync ftruncate getxattr lchown link listdir lstat "
    "makedirs mkdir mkfifo mknod open pread pwrite readlink remove removedirs rename renames replace "
    "rmdir scandir sendfile setxattr stat statvfs symlink sync truncate unlink utime walk"
)
FILE_METHODS = words(
    "hardlink_to is_dir is_file is_symlink iterdir lstat mkdir read_bytes read_text readlink rglob rmdir "
    "symlink_to touch unlink write_bytes write_text"
)
"""Methods of ``pathlib.Path`` that reach the disk and whose names mean nothing else here."""

FILE_MODULES = frozenset({"fcntl", "fileinput", "glob", "mmap", "shutil", "tempfile"})
HARMLESS = frozenset({"shutil.get_terminal_size", "shutil.which"})

MAY_TOUCH_FILES: dict[str, str] = {}
"""A module outside ``store`` that opens files -> why it has to. Best empty."""

MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted([*MODULES, *(ROOT / "tests").rglob("*.py")])


def name_of(path: Path) -> str:
    """The dotted name below the package: ``core.ledger``, ``store``, ``__main__``; ``__init__`` for the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a module; read once for all rules."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))))


@cache
def imported_by(path: Path) -> tuple[tuple[int, str], ...]:
    """Every dotted name that is imported anywhere in a module, with its line: lazily, or for types only, too."""
    found: list[tuple[int, str]] = []
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)}:{node.lineno}: a relative import hides its layer"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return tuple(found)


def dotted(node: ast.expr) -> str:
    """``os.path.join`` for the expression that says so; an empty text for anything else."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            before = dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        case _:
            return ""


@cache
def calls_in(path: Path) -> tuple[ast.Call, ...]:
    return tuple(node for node in nodes_of(path) if isinstance(node, ast.Call))


@pytest.fixture(scope="module", autouse=True)
def _forget() -> Iterator[None]:
    """A quarter of a million nodes would make every collection of garbage slow in the tests that follow."""
    yield
    for read in (calls_in, imported_by, nodes_of, comments_in):
        read.cache_clear()


def broken(rule: Callable[[Path], Iterable[str]], paths: Iterable[Path] = MODULES) -> list[str]:
    """Where a rule is broken, in all files at once: a test for each file takes longer than to look at it."""
    return [f"{shown(path)}:{place}" for path in paths for place in rule(path)]


def layer_of(path: Path) -> str:
    return name_of(path).partition(".")[0]


def misplaced_import(path: Path, imported: str) -> bool:
    package, _, rest = imported.partition(".")
    if package != "stackroom" or rest == "__version__":
        return False
    here, there = layer_of(path), rest.partition(".")[0]
    if here == "__init__":
        return there in {"cli", "tui", "__main__"}
    if there not in LAYERS:
        return True  # the public face, which itself stands on the layers
    return LAYERS[there] > LAYERS[here] or {here, there} == {"cli", "tui"}


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in MODULES} <= {*LAYERS, "__init__"}


def misplaced_imports(path: Path) -> Iterator[str]:
    return (f"{line}: {name}" for line, name in imported_by(path) if misplaced_import(path, name))


def test_every_module_imports_from_its_own_layer_or_a_lower_one() -> None:
    assert not broken(misplaced_imports)


def impurities(path: Path) -> Iterator[str]:
    yield from (f"{line}: {name}" for line, name in imported_by(path) if name.split(".")[0] in IMPURE_MODULES)
    for call in calls_in(path):
        asks_the_clock = isinstance(call.func, ast.Attribute) and call.func.attr in {"now", "today", "utcnow"}
        if asks_the_clock or dotted(call.func) in {"open", "input", "print"}:
            yield f"{call.lineno}: {ast.unparse(call.func)}()"


def test_core_knows_no_disk_clock_environment_or_chance() -> None:
    pure = [path for path in MODULES if layer_of(path) in {"errors", "core"}]
    assert pure
    assert not broken(impurities, pure)


def file_accesses(path: Path) -> Iterator[str]:
    for line, name in imported_by(path):
        module, _, member = name.partition(".")
        from_os = module == "os" and member in FILE_CALLS_OF_OS
        if from_os or (module in FILE_MODULES and name != "shutil" and name not in HARMLESS):
            yield f"{line}: import {name}"
    for call in calls_in(path):
        name = dotted(call.func)
        module, _, member = name.partition(".")
        if (
            name in {"open", "io.open"}
            or (module == "os" and member in FILE_CALLS_OF_OS)
            or (module in FILE_MODULES and member and name not in HARMLESS)
            or (isinstance(call.func, ast.Attribute) and call.func.attr in FILE_METHODS)
        ):
            yield f"{call.lineno}: {ast.unparse(call.func)}()"


def test_only_store_touches_files() -> None:
    other = {path: name_of(path) for path in MODULES if layer_of(path) != "store"}
    assert not broken(file_accesses, [path for path, name in other.items() if name not in MAY_TOUCH_FILES])
    excepted = [path for path, name in other.items() if name in MAY_TOUCH_FILES]
    assert not [f"{shown(path)} no longer needs its exception" for path in excepted if not any(file_accesses(path))]


def executions(path: Path) -> Iterator[str]:
    unsafe = {"cPickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
    yield from (f"{line}: {name}" for line, name in imported_by(path) if name.split(".")[0] in unsafe)
    names = ((call.lineno, dotted(call.func)) for call in calls_in(path))
    yield from (f"{line}: {name}()" for line, name in names if name in {"eval", "exec"})


def test_nothing_executes_or_unpickles_data() -> None:
    assert not broken(executions)


def lengths(path: Path) -> Iterator[str]:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > 500:
        yield f"1: {lines} lines; 500 is the limit"
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > 60:
                yield f"{node.lineno}: {node.name} has {length} lines; 60 is the limit"
            positional = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
            if positional[:1] in (["self"], ["cls"]):
                del positional[0]
            if len(positional) > 5:
                yield f"{node.lineno}: {node.name} takes {len(positional)} arguments by position"


def test_modules_and_functions_stay_short() -> None:
    assert not broken(lengths)


@cache
def comments_in(path: Path) -> tuple[tuple[int, str], ...]:
    with tokenize.open(path) as stream:
        source = stream.read()
    if "#" not in source:
        return ()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return tuple((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def unfinished_work(path: Path) -> Iterator[str]:
    return (f"{line}: {text}" for line, text in comments_in(path) if UNFINISHED.search(text))


def test_no_work_is_left_in_a_comment() -> None:
    assert not broken(unfinished_work, SCRIPTS)


EXCEPTION_TO_A_RULE = re.compile(
    r"#\s*(noqa(:\s*[A-Z]+\d+([,\s]+[A-Z]+\d+)*)?|type:\s*ignore(\[[^\]]*\])?|pragma:\s*no (cover|branch))"
)


def lacks_reason(comment: str) -> bool:
    """Whether a comment switches a check off and has no words left once the switches are taken away."""
    rest, switches = EXCEPTION_TO_A_RULE.subn("", comment)
    return bool(switches) and not re.search(r"[^\W\d_]+\W+[^\W\d_]", rest)


def bare_exceptions(path: Path) -> Iterator[str]:
    return (f"{line}: {text}" for line, text in comments_in(path) if lacks_reason(text))


def test_every_exception_to_a_rule_has_its_reason_on_the_line() -> None:
    assert not broken(bare_exceptions, SCRIPTS)


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# an ordinary remark", False),
        ("# noqa", True),
        ("# noqa: S603", True),
        ("# noqa: S603, S607", True),
        ("# noqa: S603 - the command is ours", False),
        ("# type: ignore[attr-defined]", True),
        ("# type: ignore[attr-defined]  # the stubs lag behind", False),
        ("# pragma: no cover", True),
    ],
)
def test_a_reason_is_told_from_a_bare_switch(comment: str, *, expected: bool) -> None:
    assert lacks_reason(comment) is expected


def modules_loaded_by(*arguments: str, directory: Path) -> set[str]:
    """The modules that a fresh interpreter imports while it does something that has to succeed."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    imports: list[str] = []
    said: list[str] = []
    for line in done.stderr.splitlines():
        (imports if line.startswith("import time:") else said).append(line)
    assert done.returncode == 0, "\n".join(said)
    return {line.rpartition("|")[2].strip() for line in imports}


def loaded_by(*arguments: str, directory: Path) -> set[str]:
    """The top-level ones among them."""
    return {name.partition(".")[0] for name in modules_loaded_by(*arguments, directory=directory)}


def test_importing_the_package_loads_no_front_end(tmp_path: Path) -> None:
    loaded = loaded_by("-c", "import stackroom", directory=tmp_path)
    assert "stackroom" in loaded
    assert not loaded & {"textual", "rich", "argparse", "watchdog"}


def test_the_version_is_printed_without_textual(tmp_path: Path) -> None:
    assert "textual" not in loaded_by("-m", "stackroom", "--version", directory=tmp_path)


def test_models_are_listed_without_textual(tmp_path: Path) -> None:
    registry = str(tmp_path / "registry")
    loaded_by("-m", "stackroom", "init", registry, directory=tmp_path)
    assert "textual" not in loaded_by("-m", "stackroom", "-R", registry, "list", directory=tmp_path)


SLOW_TO_LOAD = words(
    "_hashlib asyncio concurrent.futures dataclasses decimal difflib importlib.metadata inspect multiprocessing "
    "pathlib platform rich shutil sqlite3 subprocess tempfile textual threading tomli_w tomllib urllib.parse uuid "
    "watchdog xxhash"
)
"""Each takes between a tenth and several times as long as Python's own start; a command that reads needs none."""

WHAT_READING_LEAVES_ALONE = words(
    "core.compare core.guards core.query core.review registry.editing registry.examining registry.facade "
    "registry.judging registry.moving registry.registering registry.removing registry.verifying store.digest "
    "store.hashing store.publish store.removal store.revise tui"
)
"""What moves, publishes, examines or reads artifacts."""

OWN_MODULES = 54
"""Modules of ours that a command which reads may load: each costs 0.2 ms, a fiftieth of Python's own start."""


@pytest.mark.parametrize("command", [("list",), ("list", "fraud"), ("show", "fraud"), ("show", "fraud:1")])
def test_a_command_that_reads_loads_nothing_that_is_slow_to_load(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Start-up is most of what listing takes: keep it so by importing in the function that needs it."""
    registry, artifact = str(tmp_path / "registry"), tmp_path / "model.bin"
    artifact.write_bytes(b"weights")
    for words_ in (("init", registry), ("-R", registry, "register", "fraud", str(artifact), "--metric", "auc=0.9")):
        loaded_by("-m", "stackroom", *words_, directory=tmp_path)
    # The script that pip installs, without what ``-m`` loads to find the module.
    start = "import sys; sys.argv[0] = 'stackroom'; from stackroom.__main__ import main; sys.exit(main())"
    loaded = modules_loaded_by("-c", start, "-R", registry, *command, directory=tmp_path)
    own = {name.removeprefix("stackroom.") for name in loaded if name.startswith("stackroom.")}
    assert not loaded & SLOW_TO_LOAD
    assert not own & WHAT_READING_LEAVES_ALONE
    assert len(own) <= OWN_MODULES
