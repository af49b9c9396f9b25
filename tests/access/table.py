"""The table: who tries what on what, and what comes of it."""

from __future__ import annotations

from typing import Final

from access.holes import HOLES
from access.refusals import REFUSALS, RIGHTS

CELLS: Final = (*REFUSALS, *RIGHTS, *HOLES)
