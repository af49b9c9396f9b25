"""Our reading of TOML against the official test-suite of the language, toml-test, which lies here as an archive."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.canonical import read_canonical
from stackroom.core.toml import parse_toml, what_no_file_holds
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    import random

with ZipFile(Path(__file__).with_name("toml-test.zip")) as _archive:
    SUITE: Final = {name: _archive.read(name) for name in _archive.namelist() if name.endswith(".toml")}
    TOML_1_0: Final = frozenset(_archive.read("tests/files-toml-1.0.0").decode().split())
TEXTS: Final = tuple(text.decode() for text in SUITE.values() if b"\0" not in text and text.isascii())


def by_the_standard_library(text: bytes) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError):
        return None


def ours(text: bytes) -> dict[str, Any] | None:
    try:
        return parse_toml(text, where="version.toml")
    except InvalidInputError:
        return None


def test_every_file_is_read_as_the_standard_library_reads_it() -> None:
    assert len(SUITE) > 700
    for name, text in SUITE.items():
        theirs = by_the_standard_library(text)
        if theirs is not None and what_no_file_holds(theirs):
            theirs = None
        assert repr(ours(text)) == repr(theirs), name


def test_what_is_valid_is_read_and_what_is_not_is_refused() -> None:
    # The newer half of the suite is about the next TOML, of which the standard library may know some day.
    wrong = [
        name
        for name, text in SUITE.items()
        if name.removeprefix("tests/") in TOML_1_0 and (ours(text) is None) == name.startswith("tests/valid/")
    ]
    assert wrong == []


@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False), st.integers(1, 3))
def test_a_damaged_file_is_never_read_otherwise(text: str, chance: random.Random, times: int) -> None:
    for _ in range(times):
        at, end = chance.randint(0, len(text)), chance.randint(0, 3)
        text = text[:at] + chance.choice('"\\[]\n.0=,#{} ') + text[at + end :]
    found = read_canonical(text)
    assert found is None or repr(found) == repr(by_the_standard_library(text.encode())), text
