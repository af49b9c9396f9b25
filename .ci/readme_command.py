"""Print the one command of README.md that contains a text, exactly as it stands there.

Only what stands in a fenced block counts; a line that ends in a backslash goes on, a prompt ``$ `` is taken away.
"""

from __future__ import annotations

import sys
from pathlib import Path


def commands(text: str) -> list[str]:
    """The command lines of all fenced blocks."""
    found: list[str] = []
    fenced = continued = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced, continued = not fenced, False
        elif fenced and continued:
            found[-1] += "\n" + line
            continued = line.endswith("\\")
        elif fenced:
            found.append(line.strip().removeprefix("$ "))
            continued = line.endswith("\\")
    return found


def main() -> int:
    """Print the command that contains the first argument; 1 if there is none or more than one."""
    needle = sys.argv[1]
    readme = Path(__file__).resolve().parents[1] / "README.md"
    matching = [command for command in commands(readme.read_text(encoding="utf-8")) if needle in command]
    if len(matching) != 1:
        sys.stderr.write(f"README.md prints {len(matching)} commands with {needle!r}; one was expected\n")
        return 1
    sys.stdout.write(matching[0] + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
