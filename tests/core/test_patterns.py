"""Regular expressions that are compiled late."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from stackroom.core.patterns import pattern

if TYPE_CHECKING:
    import pytest


def test_a_pattern_answers_as_the_compiled_one_and_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    real = re.compile

    def compiling(text: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(text)
        return real(text, flags)

    monkeypatch.setattr(re, "compile", compiling)
    late = pattern(r"(A+)b", re.IGNORECASE)
    assert compiled == []
    assert [found[1] for found in late.finditer("aab b Ab")] == ["aa", "A"]
    assert late.fullmatch("aabb") is None
    assert late.sub("-", "xaaby") == "x-y"
    assert late.groups == 1
    assert compiled == [r"(A+)b"]
    assert pattern(rb"(.)").findall(b"ab") == [b"a", b"b"]


def test_importing_compiles_no_expression_that_nobody_asks() -> None:
    """A list of models needs few of the expressions that its modules declare."""
    script = (
        "import re, stackroom.cli.main, stackroom.cli.commands.listing, stackroom.registry.listing\n"
        "from stackroom.core import canonical, query\n"
        "print(canonical._RUN._compiled, query._TOKEN._compiled)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["None", "None"]
