"""What a user's settings say, and that nothing wrong in them hides the rest."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.settings import ACCENTS, Looks, NamedRegistry, SavedView, Settings, nearest, settings_of

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md"

GOOD = b"""
[keys]
compare = ["c", "f5"]
rollback = ""
mark = "x"

[ui]
mouse = false
colours = 256
theme = "nord"

[registries]
lab = "~/models"

[registries.production]
path = "/nfs/production"

[views]
good = "auc>0.9"

[views.newest]
list = "models"
sort = "-updated"
"""


def read(text: str) -> Settings:
    return settings_of(text.encode(), file="/home/ana/config.toml")


def test_everything_that_can_be_said_is_understood() -> None:
    found = settings_of(GOOD, file="config.toml")
    assert found.problems == ()
    assert found.keys == {"compare": ("c", "f5"), "rollback": (), "mark": ("x",)}
    assert found.looks == Looks(mouse=False, colours="256", theme="nord")
    assert found.registries == (
        NamedRegistry(name="lab", path="~/models"),
        NamedRegistry(name="production", path="/nfs/production", accent="red"),
    )
    assert found.views == (
        SavedView(name="good", filter="auc>0.9"),
        SavedView(name="newest", list="models", sort="-updated"),
    )
    assert found.registry("lab") == found.registries[0]
    assert found.registry("nobody") is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[kyes]\n", "config.toml:1: kyes: there is no such part; did you mean keys?"),
        ("keys = 3\n", "config.toml:1: keys: expected a table [keys]"),
        ("[keys]\nmark = 3\n", "config.toml:2: keys.mark: expected a key"),
        ("[ui]\nmous = true\n", "config.toml:2: ui.mous: there is no such key; did you mean mouse?"),
        ('[ui]\n\nmouse = "yes"\n', "config.toml:3: ui.mouse: expected true or false"),
        ("[ui]\ncolours = 17\n", "config.toml:2: ui.colours: expected one of auto, none, 16, 256, truecolor"),
        ('[ui]\naccent = "rde"\n', "config.toml:2: ui.accent: expected one of red, "),
        ('[registries]\n"a b" = "/x"\n', "registries.a b: expected a name"),
        ('[registries]\nlab = "models"\n', "config.toml:2: registries.lab.path: expected the path of a folder, from /"),
        ('[registries.lab]\naccent = "red"\n', "config.toml:1: registries.lab: expected a path"),
        ('[views.v]\nlist = "stages"\nfilter = "x"\n', "views.v.list: expected one of models, versions"),
        ("[views.v]\n", "config.toml:1: views.v: expected a filter or a sort"),
        ("[ui\n", "config.toml:1: not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_key_and_the_nearest_name(text: str, wanted: str) -> None:
    (problem,) = read(text).problems
    assert problem.startswith("/home/ana/config.toml")
    assert wanted in problem


def test_one_wrong_line_hides_no_other() -> None:
    found = read('[ui]\nmous = true\ntheme = "nord"\n[views]\n"" = "x"\ngood = "auc>1"\n[keys]\nmark = "x"\n')
    assert len(found.problems) == 2
    assert (found.looks.theme, found.keys, [view.name for view in found.views]) == (
        "nord",
        {"mark": ("x",)},
        ["good"],
    )


def test_a_file_that_is_too_large_is_not_read() -> None:
    assert "more than 65,536 bytes" in settings_of(b"#" * 70_000, file="c").problems[0]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_file_is_too_strange(content: bytes) -> None:
    found = settings_of(content, file="c")
    assert all(problem.startswith("c") for problem in found.problems)


_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


@given(st.sampled_from(["keys", "ui", "registries", "views"]), st.text("abc-. \"'\\", max_size=6), _LEAVES)
def test_no_value_is_too_strange(part: str, key: str, value: object) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    shown = "[[]]" if value is None else str(value).lower() if isinstance(value, bool | int) else repr(value)
    settings_of(f'[{part}]\n"{quoted}" = {shown}\n'.encode(errors="replace"), file="c")


def test_the_nearest_name_is_near() -> None:
    assert nearest("mrak", ["mark", "move"]) == "; did you mean mark?"
    assert nearest("xyzzy", ["mark", "move"]) == ""


def test_the_reference_has_every_key_and_every_colour() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    wanted = {"keys.ACTION"}
    wanted |= {f"ui.{one.name}" for one in fields(Looks)}
    wanted |= {
        "registries.NAME",
        *(f"registries.NAME.{one.name}" for one in fields(NamedRegistry) if one.name != "name"),
    }
    wanted |= {"views.NAME", *(f"views.NAME.{one.name}" for one in fields(SavedView) if one.name != "name")}
    assert set(re.findall(r"^\| `([a-zA-Z.]+)` \|", text, re.MULTILINE)) == wanted
    assert [accent for accent in ACCENTS if f"`{accent}`" not in text] == []
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert settings_of(example[1].encode(), file="example").problems == ()
