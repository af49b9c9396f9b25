"""The round trip through an editor: what comes back is written, and what was typed is never lost."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import stat
import sys
import tempfile
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stackroom
from cli.calling import on_terminal, process
from stackroom.cli.main import run
from stackroom.errors import InvalidInputError, NotFoundError, UsageError
from stackroom.store.userfiles import edited, read_user_file
from support.registries import ALICE, EVE, artifacts, shared, tree
from support.users import run_as

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
    assert "team\n  base    -\n  theirs  theirs\n  mine    -\n" in answer.err
    assert "description\n  base    the first\n  theirs  the first\n  mine    mine\n" in answer.err
    assert "theirs: revision 1 by " in answer.err
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


# --- two people at once


def meanwhile(fraud: Cli, then: str, **put: str) -> str:
    """An editor in whose time somebody else sets fields of fraud:1, and which then does something itself."""
    return (
        "import stackroom\n"
        f"registry = stackroom.open({str(fraud.registry)!r})\n"
        f"registry.edit('fraud:1', stackroom.Edit(put={put!r}, reason='quick'))\n"
        f"{then}\n"
    )


def test_a_conflict_in_json_carries_base_theirs_and_mine(fraud: Cli, editor: Editor) -> None:
    editor.does(meanwhile(fraud, "path.write_text(text.replace('the first', 'mine'))", team="x", description="theirs"))
    error = fraud.json("edit", "fraud:1", "--editor")["error"]
    assert (error["what"], error["mergeable"], error["exit_code"]) == ("metadata", False, 6)
    assert (error["base"]["revision"], error["theirs"]["revision"], error["theirs"]["reason"]) == (0, 1, "quick")
    assert error["theirs"]["owner"]["uid"] == error["base"]["owner"]["uid"]
    assert error["fields"] == [
        {"field": "description", "base": "the first", "theirs": "theirs", "mine": "mine", "clash": True},
        {"field": "team", "base": None, "theirs": "x", "mine": None, "clash": False},
    ]


def test_a_kept_text_cannot_undo_what_others_wrote_and_goes_on_top_of_it_where_that_is_asked(
    fraud: Cli, editor: Editor
) -> None:
    editor.does(meanwhile(fraud, "path.write_text(text.replace('the first', 'mine') + '# why\\n')", team="theirs"))
    answer = fraud("edit", "fraud:1", "--editor")
    kept = kept_in(answer)
    assert "--merge" in answer.err
    again = fraud("edit", "fraud:1", "--metadata", kept)
    assert again.code == 6
    assert kept.exists()
    merged = fraud.ok("edit", "fraud:1", "--metadata", kept, "--merge")
    assert "on top of revision 1 by" in merged.err
    said = fraud.json("show", "fraud:1")["version"]["metadata"]
    assert (said["description"], said["team"]) == ("mine", "theirs")


def test_a_kept_text_that_clashes_is_opened_again_with_what_the_others_changed(fraud: Cli, editor: Editor) -> None:
    theirs = {"description": "theirs", "team": "risk"}
    editor.does(meanwhile(fraud, "path.write_text(text.replace('the first', 'mine') + '# why')", **theirs))
    kept = kept_in(fraud("edit", "fraud:1", "--editor"))
    assert fraud("edit", "fraud:1", "--metadata", kept, "--merge").code == 6
    seen = kept.parent / "seen"
    editor.does("pass")
    assert "nothing was changed" in fraud.ok("edit", "fraud:1", "--metadata", kept, "--editor").err
    assert kept.exists()
    editor.does(f"pathlib.Path({str(seen)!r}).write_text(text); path.write_text(text.replace('mine', 'both'))")
    fraud.ok("edit", "fraud:1", "--metadata", kept, "--editor")
    assert "description: was the first, " in seen.read_text()
    assert "made it theirs, and you mine" in seen.read_text()
    said = fraud.json("show", "fraud:1")["version"]["metadata"]
    assert (said["description"], said["team"]) == ("both", "risk")
    assert "# why" in (fraud.registry / "models/fraud/1@2.toml").read_text()


def test_a_text_that_was_kept_of_another_version_is_refused(fraud: Cli, editor: Editor) -> None:
    editor.does("path.write_text(text + '[metrics')")
    kept = kept_in(fraud("edit", "fraud:1", "--editor"))
    kept.write_text(kept.read_text().removesuffix("[metrics"))
    answer = fraud("edit", "fraud:2", "--metadata", kept)
    assert answer.code == 2
    assert "is an edit of fraud:1" in answer.err


def test_on_a_terminal_a_person_may_put_the_edit_on_top(fraud: Cli, editor: Editor) -> None:
    command = editor.does(meanwhile(fraud, "path.write_text(text.replace('the first', 'mine'))", team="theirs"))
    env = {"EDITOR": command}
    answer = on_terminal("-R", fraud.registry, "edit", "fraud:1", env=env, answer_to=(b"[y/N]", b"y\n"))
    assert answer.code == 0, answer.out
    said = fraud.json("show", "fraud:1")["version"]["metadata"]
    assert (said["description"], said["team"]) == ("mine", "theirs")


def test_base_makes_an_edit_of_one_field_a_compare_and_swap(fraud: Cli) -> None:
    fraud.ok("edit", "fraud:1", "--set", "team=a", "--base", "0")
    assert fraud("edit", "fraud:1", "--set", "team=b", "--base", "0").code == 6
    fraud.ok("edit", "fraud:1", "--set", "license=MIT", "--base", "0", "--merge")
    assert fraud("edit", "fraud:1", "--set", "team=b", "--base", "9").code == 3
    assert fraud.json("show", "fraud:1")["version"]["metadata"]["team"] == "a"


# --- cards


def test_a_card_goes_through_the_editor(fraud: Cli, editor: Editor) -> None:
    editor.does("path.write_text(text.replace('Scores', 'Rates'))")
    assert fraud.ok("edit", "fraud:2", "--card").out == "fraud:2 1\n"
    assert "Rates payments" in fraud.json("show", "fraud:2")["card"]
    editor.does("path.write_text('# the first card\\n')")
    fraud.ok("edit", "fraud:1", "--card", "--reason", "it had none")
    fraud.ok("edit", "fraud", "--card")
    assert fraud.json("show", "fraud")["card"] == "# the first card\n"
    log = fraud.json("log", "fraud:1")
    assert [row["reason"] for row in log["revisions"]] == ["", "it had none"]
    assert [row["revision"] for row in log["cards"]] == [1]
    assert editor.left() == []


def test_a_conflict_of_cards_shows_both_keeps_mine_and_can_be_settled(fraud: Cli, editor: Editor) -> None:
    editor.does(
        "import stackroom\n"
        f"registry = stackroom.open({str(fraud.registry)!r})\n"
        "registry.edit('fraud:2', stackroom.Edit(card=text + 'theirs\\n'))\n"
        "path.write_text(text + 'mine\\n')\n"
    )
    answer = fraud("edit", "fraud:2", "--card")
    assert answer.code == 6
    assert "+theirs" in answer.err
    assert "+mine" in answer.err
    assert "--base 1" in answer.err
    kept = kept_in(answer)
    assert kept.read_text().endswith("mine\n")
    assert fraud("edit", "fraud:2", "--card", kept, "--base", "0").code == 6
    fraud.ok("edit", "fraud:2", "--card", kept, "--base", "1")
    fraud.ok("revert", "fraud:2", "--to", "1", "--card")
    assert fraud.json("show", "fraud:2")["card"].endswith("theirs\n")
    assert fraud("revert", "fraud:2", "--to", "9", "--card").code == 3


# --- whatever ends the command


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_after_the_editor_saved_keeps_what_was_typed(editor: Editor, number: signal.Signals) -> None:
    editor.does("path.write_text('typed')")
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as caught, edited("before", ".md"):
        signal.raise_signal(number)
    assert editor.left()[0].read_text() == "typed"
    assert str(editor.left()[0]) in caught.value.__notes__[0]
    assert signal.getsignal(number) is before


def test_who_is_told_to_end_tells_the_editor_and_keeps_what_it_saved(editor: Editor) -> None:
    editor.does(
        "import os, signal\n"
        "signal.signal(signal.SIGTERM, lambda *_: (path.write_text('saved on the way out'), sys.exit(0)))\n"
        "os.kill(os.getppid(), signal.SIGTERM)\n"
        "signal.pause()\n"
    )
    with pytest.raises(KeyboardInterrupt), edited("before", ".md"):
        pass
    assert editor.left()[0].read_text() == "saved on the way out"


def test_a_full_disk_keeps_what_was_typed(fraud: Cli, editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    editor.does("path.write_text(text.replace('the first', 'mine'))")
    monkeypatch.setattr("stackroom.store.folder.Folder.create", full)
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 8
    assert "no space left" in answer.err
    assert 'description = "mine"' in kept_in(answer).read_text()


def test_no_room_for_the_editors_own_file_is_said_before_anything_is_typed(
    fraud: Cli, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor.does("raise AssertionError")
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    answer = fraud("edit", "fraud:1", "--editor")
    assert answer.code == 8
    assert "cannot make a file for your text" in answer.err


@pytest.mark.parametrize(("option", "text"), [("--metadata", 'uid = "x"\n'), ("--card", "# x\n")])
def test_what_came_through_a_pipe_is_kept_where_it_cannot_be_written(fraud: Cli, option: str, text: str) -> None:
    fraud.ok("edit", "fraud:2", "--set", "team=x", "--card", fraud.registry.parent / "card.md", "--reason", "x")
    text = "team = 'y'\n" if option == "--metadata" else text
    argv = ("-R", fraud.registry, "edit", "fraud:2", option, "-", "--base", "-1" if option == "--card" else "0")
    answer = process(*argv, stdin=text)
    assert answer.code == 6, answer.err
    kept = kept_in(answer)
    assert kept.read_text() == text
    kept.unlink()


@pytest.mark.root
def test_who_may_not_edit_is_told_before_the_editor_opens(reachable_path: Path) -> None:
    path = shared(reachable_path)
    run_as(ALICE, lambda: put_version(path, reachable_path))
    answer = run_as(EVE, lambda: refused_edit(path))
    assert "you may not edit fraud:1" in answer


def put_version(path: Path, folder: Path) -> None:
    stackroom.open(path).register("fraud", artifacts(Path(tempfile.mkdtemp(dir=folder))))


def refused_edit(path: Path) -> str:
    os.environ["EDITOR"] = "no editor is opened"
    with redirect_stderr(io.StringIO()) as err:
        assert run(["-R", str(path), "edit", "fraud:1", "--editor"], lambda _: 0) == 4
    return err.getvalue()


# --- comments


def test_comments_survive_a_field_that_is_set_and_a_lost_one_is_told(fraud: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('# on top\nteam = "a" # beside\n\n[metrics]\nauc = 0.9 # by hand\n')
    fraud.ok("edit", "fraud:1", "--metadata", mine)
    assert "note:" not in fraud.ok("edit", "fraud:1", "--set", "metrics.auc=0.95", "--unset", "team").err
    written = (fraud.registry / "models/fraud/1@2.toml").read_text()
    assert "# on top\n" in written
    assert "auc = 0.95 # by hand\n" in written
    mine.write_text('tags = [ # why\n  "a",\n]\n')
    fraud.ok("edit", "fraud:1", "--metadata", mine)
    assert "1 comment not carried over" in fraud.ok("edit", "fraud:1", "--set", "tags=b").err


def test_an_edit_of_nothing_but_a_comment_is_kept(fraud: Cli, editor: Editor) -> None:
    editor.does("path.write_text(text + '# ask bo\\n')")
    assert "1 new comment" in fraud.ok("edit", "fraud:1", "--editor").err
    assert "# ask bo" in (fraud.registry / "models/fraud/1@1.toml").read_text()
    editor.does("path.write_text(text)")
    assert "nothing was changed" in fraud.ok("edit", "fraud:1", "--editor").err


@pytest.mark.parametrize("argv", [("--card",), ("--editor",), ()])
def test_without_a_terminal_no_editor_is_started_that_nobody_named(fraud: Cli, argv: tuple[str, ...]) -> None:
    before = tree(fraud.registry)
    answer = process("-R", fraud.registry, "edit", "fraud:1", *argv, env={"EDITOR": "", "VISUAL": ""})
    assert answer.code == 2
    assert "there is no terminal for an editor" in answer.err
    assert answer.out == ""
    assert tree(fraud.registry) == before


def test_log_tells_of_comments_as_the_edit_did(fraud: Cli, editor: Editor) -> None:
    editor.does("path.write_text(text + '# measured twice\\n')")
    edited = fraud.ok("edit", "fraud:1", "--editor")
    assert "1 new comment" in edited.err
    assert "1 new comment" in fraud.ok("log", "fraud:1").out
    fraud.ok("edit", "fraud:1", "--set", "team=x")
    newest = fraud.json("log", "fraud:1")["revisions"][-1]
    assert list(newest["changes"]) == ["team"]
