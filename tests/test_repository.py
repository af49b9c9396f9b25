"""What is committed, and what may not be: the repository as somebody finds it who clones it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ROOT = Path(__file__).resolve().parents[1]

TOP_LEVEL = frozenset(
    [
        ".ci",
        ".gitattributes",
        ".github",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "constraints.txt",
        "docs",
        "pyproject.toml",
        "sample_registry",
        "src",
        "tests",
    ]
)

# Put together here, so that this file does not contain what it looks for.
HOSTS = tuple(
    "".join(parts).encode()
    for parts in [
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("py", "pi.python.org"),
        ("deb.", "debian.org"),
        ("ftp.", "debian.org"),
        ("security.", "debian.org"),
        ("snapshot.", "debian.org"),
        ("archive.", "ubuntu.com"),
        ("releases/", "download"),
        ("objects.", "githubusercontent.com"),
        ("raw.", "githubusercontent.com"),
        ("conda.", "anaconda.org"),
        ("hf-mirror", ".com"),
        ("--find", "-links"),
        ("--index", "-url"),
        ("--extra-index", "-url"),
    ]
)


def committed_files() -> list[Path]:
    """Relative paths of what git tracks; skips where there is no git to ask, as in an unpacked archive."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git repository to ask")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]


def content_of(path: Path) -> bytes:
    """What git keeps of a path: the bytes of a file, the text of a symlink, nothing of what is deleted."""
    if path.is_symlink():
        return os.fsencode(os.readlink(path))
    return path.read_bytes() if path.is_file() else b""


def test_no_committed_file_names_a_package_index_or_a_download_host() -> None:
    named = []
    for name in committed_files():
        content = content_of(ROOT / name).lower()
        named += [f"{name}: {host.decode()}" for host in HOSTS if host in content]
    assert not named


def test_the_top_level_holds_what_a_reader_expects_and_nothing_else() -> None:
    assert {name.parts[0] for name in committed_files()} <= TOP_LEVEL


def test_no_lock_file_is_committed() -> None:
    locks = {"uv.lock", "poetry.lock", "pylock.toml", "Pipfile.lock"}
    assert not [name for name in committed_files() if name.name in locks]


def test_every_pinned_requirement_has_its_hashes_and_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    requirements = text.replace("\\\n", " ").splitlines()
    pinned = [line for line in requirements if line and not line.lstrip().startswith("#")]
    assert pinned
    assert not [line for line in pinned if "==" not in line or "--hash=sha256:" not in line]


@pytest.mark.parametrize("needle", [".venv/bin/pytest", "stackroom sample_registry"])
def test_the_readme_prints_one_command_that_does_it(needle: str) -> None:
    script = ROOT / ".ci" / "readme_command.py"
    done = subprocess.run([sys.executable, script, needle], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert needle in done.stdout


def test_the_sample_registry_of_the_readme_is_there() -> None:
    assert (ROOT / "sample_registry" / "registry.toml").is_file()
    assert any((ROOT / "sample_registry" / "models").iterdir())


def test_the_changelog_has_a_place_for_the_next_change() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_check_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
