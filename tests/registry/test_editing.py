"""Revisions of metadata and cards: nothing is overwritten, nothing is lost, and everything can be taken back."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from stackroom.core.toml import METADATA_LIMIT
from stackroom.errors import ConflictError, InvalidInputError, NotFoundError
from stackroom.registry.editing import Edit
from support.crashes import killed_at_every_step
from support.registries import artifacts, left_over, tree

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


@pytest.fixture
def model(registry: Registry, tmp_path: Path) -> Path:
    """A model with one version, whose metadata has a metric and a card."""
    registry.register("fraud", artifacts(tmp_path / "out"), metrics={"auc": 0.9}, card="# first\n")
    return registry.path / "models" / "fraud"


def put(**fields: Any) -> Edit:  # noqa: ANN401 - TOML's values
    return Edit(put={key.replace("__", "."): value for key, value in fields.items()})


def test_an_edit_is_a_whole_record_that_names_the_text_it_replaces(registry: Registry, model: Path) -> None:
    sealed = (model / "1" / "version.toml").read_bytes()
    made = registry.edit("fraud:1", Edit(put={"metrics.f1": 0.5, "team": "risk"}, reason="measured again"))
    assert (made.made, made.revision) == (True, 1)
    assert made.changes == {"metrics.f1": (None, "0.5"), "team": (None, "risk")}
    first = (model / "1@1.toml").read_bytes()
    document = tomllib.loads(first.decode())
    assert document["previous"] == f"sha256:{sha256(sealed).hexdigest()}"
    assert (document["reason"], document["metrics"]) == ("measured again", {"auc": 0.9, "f1": 0.5})
    registry.edit("fraud:1", put(team="other"))
    second = tomllib.loads((model / "1@2.toml").read_text())
    assert second["previous"] == f"sha256:{sha256(first).hexdigest()}"
    assert (model / "1" / "version.toml").read_bytes() == sealed
    assert (model / "1@1.toml").read_bytes() == first
    assert [revision.number for revision in registry.revisions("fraud:1")] == [0, 1, 2]
    version = registry.version("fraud:1")
    assert (version.revision, version.record.team, version.metrics) == (2, "other", {"auc": 0.9, "f1": 0.5})


def test_an_edit_that_changes_nothing_writes_nothing(registry: Registry, model: Path) -> None:
    before = tree(model)
    assert not registry.edit("fraud:1", put(metrics__auc=0.9)).made
    assert not registry.edit("fraud:1", Edit(card="# first\n")).made
    assert not registry.archive("fraud:1", undo=True).made
    made = registry.edit("fraud:1", Edit(put={"team": "x"}, card="# second\n", dry_run=True))
    assert (made.made, set(made.changes)) == (False, {"team", "card"})
    assert tree(model) == before


@pytest.mark.parametrize("key", ["format", "uid", "created", "model", "artifacts.digest", "revised_by", "previous"])
def test_what_is_sealed_cannot_be_edited(registry: Registry, model: Path, key: str) -> None:
    before = tree(model)
    with pytest.raises(InvalidInputError, match="sealed"):
        registry.edit("fraud:1", Edit(put={key: "x"}))
    with pytest.raises(InvalidInputError, match="sealed"):
        registry.edit("fraud:1", Edit(drop=[key]))
    with pytest.raises(InvalidInputError, match="sealed"):
        registry.edit("fraud:1", Edit(text=f'{key} = "x"\n'))
    assert tree(model) == before


@pytest.mark.parametrize(
    "change",
    [
        Edit(put={"metrics.auc": "high"}),
        Edit(put={"description": "x" * METADATA_LIMIT}),
        Edit(put={"hyperparameters.seed": None}),
        Edit(text="this is no TOML"),
        Edit(text='description = "\udcff"'),
        Edit(text="[metrics]\nauc = true\n"),
        Edit(drop=["team"]),
        Edit(card="\ud800"),
    ],
)
def test_a_wrong_edit_writes_nothing(registry: Registry, model: Path, change: Edit) -> None:
    before = tree(model)
    with pytest.raises(InvalidInputError):
        registry.edit("fraud:1", change)
    assert tree(model) == before


def test_comments_survive_an_editor(registry: Registry, model: Path) -> None:
    text = registry.editable("fraud:1").text
    assert "uid" not in text
    assert "[artifacts]" not in text
    registry.edit("fraud:1", Edit(text=f"# who asked for it: bo\n{text}\n[hyperparameters]\nlr = 0.1 # by hand\n"))
    again = registry.editable("fraud:1")
    assert again.text.startswith("# who asked for it: bo\n")
    assert "lr = 0.1 # by hand" in again.text
    assert "revised" not in again.text
    registry.edit("fraud:1", Edit(text=again.text.replace("0.1", "0.2")))
    assert registry.version("fraud:1").hyperparameters == {"lr": 0.2}
    assert "# who asked for it: bo" in (model / "1@2.toml").read_text()


@pytest.mark.usefixtures("model")
def test_a_text_that_looks_like_sealed_keys_and_tables_comes_back_whole(registry: Registry) -> None:
    description = "reason = because\n[artifacts]\nuid = 1\n"
    text = f'description = """\n{description}"""\ngrid = [\n  ["artifacts"],\n  [1, 2],\n]\nteam = "risk"\n'
    registry.edit("fraud:1", Edit(text=text))
    present = registry.editable("fraud:1")
    assert not registry.edit("fraud:1", Edit(text=present.text)).made
    record = registry.version("fraud:1").record
    assert record.description == description
    assert record.extra == {"grid": [["artifacts"], [1, 2]]}


def test_an_edit_made_from_an_older_revision_is_a_conflict_and_loses_nothing(registry: Registry, model: Path) -> None:
    base = registry.editable("fraud:1").revision
    registry.edit("fraud:1", put(team="alice's"))
    before = tree(model)
    with pytest.raises(ConflictError, match="at revision 1 by now, and you edited 0"):
        registry.edit("fraud:1", Edit(put={"team": "bob's"}, base=base))
    assert tree(model) == before


def test_an_edit_that_comes_second_is_a_conflict_that_names_who_was_first(
    registry: Registry, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = registry.editable("fraud:1")
    registry.edit("fraud:1", put(team="alice's"))
    monkeypatch.setattr("stackroom.registry.editing.editable", lambda *_: present)
    with pytest.raises(ConflictError, match=r"wrote 1@1\.toml while you edited"):
        registry.edit("fraud:1", put(team="bob's"))
    monkeypatch.undo()
    assert registry.version("fraud:1").record.team == "alice's"
    assert left_over(model) == []


@pytest.mark.usefixtures("model")
def test_a_card_that_comes_second_is_a_conflict_too(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    from stackroom.registry import editing  # noqa: PLC0415 - its private step is replaced

    plain = editing._card_change

    def slow(*args: Any) -> Any:  # noqa: ANN401 - what it takes and gives
        found = plain(*args)
        monkeypatch.undo()
        registry.edit("fraud:1", Edit(card="# alice's\n"))
        return found

    monkeypatch.setattr(editing, "_card_change", slow)
    with pytest.raises(ConflictError, match=r"wrote 1@1\.md"):
        registry.edit("fraud:1", Edit(card="# bob's\n"))
    assert registry.card("fraud:1") == "# alice's\n"


def test_a_card_has_revisions_of_its_own(registry: Registry, model: Path) -> None:
    registry.edit("fraud:1", put(team="x"))
    made = registry.edit("fraud:1", Edit(card="# second\n"))
    assert (made.made, made.revision, made.changes) == (True, 1, {"card": ("1 line", "1 line")})
    assert registry.card("fraud:1") == "# second\n"
    assert (model / "1" / "README.md").read_text() == "# first\n"
    assert not (model / "1@2.toml").exists()


@pytest.mark.usefixtures("model")
def test_an_edit_of_both_has_the_number_of_the_metadata_and_notes_that_of_the_card(registry: Registry) -> None:
    assert registry.edit("fraud:1", Edit(card="# second\n")).notes == ()
    both = registry.edit("fraud:1", Edit(put={"team": "x"}, card="# third\n"))
    assert (both.revision, both.notes) == (1, ("the card is at revision 2",))
    why = registry.edit("fraud:1", Edit(card="# fourth\n", reason="clearer"))
    assert (why.revision, why.notes) == (2, ("the card is at revision 3",))


@pytest.mark.usefixtures("model")
def test_a_field_whose_name_is_nearly_one_of_the_formats_is_kept_and_told(registry: Registry) -> None:
    made = registry.edit("fraud:1", put(lisense="MIT", colour="blue"))
    assert made.notes == ("lisense is a field of your own; did you mean license?",)
    assert registry.version("fraud:1").record.extra["lisense"] == "MIT"
    assert registry.edit("fraud:1", put(lisense="BSD")).notes == ()


def test_a_model_has_metadata_and_a_card_of_its_own(registry: Registry, model: Path) -> None:
    registry.edit("fraud", Edit(put={"description": "finds fraud"}, card="# fraud\n"))
    assert registry.model("fraud").record.description == "finds fraud"
    assert registry.card("fraud") == "# fraud\n"
    assert (model / "model@2.toml").exists()
    assert registry.version("fraud:1").record.description == ""


@pytest.mark.usefixtures("model")
def test_a_revision_is_taken_back_by_a_new_one(registry: Registry) -> None:
    registry.edit("fraud:1", put(team="risk"))
    registry.edit("fraud:1", put(metrics__auc=0.1))
    made = registry.revert("fraud:1", 1)
    assert (made.revision, made.changes) == (3, {"metrics.auc": ("0.1", "0.9")})
    assert registry.revert("fraud:1", 0).revision == 4
    assert registry.version("fraud:1").record.team == ""
    assert not registry.revert("fraud:1", 0).made
    with pytest.raises(NotFoundError, match="has no revision 9"):
        registry.revert("fraud:1", 9)


def test_a_broken_newest_revision_falls_back_flagged_and_the_next_edit_mends_it(
    registry: Registry, model: Path
) -> None:
    registry.edit("fraud:1", put(team="risk"))
    (model / "1@2.toml").write_text("garbage [")
    version = registry.version("fraud:1")
    assert (version.record.team, version.revision) == ("risk", 1)
    assert [problem.place for problem in version.problems] == ["models/fraud/1@2.toml"]
    with pytest.raises(InvalidInputError, match="revision 2 of fraud:1 is broken"):
        registry.revert("fraud:1", 2)
    assert registry.edit("fraud:1", put(description="mended")).revision == 3
    version = registry.version("fraud:1")
    assert (version.record.team, version.record.description, version.problems) == ("risk", "mended", ())


def test_a_revision_number_that_somebody_used_up_is_an_error_and_not_a_lost_edit(
    registry: Registry, model: Path
) -> None:
    (model / "1@999999999.toml").write_text("revised = 2026-11-23T04:22:00Z\n")
    (model / "1@999999999.md").write_text("x")
    before = tree(model)
    with pytest.raises(InvalidInputError, match="more than 9 digits"):
        registry.edit("fraud:1", put(team="risk"))
    with pytest.raises(InvalidInputError, match="more than 9 digits"):
        registry.edit("fraud:1", Edit(card="# second\n"))
    assert tree(model) == before


@pytest.mark.usefixtures("model")
def test_what_holds_a_stage_is_not_archived(registry: Registry) -> None:
    registry.promote("fraud:1", "staging")
    with pytest.raises(ConflictError, match="holds staging"):
        registry.archive("fraud:1")
    registry.clear("fraud", "staging")
    assert registry.archive("fraud:1", reason="old").made
    assert registry.version("fraud:1").state == "archived"
    assert registry.search("") == ()
    assert len(registry.search("archived")) == 1
    registry.archive("fraud:1", undo=True)
    assert registry.version("fraud:1").state == "development"


@pytest.mark.usefixtures("model")
def test_an_edit_killed_at_any_step_leaves_the_old_record_or_the_new(registry: Registry) -> None:
    for step, acknowledged in killed_at_every_step(
        lambda: registry.edit("fraud:1", Edit(put={"team": "risk"}, card="# second\n"))
    ):
        version = registry.version("fraud:1")
        assert version.problems == (), step
        assert version.record.team in {"", "risk"}
        assert registry.card("fraud:1") in {"# first\n", "# second\n"}
        assert not acknowledged or (version.record.team, registry.card("fraud:1")) == ("risk", "# second\n")
    assert step > 3
