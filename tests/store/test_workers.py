from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from benchmarks.trees import Size, registry_of
from stackroom.registry.facade import Registry
from stackroom.store import workers
from stackroom.store.folder import Folder
from stackroom.store.workers import Answer, Work, shared_out
from support.registries import plant_revision, unseal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODELS: Final = 6
QUERIES: Final = (
    "metrics.auc > 0.5 and (stage = staging or not team = nlp)",
    "problems > 0 or not metrics.auc",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry in which everything is wrong somewhere, and two models are as they should be."""
    root = registry_of(Size(models=MODELS, versions=4), tmp_path_factory.mktemp("trees"))
    first, second, third = (root / "models" / f"model-{number:04}" for number in range(3))
    for folder in (first / "1", first / "2", first / "3", second / "1"):
        unseal(folder)
    deep = "a" + ".a" * 60 + " = 1\n"
    (first / "1" / "version.toml").write_text("a = " + "[" * 30_000)
    (first / "2" / "version.toml").write_text(deep * (64 * 1024 // len(deep)))
    (first / "3" / "version.toml").unlink()
    os.mkfifo(first / "3" / "version.toml")
    (second / "1" / "version.toml").unlink()
    (second / "not allowed").touch()
    (second / "7").symlink_to(first / "4")
    plant_revision(root, "model-0002", 1, "metrics = 1\n")
    (third / "9@deleted").touch()
    (root / "models" / "model-9999").touch()
    return root


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers from the first model on."""
    monkeypatch.setattr(workers, "processors", lambda: 2)
    monkeypatch.setattr(workers, "_ALONE", 0)
    monkeypatch.setattr(workers, "_WORTH_IT", 0)


def everything(root: Path) -> list[Any]:
    registry = Registry(root)
    rows: list[Any] = [[version.document() for version in registry.search(query)] for query in QUERIES]
    return [*rows, [model.document() for model in registry.models().models]]


def test_with_workers_the_answers_are_those_of_one_process(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKROOM_CACHE", "")
    monkeypatch.setattr(workers, "processors", lambda: 1)
    alone = everything(root)
    monkeypatch.setattr(workers, "processors", lambda: 2)
    monkeypatch.setattr(workers, "_ALONE", 0)
    monkeypatch.setattr(workers, "_WORTH_IT", 0)
    assert everything(root) == alone
    monkeypatch.setenv("STACKROOM_CACHE", str(tmp_path))
    # The first fills the index, the second is answered from it.
    assert [everything(root), everything(root)] == [alone, alone]


# --- what may become of workers


@contextlib.contextmanager
def doubling(root: Path) -> Iterator[tuple[Work[str], list[int]]]:
    """Work that says who did it, and the places that this process did."""
    here: list[int] = []

    def alone(place: int) -> str:
        here.append(place)
        return f"here {place}"

    def together(answer: Answer) -> str | None:
        return None if answer.facts is None else f"there {answer.facts[0]}"

    requests = [{"name": f"model-{number:04}", "held": []} for number in range(MODELS)]
    with Folder.open(str(root / "models")) as models:
        task = {"task": "seek", "query": "metrics.auc", "archived": False}
        yield Work(models=models, task=task, requests=requests, alone=alone, together=together), here


@pytest.mark.usefixtures("at_once")
def test_workers_do_the_work_where_they_can(root: Path) -> None:
    with doubling(root) as (work, here):
        found = sorted(shared_out(work))
    assert (found, here) == ([f"there model-{number:04}" for number in range(MODELS)], [])


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "program",
    ["raise SystemExit(1)", "print('not what anybody asked', flush=True); import time; time.sleep(60)"],
    ids=["dead", "raving"],
)
def test_what_a_worker_does_not_do_is_done_here(root: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(workers, "_START", program)
    monkeypatch.setattr(workers, "_SILENCE", 5)
    with doubling(root) as (work, here):
        found = list(shared_out(work))
    assert sorted(here) == [*range(MODELS)]
    assert sorted(found) == [f"here {place}" for place in range(MODELS)]


@pytest.mark.usefixtures("at_once")
def test_a_worker_that_is_stuck_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_START", "import sys; sys.stdin.buffer.read()")
    monkeypatch.setattr(workers, "_SILENCE", 0.05)
    with doubling(root) as (work, here):
        assert len(list(shared_out(work))) == MODELS
    assert sorted(here) == [*range(MODELS)]


@pytest.mark.usefixtures("at_once")
def test_where_no_process_can_be_started_the_work_is_done_all_the_same(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with doubling(root) as (work, here):
        assert len(list(shared_out(work))) == MODELS
    assert here == [*range(MODELS)]


@pytest.mark.usefixtures("at_once")
def test_whoever_has_enough_leaves_no_worker_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Kept(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as the real one
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Kept)
    with doubling(root) as (work, _), contextlib.closing(shared_out(work)) as found:
        next(found)
        # Ctrl-C goes to the group of whoever sits at the terminal, and that one ends them.
        assert {os.getpgid(one.pid) for one in started} == {one.pid for one in started}
    assert [one.returncode for one in started] == [-signal.SIGKILL] * 2


def test_a_small_registry_needs_no_worker(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_ALONE", 600)
    with doubling(root) as (work, here):
        assert len(list(shared_out(work))) == MODELS
    assert here == [*range(MODELS)]


SCRIPT: Final = """\
import os, sys
sys.path[:0] = {path!r}
from stackroom.store import workers
workers.processors = lambda: 2
workers._ALONE = workers._WORTH_IT = 0
started = workers._started
def seen(work):
    worker = started(work)
    print(worker.pid, flush=True)
    return worker
workers._started = seen
{then}
from stackroom.registry.facade import Registry
print(len(Registry({root!r}).search("metrics.auc or not metrics.auc")), flush=True)
"""


def script(root: Path, then: str = "") -> list[str]:
    path = [entry for entry in sys.path if entry]
    return [sys.executable, "-c", SCRIPT.format(path=path, root=str(root), then=then)]


def test_a_script_needs_no_guard_around_its_main_part(root: Path) -> None:
    environment = {**os.environ, "STACKROOM_CACHE": ""}
    done = subprocess.run(script(root), capture_output=True, text=True, env=environment, check=True, timeout=60)
    assert done.stderr == ""
    assert len(done.stdout.split()) == 3


def test_workers_end_with_whoever_started_them(root: Path) -> None:
    then = "workers._answer_of = lambda worker: __import__('time').sleep(600)"
    environment = {**os.environ, "STACKROOM_CACHE": ""}
    with subprocess.Popen(script(root, then), stdout=subprocess.PIPE, text=True, env=environment) as maker:
        assert maker.stdout is not None
        handles = [os.pidfd_open(int(maker.stdout.readline())) for _ in range(2)]
        maker.kill()
    for handle in handles:
        assert select.select([handle], [], [], 30)[0]
        os.close(handle)
