"""README's tour, pasted into a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_tour_says_what_it_promises(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    tour = "\n".join(block for block in blocks if "tour" in block)
    lines = [line for line in tour.split("\n") if not line.startswith("source ")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash"],
        input="\n".join(lines),
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "accuracy is 0.903509; the guard 'not_worse accuracy' wants: >= 0.97307" in said
    assert "production/diabetes-progression@3" in done.stdout
    assert "my-first:1" in done.stdout
    assert "model.onnx: OK" in done.stdout
    assert (tmp_path / "served" / "model.onnx").is_file()
    assert done.returncode == 0
