"""Who one is here, and everything that is not as it should be, each with its remedy."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from stackroom.core.findings import SEVERITIES, worst_first
from stackroom.core.show import count
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present import doctor as found
from stackroom.tui.present import lists
from stackroom.tui.screens.mending import MendPage
from stackroom.tui.screens.overseen import OverseenPage
from stackroom.tui.screens.page import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual.binding import BindingType

    from stackroom.core.findings import Finding
    from stackroom.core.listing import Listing
    from stackroom.registry.facade import Registry
    from stackroom.registry.whoami import Caller
    from stackroom.tui.background import Task, Work
    from stackroom.tui.present.words import Line

Examined = tuple["Caller", list["Finding"]]
"""Who the caller is, and what was found."""


class DoctorBody(Body):
    """Holds the keys of the findings."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("doctor")]


class DoctorPage(OverseenPage):
    """The findings; they are as old as the last look, which ``r`` repeats: a walk through everything takes its time."""

    scope = "doctor"
    body_class = DoctorBody
    columns = found.COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self._caller: Caller | None = None
        self._findings: list[Finding] = []

    def steps(self) -> Sequence[str]:
        """It is about the whole registry."""
        return ["doctor"]

    def facts(self) -> Sequence[str]:
        """How many of each severity."""
        if self._caller is None:
            return []
        counts = Counter(one.severity for one in self._findings)
        told = [count(counts[one], one) for one in SEVERITIES if counts[one]]
        fixable = sum(one.fixable for one in self._findings)
        mends = f"f mends {fixable}" if fixable else ""
        return [*(told or ["healthy: nothing was found"]), mends, self.shown_fact]

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """What was found stays as it was found."""

    def reading(self) -> Work[Examined]:
        """A walk through everything."""
        registry = self.browser.registry

        def work(task: Task) -> Examined:
            return registry.whoami(), worst_first(_until_given_up(registry, task))

        return work

    def taken(self, value: Examined) -> None:
        """All of it."""
        self._caller, self._findings = value
        self.show_rows(found.rows(self._caller, self._findings), "nothing was found")

    def _finding(self) -> Finding | None:
        key = self.table.cursor_key or ""
        return self._findings[int(key)] if key.isdigit() else None

    def more(self, key: str) -> list[Line]:
        """One finding, or the caller, in short."""
        finding = self._finding() if key.isdigit() else None
        if finding is not None:
            return found.short(finding)
        return found.about_you(self._caller)[:5] if self._caller else []

    def listing(self, keys: Sequence[str]) -> Callable[[], Listing]:
        """What was found."""
        return partial(lists.of_findings, [self._findings[int(key)] for key in keys if key.isdigit()])

    def do_fix(self) -> None:
        """Show what would be mended, and ask."""
        if self._caller is None:
            self.say("still reading", tone="warn")
        elif not any(one.fixable for one in self._findings):
            self.say("nothing here is yours to mend; enter says who can", tone="warn")
        else:
            self.app.push_screen(MendPage(self._findings, self.read_again))

    def do_details(self) -> None:
        """One finding, or the caller, in full."""
        finding = self._finding()
        if finding is not None:
            self.browser.show_text(finding.kind, found.full(finding))
        elif self._caller is not None:
            self.browser.show_text("you", found.about_you(self._caller))

    def do_copy(self) -> None:
        """The command that helps; else the place."""
        finding = self._finding()
        if finding is not None:
            self.browser.copy(finding.command or finding.place or ".")
        else:
            self.browser.copy("stackroom doctor")


def _until_given_up(registry: Registry, task: Task) -> Iterator[Finding]:
    """The findings, counted as they come, for as long as somebody waits."""
    for number, finding in enumerate(registry.examine(), 1):
        if task.cancelled:
            return
        task.report(f"examining: {count(number, 'finding')}")
        yield finding
