"""The round trip through an editor: what comes back is written, and what was typed is never lost."""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stackroom
from cli.calling import on_terminal
from stackroom.errors import InvalidInputError, NotFoundError, UsageError
from stackroom.store.userfiles import edited, read_user_file

if TYPE_CHECKING:
    from cli.calling import Answer, Cli


class Editor:
    """Editors that are Python scripts; each gets the file as its last argument."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        temporary = folder / "tmp"
        temporary.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def does(self, body: str) -> str:
        """Make it the editor: ``path`` is the file, as a ``Path``."""
        script = self._folder / "editor.py"
        head = "import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\ntext = path.read_text()\n"
        script.write_text(head + body)
        command = f"{sys.executable} {script}"
        self.named(command)
        return command

    def named(self, command: str) -> None:
        """Set it in the environment."""
        self._monkeypatch.delenv("VISUAL", raising=False)
        self._monkeypatch.setenv("EDITOR", command)

    def left(self) -> list[Path]:
        """The temporary files that are still there."""
        return sorted((self._folder / "tmp").glob("stackroom-*"))


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    folder = tmp_path / "editor"
    folder.mkdir()
    return Editor(folder, monkeypatch)


def test_what_the_editor_saves_is_the_next_revision_with_its_comments(fraud: Cli, editor: Editor) -> None:
    editor.does("path.write_text(text.replace('the first', 'edited') + '\\n# kept for the next reader\\n')")
    assert fraud.ok("edit", "fraud:1", "--editor", "--reason", "by hand").out == "fraud:1 1\n"
    assert fraud.json("show", "fraud:1")["version"]["metadata"]["description"] == "edited"
    written = (fraud.registry / "models/fraud/1@1.toml").read_text()
    assert "# kept for the next reader" in written
    assert "#:" not in written
    assert editor.left() == []


def test_the_editor_starts_from_what_can_be_edited_and_nothing_else(fraud: Cli, editor: Editor, tmp_path: Path) -> None:
    editor.does(f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text(text)")
    assert "nothing was changed" in fraud.ok("edit", "fraud:1", "--editor").err
    seen = (tmp_path / "seen").read_text()
    assert "fraud:1, revision 0" in seen
    assert "artifacts" not in seen
    assert "uid" not in seen
    assert editor.left() == []


def test_on_a_terminal_edit_opens_the_editor_by_itself(fraud: Cli, editor: Editor) -> None:
    command = editor.does("path.write_text(text.replace('the first', 'on a terminal'))")
    answer: Answer = on_terminal("-R", fraud.registry, "edit", "fraud:1", env={"EDITOR": command})
    assert answer.code == 0
    assert fraud.json("show", "fraud:1")["version"]["metadata"]["description"] == "on a terminal"


def test_visual_goes_before_editor(fraud: Cli, editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    command = editor.does("path.write_text(text.replace('the first', 'visual'))")
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", command)
    fraud.ok("edit", "fraud:1", "--editor")


@pytest.mark.parametrize(
    ("command", "said"),
    [("false", "ended with 1"), ("no-such-editor-here", "cannot be run"), ("'unclosed", "cannot be run")],
)
def test_an_editor_that_fails_changes_nothing_and_leaves_nothing(
    fraud: Cli, editor: Editor, command: str, said: str
) -> None:
    editor.named(command)
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 2
    assert said in answer.err
    assert fraud.json("log", "fraud:1")["revisions"][1:] == []
    assert editor.left() == []


def kept_in(answer: Answer) -> Path:
    found = re.search(r"what you typed is kept in (\S+)", answer.err)
    assert found, answer.err
    return Path(found[1])


def test_an_editor_that_fails_after_saving_keeps_what_was_typed(fraud: Cli, editor: Editor) -> None:
    editor.does("path.write_text(text + '# typed\\n'); sys.exit(3)")
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 2
    assert "# typed" in kept_in(answer).read_text()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("path.write_text(text + '[metrics\\n')", "not TOML"),
        ("path.write_text('metrics = 3\\n')", "metrics: expected a table"),
        ("path.write_text('uid = \"x\"\\n')", "uid: written by the tool"),
        ("path.write_bytes(b'\\xff\\xfe')", "not UTF-8"),
        ("path.write_text(text + '# ' + 'x' * 70_000)", "holds at most"),
    ],
)
def test_a_text_that_is_refused_is_kept_and_can_be_handed_in_again(
    fraud: Cli, editor: Editor, body: str, said: str
) -> None:
    editor.does(body)
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 8
    assert said in answer.err
    kept = kept_in(answer)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text('#: a line of ours\n# a line of mine\ndescription = "mended"\n')
    fraud.ok("edit", "fraud:1", "--metadata", kept)
    written = (fraud.registry / "models/fraud/1@1.toml").read_text()
    assert "# a line of mine" in written
    assert "#:" not in written


def test_a_conflict_shows_both_and_loses_nothing(fraud: Cli, editor: Editor) -> None:
    # Somebody else's edit arrives while the editor is open.
    other = (
        "import stackroom\n"
        f"registry = stackroom.open({str(fraud.registry)!r})\n"
        "registry.edit('fraud:1', stackroom.Edit(put={'team': 'theirs'}))\n"
        "path.write_text(text.replace('the first', 'mine'))\n"
    )
    editor.does(other)
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 6
    assert "team: - -> theirs" in answer.err
    assert "description: the first -> mine" in answer.err
    assert 'description = "mine"' in kept_in(answer).read_text()
    said = stackroom.open(fraud.registry).version("fraud:1").record
    assert (said.team, said.description) == ("theirs", "the first")


def test_the_place_of_a_kept_text_is_in_the_json_error(fraud: Cli, editor: Editor) -> None:
    editor.does("path.write_text('metrics = 3\\n')")
    assert Path(fraud.json("edit", "fraud:1", "--editor")["error"]["kept"]).is_file()


def test_an_interrupt_keeps_what_was_typed(editor: Editor) -> None:
    editor.does("path.write_text('typed')")
    with pytest.raises(KeyboardInterrupt) as caught, edited("before", ".md"):
        raise KeyboardInterrupt
    assert editor.left()[0].read_text() == "typed"
    assert str(editor.left()[0]) in caught.value.__notes__[0]


def test_a_user_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    assert read_user_file(str(path), 4) == b"1234"
    with pytest.raises(InvalidInputError, match="more than 3 bytes"):
        read_user_file(str(path), 3)
    with pytest.raises(NotFoundError):
        read_user_file(str(tmp_path / "missing"), 3)
    with pytest.raises(InvalidInputError, match="directory"):
        read_user_file(str(tmp_path), 3)
    with pytest.raises(InvalidInputError, match="null"):
        read_user_file("a\0b", 3)


def test_edited_without_an_editor_says_what_to_set(editor: Editor) -> None:
    editor.named("no-such-editor-here")
    with pytest.raises(UsageError) as caught, edited("x", ".toml"):
        pass
    assert "$EDITOR" in caught.value.hint


@pytest.mark.parametrize("left", ["", "  \n\n", "#: a\n#: b\n"])
def test_a_text_that_was_emptied_is_a_change_of_mind(fraud: Cli, editor: Editor, left: str) -> None:
    editor.does(f"path.write_text({left!r})")
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 8
    assert "nothing was changed: the text is empty" in answer.err
    assert fraud.json("show", "fraud:1")["version"]["metadata"]["description"] == "the first"


def test_emptying_leaves_no_file_unless_a_comment_was_typed(editor: Editor) -> None:
    for body, left in (("path.write_text('# ours\\n')", 0), ("path.write_text('# mine\\n')", 1)):
        editor.does(body)
        with pytest.raises(InvalidInputError, match="the text is empty"), edited("# ours\nteam = 'x'\n", ".toml"):
            pass
        assert len(editor.left()) == left


def test_a_text_that_was_empty_may_stay_so_and_a_heading_is_no_comment(editor: Editor) -> None:
    editor.does("path.write_text(text.replace('x', ''))")
    with edited("# ours\n", ".toml") as text:
        assert text == "# ours\n"
    with edited("# card\nx", ".md") as text:
        assert text == "# card\n"


@pytest.mark.parametrize("put", ["", "path.mkdir()", "import os; os.mkfifo(path)", "path.symlink_to('nowhere')"])
def test_an_editor_that_leaves_no_file_is_told_and_nothing_is_said_to_be_kept(
    fraud: Cli, editor: Editor, put: str
) -> None:
    editor.does(f"path.unlink()\n{put}\n")
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 2
    assert "nothing was changed: the editor left no file" in answer.err
    assert "kept" not in answer.err
