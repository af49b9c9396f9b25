"""The reference names what the program knows."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

from stackroom.core.findings import KINDS, SEVERITIES
from stackroom.core.metadata import Dataset, Seal
from stackroom.core.policy import policy_of
from stackroom.core.rules import GUARD_NAMES
from stackroom.store import layout

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"


def test_every_guard_is_in_the_reference() -> None:
    text = (REFERENCE / "registry-toml.md").read_text(encoding="utf-8")
    assert [name for name in GUARD_NAMES if f"`{name} = " not in text] == []


def test_the_example_in_the_reference_is_a_policy() -> None:
    text = (REFERENCE / "registry-toml.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0].replace("6b0f…", "6b0f")
    policy = policy_of(tomllib.loads(example))
    assert [stage.name for stage in policy.stages] == ["staging", "production", "champion"]
    assert policy.last_stage == "production"


def test_every_field_of_the_seal_and_of_datasets_is_in_the_format() -> None:
    text = (REFERENCE / "format.md").read_text(encoding="utf-8")
    names = {one.name for record in (Seal, Dataset) for one in fields(record)} - {"extra"}
    assert sorted(name for name in names if name not in text) == []


def test_every_place_of_the_layout_is_in_the_format() -> None:
    text = (REFERENCE / "format.md").read_text(encoding="utf-8")
    places = [layout.MODELS, layout.STAGES, layout.LIVE, layout.APPROVALS, layout.OBSERVATIONS, layout.FEED]
    names = [layout.VERSION_FILE, layout.SHA256_FILE, layout.XXH128_FILE, layout.CARD_FILE, layout.REGISTRY_FILE]
    assert [name for name in [*places, *names] if name not in text] == []


def test_every_kind_of_finding_is_in_the_reference_word_for_word_and_no_other() -> None:
    text = (REFERENCE / "doctor.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    wanted = [
        [f"`{slug}`", kind.severity, "yes" if kind.fixed else "", kind.explanation, kind.remedy]
        for slug, kind in KINDS.items()
    ]
    assert rows == wanted
    assert {kind.severity for kind in KINDS.values()} == set(SEVERITIES)
    assert [
        slug for slug, kind in KINDS.items() if not (kind.explanation.endswith(".") and kind.remedy.endswith("."))
    ] == []
