"""With an index or without, a registry answers the same; and whatever becomes of the index, it answers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from stackroom.cli.main import run
from stackroom.core.query import Query
from stackroom.errors import InvalidInputError
from stackroom.registry import listing
from stackroom.registry.facade import Registry
from stackroom.registry.reading import Reader, joined
from stackroom.store import index_file, index_rows, look, rereading, scan
from stackroom.store.keeping import read_known
from stackroom.store.mounts import FileSystem
from stackroom.store.stamps import stamp_of
from support.registries import ALICE, artifacts, make, plant_revision, set_policy, tree, unseal
from support.users import run_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stackroom.core.names import ModelName
    from stackroom.store.folder import Folder
    from stackroom.store.forms import Forms
    from stackroom.store.records import Model, Version
    from stackroom.store.remembered import KnownVersion
    from stackroom.store.scan import ModelListing

REAL_CLOCK = time.time_ns
LATER = 10_000_000_000
"""Nanoseconds after which the times of a folder are settled."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the index, which small registries have, too; all that was done was done a while ago."""
    monkeypatch.setenv("STACKROOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(listing, "_WORTH_AN_INDEX", 0)
    settle(monkeypatch)
    return tmp_path / "cache"


def settle(monkeypatch: pytest.MonkeyPatch, after: int = LATER) -> None:
    monkeypatch.setattr("stackroom.store.stamps.time.time_ns", lambda: REAL_CLOCK() + after)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = make(tmp_path / "r")
    source = artifacts(tmp_path / "out")
    for model in ("fraud", "churn"):
        for number in (1, 2, 3):
            registry.register(model, source, metrics={"auc": 0.9 + number / 100}, metadata={"author": "ana"})
    registry.label("fraud:2", "2.1.0")
    registry.promote("fraud:2", "staging")
    return registry


def answers(registry: Reader) -> list[Any]:
    listed = registry.models()
    return [
        [model.document() for model in listed.models],
        listed.problems,
        [version.document() for version in registry.search("", archived=True)],
        [str(version.ref) for version in registry.search("auc > 0.915 and stage = development")],
        [(event.text, event.when) for model in listed.models for one in model.holdings if (event := one.event)],
    ]


def without_index(registry: Any, ask: Callable[[Any], Any] = answers) -> Any:  # noqa: ANN401 - whatever is asked
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STACKROOM_CACHE", "off")
        return ask(registry)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The versions that are read from their folders for the index, from here on."""
    found: list[str] = []

    def read(folder: Folder, listed: ModelListing, number: int, forms: Forms) -> KnownVersion | None:
        found.append(f"{listed.name}:{number}")
        return read_known(folder, listed, number, forms)

    monkeypatch.setattr(rereading, "read_known", read)
    return found


def files(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.index"))


def test_an_index_makes_no_difference_to_an_answer_and_the_second_reads_nothing(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(Path(registry.folder))
    plain = without_index(registry)
    assert not cache.exists()
    assert answers(registry) == plain
    read = reads(monkeypatch)
    assert answers(registry) == plain
    assert read == []
    assert [stat.S_IMODE(file.stat().st_mode) for file in files(cache)] == [0o600]
    assert tree(Path(registry.folder)) == before


def test_of_a_changed_model_only_what_is_new_is_read(
    cache: Path, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(registry)
    registry.register("fraud", tmp_path / "out", metrics={"auc": 0.99})
    registry.archive("churn:1")
    registry.label("churn:3", "3.0")
    registry.promote("churn:3", "staging")
    read = reads(monkeypatch)
    found = answers(registry)
    assert sorted(read) == ["churn:1", "churn:3", "fraud:4"]
    assert found == without_index(registry)
    assert cache.exists()


@pytest.mark.usefixtures("cache")
def test_what_changes_within_a_tick_of_the_clock_is_seen(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch, 0)
    models = Path(registry.folder, "models")
    answers(registry)
    seen = (models / "fraud").stat()
    (models / "fraud" / "4").mkdir()
    shutil.copy(models / "fraud" / "3" / "version.toml", models / "fraud" / "4")
    stamp = stamp_of(seen)
    # As if the clock had not moved on between the listing and the change.
    for module in (look, rereading):
        monkeypatch.setattr(
            module, "stamp_of", lambda status: stamp if status.st_ino == seen.st_ino else stamp_of(status)
        )
    assert [version.number for version in registry.search("model = fraud")] == [1, 2, 3, 4]


@pytest.mark.usefixtures("cache")
def test_a_clock_that_was_set_back_hides_nothing(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch, -3600 * 10**9)
    answers(registry)
    registry.register("fraud", tmp_path / "out")
    assert answers(registry) == without_index(registry)


@pytest.mark.usefixtures("cache")
def test_on_a_file_server_a_folder_is_believed_once_it_was_the_same_for_two_seconds(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "file_system_of", lambda _: FileSystem("nfs4", "/", local=False))
    ticks = 0
    monkeypatch.setattr("stackroom.store.stamps.time.monotonic_ns", lambda: ticks)
    listed: list[str] = []

    def list_model(folder: Folder, name: ModelName) -> ModelListing:
        listed.append(name)
        return scan.list_model(folder, name)

    monkeypatch.setattr(rereading, "list_model", list_model)
    for now, wanted in ((0, 2), (1, 2), (3, 2), (4, 0)):
        ticks = now * 10**9
        listed.clear()
        assert len(registry.search("")) == 6
        assert len(listed) == wanted, now
    registry.register("fraud", tmp_path / "out")
    assert len(registry.search("")) == 7
    assert listed == ["fraud"]


@pytest.mark.usefixtures("cache")
def test_another_model_under_the_same_name_is_another(registry: Registry, tmp_path: Path) -> None:
    answers(registry)
    models = Path(registry.folder, "models")
    (models / "fraud").rename(tmp_path / "gone")
    shutil.copytree(models / "churn", models / "fraud", symlinks=True)
    found = answers(registry)
    assert found == without_index(registry)
    assert "registered for model" in str(found[0])


@pytest.mark.usefixtures("cache")
def test_what_is_wrong_is_read_again_each_time_until_it_is_right(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = Path(registry.folder, "models", "fraud", "3")
    whole = (version / "version.toml").read_bytes()
    unseal(version)
    (version / "version.toml").write_text("not TOML [")
    assert answers(registry) == without_index(registry)
    read = reads(monkeypatch)
    assert "not TOML" in str(answers(registry))
    assert {*read} == {"fraud:3"}
    # No name of the model's folder changes with it.
    (version / "version.toml").write_bytes(whole)
    assert "not TOML" not in str(answers(registry))


def test_a_registry_that_was_moved_or_copied_has_an_index_of_its_own(
    cache: Path, registry: Registry, tmp_path: Path
) -> None:
    answers(registry)
    shutil.copytree(registry.folder, tmp_path / "copy", symlinks=True)
    copy = Registry(tmp_path / "copy")
    assert answers(copy) == without_index(copy)
    Path(registry.folder).rename(tmp_path / "moved")
    moved = Registry(tmp_path / "moved")
    assert answers(moved) == without_index(moved)
    assert len(files(cache)) == 3


def garbage(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE precious(x)")
    database.close()


def other_tables(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE versions")
        database.execute("CREATE TABLE versions(id INTEGER PRIMARY KEY)")
    database.close()


def poisoned(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE records SET text = CAST(replace(CAST(text AS TEXT), 'ana', 'eve') AS BLOB)")
    database.close()


def a_symlink(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [garbage, truncated, foreign, other_tables, poisoned, a_symlink, a_folder])
def test_an_index_that_is_no_good_is_made_anew(cache: Path, registry: Registry, damage: Callable[[Path], None]) -> None:
    plain = without_index(registry)
    answers(registry)
    for name in cache.iterdir():
        if name.suffix != ".index":
            name.unlink()
    damage(files(cache)[0])
    assert answers(registry) == plain
    assert answers(registry) == plain
    assert files(cache)[0].is_file() is not (damage is a_folder)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        *(("models", f"{column}='x'") for column in ("numbers", "owner", "trash", "revision", "stamp", "since")),
        *(("models", f"record='{text}'") for text in ("[]", "x", "[[1],[2]]")),
        *(("versions", f"{column}='x'") for column in ("tags", "created", "owner", "files", "archived")),
        ("versions", "tags='7'"),
        ("records", "sealed='x', text=7"),
        *(("folders", values) for values in ("more=x'00'", "more=7", "content='[]'", "content='7'")),
        ("names", "name='['"),
        ("names", "place='x'"),
        ("metrics", "shape=99"),
        ("metrics", "c0='x'"),
    ],
)
def test_no_wrong_value_in_an_index_is_an_internal_error(
    cache: Path, registry: Registry, capsys: pytest.CaptureFixture[str], table: str, values: str
) -> None:
    answers(registry)
    printed(capsys, registry, "list")
    with contextlib.closing(sqlite3.connect(files(cache)[0])) as database, database:
        database.execute(f"UPDATE {table} SET {values}")  # noqa: S608 - our own
    for words in (("list",), ("search", "auc > 0.1"), ("search", "--json"), ("search", "--sort=-auc", "--limit=2")):
        assert run(["-R", registry.folder, *words], lambda _: 1) == 0
    capsys.readouterr()
    answers(registry)


def test_without_a_place_for_it_everything_works(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = without_index(registry)
    (tmp_path / "file").write_text("")
    for place in ("", "off", str(tmp_path / "file"), str(tmp_path / "file" / "below"), "/proc/nothing"):
        monkeypatch.setenv("STACKROOM_CACHE", place)
        assert answers(registry) == plain


def test_an_index_that_nobody_used_for_two_months_goes_when_another_is_made(cache: Path, registry: Registry) -> None:
    answers(registry)
    (here,) = files(cache)
    old, recent = here.with_name("old.index"), here.with_name("recent.index")
    for path, days in ((old, 61), (old.with_name("old.index-wal"), 61), (recent, 59), (here, 61)):
        path.touch()
        os.utime(path, (time.time() - days * 86_400,) * 2)
    answers(registry)
    assert time.time() - here.stat().st_mtime < 3600
    here.unlink()
    answers(registry)
    assert {*files(cache)} == {here, recent}
    assert not old.with_name("old.index-wal").exists()


@pytest.mark.root
def test_a_full_disk_costs_nothing_but_the_time(cache: Path, registry: Registry) -> None:
    plain = without_index(registry)
    cache.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", cache], check=True)
    try:
        (cache / "filler").write_bytes(b"x" * 32 * 1024)
        assert answers(registry) == plain
        assert answers(registry) == plain
    finally:
        subprocess.run(["umount", cache], check=True)


_ANSWER = """
import os, signal, sys
from stackroom.registry import listing
from stackroom.registry.reading import Reader, joined
from stackroom.store import look, rereading
listing._WORTH_AN_INDEX = 0
look._AT_ONCE = 1
if sys.argv[2] == "die":
    real = rereading.read_known
    def read(folder, listed, number, forms):
        if listed.name == "fraud":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(folder, listed, number, forms)
    rereading.read_known = read
print(*(version.ref for version in Reader(sys.argv[1]).search("auc > 0.915")))
"""


def process(registry: Registry, how: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", _ANSWER, registry.folder, how]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_that_build_it_at_once_all_answer(cache: Path, registry: Registry) -> None:
    plain = without_index(registry, lambda one: " ".join(str(version.ref) for version in one.search("auc > 0.915")))
    running = [process(registry, "live") for _ in range(4)]
    for one in running:
        said, wrong = one.communicate(timeout=60)
        assert (said.strip(), wrong) == (plain, "")
    assert len(files(cache)) == 1


def test_what_was_read_before_a_kill_is_not_read_again(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = process(registry, "die")
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    # What it had kept of models that had just changed then is listed again, but not read.
    read = reads(monkeypatch)
    assert answers(registry) == without_index(registry)
    assert {one.partition(":")[0] for one in read} == {"fraud"}
    assert cache.exists()


@pytest.mark.usefixtures("cache")
def test_whoever_breaks_a_search_off_finds_what_was_read_next_time(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def stop(_found: Sequence[Model], of: int) -> None:
        told.append(of)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registry.models(watch=stop)
    read = reads(monkeypatch)
    registry.models()
    assert {one.partition(":")[0] for one in read} == {"fraud"}


@pytest.mark.usefixtures("cache")
def test_who_waits_for_a_first_index_is_shown_the_models_that_are_read(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "_AT_ONCE", 1)
    unseal(Path(registry.folder, "models", "churn", "3"))
    Path(registry.folder, "models", "churn", "3", "version.toml").write_text("[")
    told: list[tuple[list[str], int]] = []
    counted: list[tuple[int, int]] = []
    parts: list[Model] = []

    def watch(found: Sequence[Model], total: int) -> None:
        told.append(([model.name for model in found], total))
        parts[:] = found

    registry.progress = lambda done, total: counted.append((done, total))
    whole = registry.models(watch=watch)
    assert told == [([], 2), (["churn"], 2), (["churn", "fraud"], 2)]
    assert counted == [(0, 2), (1, 2), (2, 2)]
    assert [model.document() for model in parts] == [model.document() for model in whole.models]


@pytest.mark.usefixtures("cache")
def test_what_decides_is_read_from_the_folders(registry: Registry) -> None:
    answers(registry)
    version = Path(registry.folder, "models", "fraud", "2")
    unseal(version)
    text = (version / "version.toml").read_text()
    (version / "version.toml").write_text(text.replace('author = "ana"', 'author = "eve"'))
    assert registry.version("fraud:2").record.author == "eve"
    assert registry.model("fraud").versions[1].record.author == "eve"
    assert registry.models(afresh=True).models[1].version(2).record.author == "eve"  # type: ignore[union-attr]  # it holds staging
    assert [one.record.author for one in registry.models(every_version=True).models[1].versions] == [
        "ana",
        "eve",
        "ana",
    ]


@pytest.mark.root
def test_a_model_that_may_be_read_no_more_is_not_answered_for(reachable_path: Path) -> None:
    root = reachable_path / "registry"
    registry = make(root)
    registry.register("fraud", artifacts(reachable_path / "out"), metrics={"auc": 0.9})
    home = reachable_path / "cache"
    home.mkdir()
    home.chmod(0o700)
    os.chown(home, ALICE.uid, ALICE.gid)

    def ask() -> list[Any]:
        os.environ["STACKROOM_CACHE"] = str(home)
        setattr(listing, "_WORTH_AN_INDEX", 0)  # noqa: B010 - a constant, for all but this process
        return answers(Reader(root))

    before = run_as(ALICE, ask)
    assert "0.9" in str(before)
    (root / "models" / "fraud").chmod(0o700)
    after = run_as(ALICE, ask)
    assert "no permission to read it" in str(after)
    assert after[2] == []


# --- generated queries


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Everything that a query can meet, and files that are broken."""
    folder = tmp_path_factory.mktemp("odd")
    registry = make(folder / "r")
    source = artifacts(folder / "out")
    said: list[dict[str, Any]] = [
        {"metrics": {"auc": 1, "f1": 3}, "author": "Ána", "tags": ["nlp", "team=a"], "note": "auc"},
        {"metrics": {"auc": 0.5, "metrics.auc": 0.9}, "hyperparameters": {"lr": 1e-3, "deep": {"er": True}}},
        {"metrics": {"auc": 2**60, "inf": 1.0}, "hyperparameters": {"lr": "Fast", "on": True}, "auc": 0.7},
        {"hyperparameters": {"auc": 0.9, "layers": [1, 2], "author": "ana"}, "team": "risk", "metrics.auc": "text"},
        {"metrics": {"auc": -0.0}, "description": "A\nb", "license": "MIT", "archived": True, "author": "auc"},
    ]
    for model in ("b", "a.c"):
        for one in said:
            registry.register(model, source, metadata=one)
    registry.label("b:1", "v1")
    registry.promote("b:2", "staging")
    registry.promote("b:3", "staging")
    registry.promote("b:2", "production")
    root = Path(registry.folder, "models")
    plant_revision(Path(registry.folder), "b", 4, "[metrics]\nauc = 0.25\nf1 = nan\ninf = inf\n")
    plant_revision(Path(registry.folder), "b", 5, "metrics = 3\n")
    (root / "b" / "9").mkdir()
    unseal(root / "a.c" / "2")
    (root / "a.c" / "2" / "version.toml").write_text("[")
    return registry


_FIELDS = (
    "auc metrics.auc f1 metrics.f1 inf lr hyperparameters.lr on deep.er layers author team description "
    "license tags tag tags.team stage label archived owner version model ref created size files digest "
    "problems card datasets note metrics hyperparameters nothing metrics.nothing metrics.metrics.auc "
    "hyperparameters.auc source.host "
)
FIELDS = st.sampled_from(_FIELDS.split())
_WORDS = (
    "0.5 1 0 0.9 inf -inf 1e-3 nan true false ana ÁNA auc fast a risk staging production development "
    "archived b b:2 v1 2020-01-01 2100-01-01 2026-11-23T04:22:00Z text 1152921504606846976 1k "
)
WORDS = st.sampled_from(_WORDS.split())
_SAID = (
    "auc",
    "ÁNA",
    "a b",
    "a",
    "NLP",
    "team=a",
    "nlp, team",
    "b:2",
    "b:",
    ":1",
    "v1",
    "prod",
    "dev",
    "arch",
    "risk",
    ",",
    "mit",
)
QUOTED = st.sampled_from([f"'{said}'" for said in (*_SAID, '["nlp"', "\\")])
LEAVES = (
    QUOTED
    | st.builds("{} {} '{}'".format, FIELDS, st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]), WORDS)
    | FIELDS
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("not {}".format, inner.map("({})".format))
    ),
    max_leaves=4,
)


def found_or_refused(search: Callable[[], Sequence[Version]]) -> list[str]:
    try:
        return [repr(version) for version in search()]
    except InvalidInputError as error:
        return [str(error)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, archived=st.booleans())
def test_every_query_finds_the_same_with_an_index_as_without(
    odd: Registry, tmp_path_factory: pytest.TempPathFactory, query: str, *, archived: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STACKROOM_CACHE", str(tmp_path_factory.getbasetemp() / "odd-cache"))
        found = found_or_refused(lambda: odd.search(query, archived=archived))
    assert found == without_index(odd, lambda one: found_or_refused(lambda: one.search(query, archived=archived)))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Nothing that is broken, so that the index tells everything."""
    folder = tmp_path_factory.mktemp("sound")
    registry = make(folder / "r")
    source = artifacts(folder / "out")
    for number in range(20):
        metrics = {"auc": number % 7 / 7, **({"f1": 0.5} if number % 3 else {})}
        record: dict[str, Any] = {"metrics": metrics, "hyperparameters": {"lr": number}, "tags": ["Nlp", "team=a"]}
        for model in (f"model-{number}", "a"):
            registry.register(model, source, metadata={**record, "author": ("Ána", "bo", "")[number % 3]})
    registry.promote("a:3", "staging")
    registry.promote("a:3", "production")
    return registry


SORTS = st.lists(
    st.sampled_from(
        [
            *(
                "created",
                "size",
                "author",
                "model",
                "version",
                "auc",
                "metrics.auc",
                "metrics.f1",
                "hyperparameters.lr",
            ),
            *("lr", "f1", "tags", "stage", "nosuch", "metrics.nosuch", "description"),
        ]
    ),
    max_size=2,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.just("") | QUERIES, sort=SORTS, down=st.booleans(), limit=st.integers(0, 60))
def test_the_beginning_of_a_search_is_its_beginning_and_counts_all(
    sound: Registry, tmp_path_factory: pytest.TempPathFactory, query: str, sort: list[str], *, down: bool, limit: int
) -> None:
    order = ",".join(f"-{field}" if down else field for field in sort)
    try:
        Query(query or "ref")
    except InvalidInputError:
        reject()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STACKROOM_CACHE", str(tmp_path_factory.getbasetemp() / "sound-cache"))
        found = sound.find(query, sort=order, limit=limit)
    every = without_index(sound, lambda one: one.search(query, sort=order))
    assert found.total == len(every)
    assert found.absent == without_index(sound, lambda one: one.find(query, sort=order, limit=limit)).absent
    assert [repr(version) for version in found.versions] == [repr(version) for version in every[:limit]]


def test_of_the_beginning_of_a_search_no_other_version_is_understood(
    sound: Registry, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound.find("", limit=1)
    monkeypatch.setattr(listing, "search", lambda *_, **__: pytest.fail("all of them were understood"))
    found = sound.find("'nlp' and auc > 0.1 and author = bo", sort="-metrics.auc,created", limit=2)
    assert (len(found.versions), found.total > 2, files(cache) != []) == (2, True, True)


def printed(capsys: pytest.CaptureFixture[str], registry: Registry, *words: str) -> tuple[str, str]:
    assert run(["-R", registry.folder, *words], lambda _: 1) == 0
    said = capsys.readouterr()
    return said.out, said.err


SEARCHES: tuple[tuple[str, ...], ...] = (
    ("auc > 0.1",),
    ("auc < 0.6 or stage = staging", "--archived"),
    ("author = auc", "--archived", "--limit", "1"),
    ("metrics.lr", "--limit", "0"),
    ("", "--archived"),
    ("model = plain",),
    ("model = plain and size > 1 and loss < 3", "--limit", "1"),
    ("model = named",),
    ("nothing",),
    ("auc > 0.1", "--sort", "-auc"),
    ("", "--sort", "model,-zeta,created", "--limit", "3"),
    ("", "--sort", "-stage,size"),
    ("", "--sort", "-author,-lr", "--limit", "4"),
    ("", "--sort=-loss", "--limit", "2", "--columns", "ref,loss"),
    ("zeta > 0", "--sort=-zeta", "--limit", "2", "--json"),
    ("model = nobody", "--sort=nosuch", "--limit", "1"),
)


def test_an_order_by_what_nothing_has_is_refused_with_an_index_as_without(
    cache: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(one: Registry, *words: str) -> str:
        assert run(["-R", one.folder, "search", *words], lambda _: 1) == 2
        return "".join(capsys.readouterr())

    for words in (("--sort", "-ac"), ("--sort=auc,metrics.ac", "--limit", "1"), ("--sort=ac", "--json")):
        told = refused(registry, "auc > 0.9", *words)
        assert "nothing here has a field" in told
        assert told == without_index(registry, lambda one: refused(one, "auc > 0.9", *words))  # noqa: B023 - called at once
    assert files(cache)


LISTS: tuple[tuple[str, ...], ...] = (
    (),
    ("--stage", "staging"),
    ("--archived",),
    ("--where", "auc > 0"),
    ("--sort", "-created"),
    ("--columns", "model"),
)


@pytest.mark.parametrize("policy", ["", '[metrics.loss]\nbetter = "lower"\n'])
def test_a_table_of_what_was_found_looks_the_same_with_an_index_as_without(
    cache: Path, odd: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(odd.folder, copy, symlinks=True)
    set_policy(copy, f"[stages.staging]\n[stages.production]\n{policy}")
    registry, source = Registry(copy), artifacts(tmp_path / "out")
    for number in (1, 2):
        metrics = {"loss": 2, "acc": 0.5 + number, "zeta": number} if number == 1 else {"zeta": 0.5, "acc": 3}
        registry.register("plain", source, metrics=metrics, metadata={"description": "tab\there, \x1b[31mred"})
    registry.register("named", source, metrics={"size": 3, "metrics.loss": 4, "version": 5})
    registry.promote("plain:1", "staging")
    for words in SEARCHES:
        found = printed(capsys, registry, "search", *words)
        assert found == without_index(registry, lambda one: printed(capsys, one, "search", *words)), words  # noqa: B023 - called at once
    for words in LISTS:
        for _ in ("read", "remembered"):
            found = printed(capsys, registry, "list", *words)
            assert found == without_index(registry, lambda one: printed(capsys, one, "list", *words)), words  # noqa: B023 - the same
    assert files(cache)


def test_a_table_of_sound_versions_is_made_without_a_record(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = without_index(registry, lambda one: printed(capsys, one, "search", "auc > 0.9"))
    registry.search("")
    monkeypatch.setattr("stackroom.registry.listing.search", None)
    assert printed(capsys, registry, "search", "auc > 0.9") == plain
    assert cache.exists()


def test_a_list_of_models_is_made_without_a_record_but_of_those_that_something_is_wrong_with(
    cache: Path, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(capsys, registry, "edit", "churn", "--set", "description=who leaves")
    printed(capsys, registry, "archive", "churn", "--reason", "old")
    for number, name in enumerate(("moved", "behind", "missing", "swapped", "empty")):
        for _ in range(2):
            registry.register(name, artifacts(tmp_path / name, {"model.bin": bytes([number])}))
        registry.promote(f"{name}:1", "staging")
    root = Path(registry.folder)
    (root / "live" / "staging" / "behind").unlink()
    (root / "live" / "staging" / "behind").symlink_to("../../models/behind/2")
    (root / "models" / "missing" / "1").rename(tmp_path / "gone")
    registry.register("swapped", artifacts(tmp_path / "other", {"model.bin": b"other"}))
    (root / "models" / "swapped" / "1").rename(tmp_path / "first")
    (root / "models" / "swapped" / "3").rename(root / "models" / "swapped" / "1")
    for number in (1, 2):
        (root / "models" / "empty" / str(number)).rename(tmp_path / f"empty-{number}")

    def ask(one: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - as in without_index
        return [printed(capsys, one, "list"), printed(capsys, one, "list", "--archived")]

    plain = without_index(registry, ask)
    assert ask(registry) == plain
    made: list[str] = []

    def read(listed: ModelListing, *more: Any, **named: Any) -> Model:  # noqa: ANN401 - as joined itself
        made.append(listed.name)
        return joined(listed, *more, **named)

    monkeypatch.setattr(listing, "joined", read)
    assert ask(registry) == plain
    assert {*made} == {"behind", "missing", "swapped", "empty"}
    assert cache.exists()


def test_rows_that_a_list_shows_lie_beside_each_other_until_something_else_is_shown(
    cache: Path, registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed(one: Any) -> str:  # noqa: ANN401 - as in without_index
        return printed(capsys, one, "list")[0]

    def beside() -> list[tuple[str, int]]:
        """The versions whose rows were gathered."""
        with contextlib.closing(sqlite3.connect(files(cache)[0])) as database:
            names = dict(database.execute("SELECT id, name FROM models"))
            rows = database.execute("SELECT id FROM shown ORDER BY id").fetchall()
        return sorted((names[row >> index_rows.SHIFT], row & index_rows.MASK) for (row,) in rows)

    registry.search("")
    root = Path(registry.folder)
    changes: list[tuple[Callable[[], object], list[tuple[str, int]]]] = [
        (lambda: None, [("churn", 3), ("fraud", 2), ("fraud", 3)]),
        (lambda: registry.promote("fraud:1", "staging"), [("churn", 3), ("fraud", 1), ("fraud", 3)]),
        (
            lambda: registry.register("churn", tmp_path / "out", metrics={"loss": 0.5}),
            [("churn", 4), ("fraud", 1), ("fraud", 3)],
        ),
        (lambda: registry.archive("churn:4"), [("churn", 4), ("fraud", 1), ("fraud", 3)]),
        (
            lambda: (root / "models" / "fraud" / "3").rename(tmp_path / "gone"),
            [("churn", 4), ("fraud", 1), ("fraud", 2)],
        ),
        (lambda: (root / "models" / "churn").rename(tmp_path / "churn"), [("fraud", 1), ("fraud", 2)]),
    ]
    for change, shown in changes:
        change()
        plain = without_index(registry, listed)
        # The second time it is answered from what the first has gathered.
        assert [listed(registry), listed(registry)] == [plain, plain]
        assert beside() == shown


def test_a_version_that_was_never_listed_and_is_given_a_stage_is_read_for_one_list_only(
    cache: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(capsys, registry, "list")
    registry.promote("churn:1", "staging")
    plain = without_index(registry, lambda one: printed(capsys, one, "list"))
    assert printed(capsys, registry, "list") == plain
    monkeypatch.setattr(listing, "joined", lambda *_, **__: pytest.fail("it is read again"))
    assert printed(capsys, registry, "list") == plain
    assert files(cache)


def test_more_names_than_columns_are_still_found(
    cache: Path, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_rows, "_COLUMNS_LIMIT", 3)
    metrics = {f"m{number}": number for number in range(6)}
    registry.register("wide", tmp_path / "out", metrics=metrics, metadata={f"k{number}": "v" for number in range(5)})
    for query in ("m5 = 5", "m0 = 0", "k4 = v", "m9", "not (m4 > 7)"):
        found = registry.search(query)
        with monkeypatch.context() as patch:
            patch.setenv("STACKROOM_CACHE", "off")
            assert found == registry.search(query)
    assert cache.exists()


def test_an_error_of_the_database_says_whether_another_would_help() -> None:
    full = sqlite3.OperationalError("full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    broken = sqlite3.DatabaseError("malformed")
    broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    assert [index_file.lost(error).damaged for error in (full, broken)] == [False, True]
