"""The lines of ours in a text that is edited: they say what it is an edit of, and never become part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.names import parse_ref
from stackroom.registry.drafts import draft_text, read_draft, taken_up
from stackroom.registry.editing import Edit
from support.registries import plant_revision

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry

REF = parse_ref("fraud:1")


@given(
    st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: "#:" not in text),
    st.integers(0, 10**9 - 1),
    st.lists(st.text(), max_size=3),
)
def test_what_an_editor_gives_back_untouched_is_what_it_was_given(text: str, revision: int, notes: list[str]) -> None:
    draft = read_draft(draft_text(REF, revision, text, notes))
    assert draft.text == text
    assert (draft.ref, draft.revision) == (REF, revision)


def test_what_looks_like_a_line_of_ours_in_a_text_of_several_lines_stays() -> None:
    text = 'description = """\n#: not ours\n"""\n'
    assert read_draft(draft_text(REF, 1, text)).text == text
    assert read_draft("# mine\n" + draft_text(REF, 3, "team = 1\n")).revision == 3


@pytest.mark.parametrize("text", ["", "team = 'x'\n", "#: nothing of the kind\nteam = 'x'\n", "#: a:b:c, revision 1\n"])
def test_a_text_without_our_first_line_is_an_edit_of_nothing_in_particular(text: str) -> None:
    assert read_draft(text).revision is None


def test_a_name_of_another_persons_cannot_become_a_line_of_the_record(registry: Registry) -> None:
    registry.new("fraud")
    (registry.path / "models/fraud/1").mkdir()
    (registry.path / "models/fraud/1/version.toml").write_text("metrics = {}\n")
    plant_revision(registry.path, "fraud", 1, "team = 'a'\n")
    plant_revision(registry.path, "fraud", 1, '[hyperparameters]\n"x\\nlicense = 1" = "y\\nteam = 2"\n', revision=2)
    start = registry.editable("fraud:1")
    text, notes = taken_up(start, read_draft('#: fraud:1, revision 1\n[hyperparameters]\n"x\\nlicense = 1" = 3\n'))
    whole = draft_text(start.ref, start.revision, text, notes)
    assert any("license" in note for note in notes)
    assert not any(line.startswith(("license", "team")) for line in whole.splitlines())
    assert read_draft(whole).text == text


def test_the_facade_tells_what_vanished_and_takes_it_for_known(registry: Registry) -> None:
    registry.new("fraud")
    registry.edit("fraud", Edit(put={"team": "x"}))
    assert registry.vanished() == ()
    registry.acknowledge()
    assert registry.vanished() == ()
