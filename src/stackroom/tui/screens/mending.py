"""What doctor found is mended: what would be done first, then the word that confirms it, then what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from stackroom.errors import UsageError
from stackroom.tui.present import mending as report
from stackroom.tui.screens.report import ReportPage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stackroom.core.findings import Finding
    from stackroom.registry.mending import Repair
    from stackroom.tui.background import Task
    from stackroom.tui.widgets.prompt import Question

_WORD: Final = "fix"
"""What is typed to confirm."""

_WHY_NOT: Final = {
    "looking": "still looking at what would be done",
    "working": "it is being done",
    "done": "it was done; q goes back",
}
"""Why nothing is asked: what is confirmed has to be on the screen, and is done once."""


class MendPage(ReportPage):
    """Findings that the caller may have mended, just as ``doctor --fix`` mends them.

    Args:
        findings: all that were found; what may not be mended is left out.
        done: is called once something was written.
    """

    def __init__(self, findings: Sequence[Finding], done: Callable[[], None]) -> None:
        super().__init__(report.COLUMNS, empty="looking …")
        self._findings = tuple(one for one in findings if one.fixable)
        self._done = done
        self._repairs: list[Repair] = []
        self._written = 0
        self._state: Literal["looking", "asking", "working", "done"] = "looking"

    def on_mount(self) -> None:
        """What would be done."""
        self.set_focus(self._table, scroll_visible=False)
        self._start("judge", dry_run=True)

    @property
    def working(self) -> bool:
        """Whether something is being mended."""
        return self._state == "working"

    def steps(self) -> Sequence[str]:
        """Where this is."""
        return ["doctor", "fix"]

    def facts(self) -> Sequence[str]:
        """How many came out how."""
        return report.tally(self._repairs, written=self._written) if self._repairs else []

    def _show(self) -> None:
        self._table.set_rows(report.rows(self._repairs, written=self._written))
        self.show_bars()

    def _start(self, name: str, *, dry_run: bool) -> None:
        registry, findings, stop = self.browser.registry, self._findings, self._stop

        def work(task: Task) -> list[Repair]:
            found: list[Repair] = []
            for repair in registry.fix(findings, dry_run=dry_run):
                found.append(repair)
                task.report(list(found))
                if stop.is_set():
                    break
            return found

        self.work.run(name, work)

    # ---- asking

    def _ask(self) -> None:
        self.ask("=", "", f"type {_WORD} to confirm:")

    def entered(self, question: Question, text: str) -> None:
        """The word that confirms; any other stays in the line, with the reason."""
        if question != "=":
            super().entered(question, text)
        elif text.strip() != _WORD:
            self.complain(UsageError(f"type {_WORD} to confirm, or esc"))
        elif self._state == "asking":
            self.close_prompt()
            self.say("")
            self._state = "working"
            self._start("run", dry_run=False)

    # ---- doing it

    def _take(self, name: str, found: Sequence[Repair]) -> None:
        if name == "run":
            self._written = len(found)
            self._repairs = [*found, *self._repairs[len(found) :]]
        else:
            self._repairs = list(found)
        self._show()

    def progressed(self, name: str, latest: dict[str, Any]) -> None:
        """So many are done."""
        self._take(name, latest[""])

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """What would be done, or was."""
        self._take(name, value)
        if name == "judge":
            self._state = "asking"
            self._ask()
            return
        self._state = "done"
        failed = sum(not one.done for one in value)
        self.say(
            "stopped" if len(value) < len(self._repairs) else f"finished, {failed} failed" if failed else "finished",
            tone="warn" if failed or len(value) < len(self._repairs) else "good",
        )
        self._done()
        self.browser.read()

    # ---- keys

    def do_write(self) -> None:
        """Ask again."""
        if self._state == "asking":
            self._ask()
        else:
            self.say(_WHY_NOT[self._state], tone="warn")

    def do_details(self) -> None:
        """The cursor's line in full."""
        key = self._table.cursor_key
        if key is not None and int(key) < len(self._repairs):
            one = self._repairs[int(key)]
            self.browser.show_text(one.finding.kind, report.full(one))
