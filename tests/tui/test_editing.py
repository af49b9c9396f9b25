"""Metadata goes through the user's editor and back, and nothing that was typed is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stackroom.core.metadata import Record, with_field
from stackroom.errors import UsageError
from stackroom.registry.editing import Edit
from stackroom.tui import editing

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that replaces the team."""
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nsed -i \'s/^team = .*/team = "risk"/\' "$1"\n')
    script.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(script))
    return script


def test_an_edit_is_a_revision_and_says_which_fields(registry: Registry, editor: Path) -> None:
    assert editor.exists()
    told = editing.edit_and_save(registry, editing.draft(registry, "iris-species:1"))
    assert told == "iris-species:1 edited: team (revision 1)"
    assert registry.version("iris-species:1").record.team == "risk"


def test_no_change_is_no_revision(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    assert editing.edit_and_save(registry, editing.draft(registry, "iris-species")) == "iris-species unchanged"


def test_a_change_meanwhile_is_a_conflict_that_keeps_the_text(registry: Registry, editor: Path) -> None:
    assert editor.exists()
    draft = editing.draft(registry, "iris-species:1")
    registry.edit("iris-species:1", Edit(put={"license": "MIT"}))
    met = editing.edit_and_save(registry, draft)
    assert isinstance(met, editing.Conflict)
    path = Path(met.kept)
    assert 'team = "risk"' in path.read_text()
    assert editing.keep(met) == met.kept
    assert met.mergeable
    done = editing.put_on_top(registry, met)
    assert not isinstance(done, editing.Conflict)
    record = registry.version("iris-species:1").record
    assert (record.team, record.license) == ("risk", "MIT")
    assert not path.exists(), "what is written need not be kept"


def test_an_edit_on_top_of_an_edit_may_meet_a_third_one(registry: Registry, editor: Path) -> None:
    assert editor.exists()
    draft = editing.draft(registry, "iris-species:1")
    registry.edit("iris-species:1", Edit(put={"license": "MIT"}))
    met = editing.edit_and_save(registry, draft)
    assert isinstance(met, editing.Conflict)
    registry.edit("iris-species:1", Edit(put={"team": "theirs"}))
    again = editing.put_on_top(registry, met)
    assert isinstance(again, editing.Conflict)
    assert (again.mergeable, again.kept, again.facts["theirs"]["revision"]) == (False, met.kept, 2)
    opened, mine = editing.taken_up(registry, again)
    assert (opened.revision, mine.team, mine.license) == (2, "risk", "MIT")
    editing.forget(again)
    assert not Path(met.kept).exists()


def test_what_is_edited_in_place_goes_through_the_editor_and_comes_back(registry: Registry, editor: Path) -> None:
    assert editor.exists()
    start = editing.draft(registry, "iris-species:1").start
    mine = editing.edited_record(start, with_field(start.record, "license", "MIT"))
    assert isinstance(mine, Record)
    assert (mine.team, mine.license) == ("risk", "MIT")
    assert registry.version("iris-species:1").revision == 0


def test_a_text_that_cannot_be_taken_is_opened_again_with_what_is_wrong_and_kept_until_it_is_written(
    registry: Registry, editor: Path
) -> None:
    what = editing.draft(registry, "iris-species:1")
    editor.write_text('#!/bin/sh\nsed -i \'s/^team = .*/team = "risk/\' "$1"\n')
    slip = editing.edit_and_save(registry, what)
    assert isinstance(slip, editing.Slip)
    (note,) = editing.kept(slip.error)
    path = Path(note[0].text.rpartition(" ")[2])
    assert 'team = "risk\n' in path.read_text()

    editor.write_text("#!/bin/sh\n")
    assert editing.edit_and_save(registry, what, slip) is slip, "nothing was changed in the second round"
    assert path.exists()

    editor.write_text(f'#!/bin/sh\ncp "$1" {editor}.seen\nsed -i \'s/^team = .*/team = "risk"/\' "$1"\n')
    assert editing.edit_and_save(registry, what, slip) == "iris-species:1 edited: team (revision 1)"
    seen = Path(f"{editor}.seen").read_text()
    assert f"#: Not taken: {slip.error}" in seen
    assert 'team = "risk\n' in seen
    assert "Not taken" not in registry.editable("iris-species:1").text
    assert not path.exists()


def test_an_editor_that_fails_changes_nothing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("false", "no-such-editor"):
        monkeypatch.setenv("EDITOR", command)
        with pytest.raises(UsageError) as caught:
            editing.edit_and_save(registry, editing.draft(registry, "iris-species:1"))
        assert editing.kept(caught.value) == []
    assert registry.version("iris-species:1").revision == 0
