"""Something is done to one version or many: what is asked first, how far it is, and a report that hides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stackroom.core.names import parse_ref
from stackroom.core.show import count
from stackroom.core.tagging import tag_change
from stackroom.errors import RegistryError, UsageError
from stackroom.tui.bulk import Answers, Outcome, outcomes, tags_told
from stackroom.tui.commands import common_start
from stackroom.tui.present import bulk as report
from stackroom.tui.present.edit import completed, values_in_use
from stackroom.tui.screens.report import ReportPage
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.tui.background import Task
    from stackroom.tui.bulk import Bulk
    from stackroom.tui.widgets.prompt import Question

_LABELS = {"tags": "tags, - takes away:", "confirm": "type {wanted} to confirm:", "reason": "reason:"}


class BulkPage(ReportPage):
    """Something to do, and what came of it.

    Args:
        bulk: what, and to what.
        given: answers that were typed already, by what was asked.
    """

    def __init__(self, bulk: Bulk, given: Mapping[str, str] | None = None) -> None:
        super().__init__(report.COLUMNS)
        self.bulk = bulk
        self._given = dict(given or {})
        self._answers = Answers()
        self._left = list(bulk.asks)
        self._outcomes: list[Outcome | None] = [None] * len(bulk.refs)
        self._working = self._written = False

    def on_mount(self) -> None:
        """What would come of it, and the first question."""
        self._show()
        self.set_focus(self._table, scroll_visible=False)
        if "tags" not in self.bulk.asks:
            self._judge()
        self._ask_next()

    @property
    def working(self) -> bool:
        """Whether it is being done."""
        return self._working

    def steps(self) -> Sequence[str]:
        """What is done to how many."""
        refs = self.bulk.refs
        return [self.bulk.title, refs[0] if len(refs) == 1 else count(len(refs), "version")]

    def facts(self) -> Sequence[str]:
        """How many came out how."""
        return report.tally(self.bulk, self._outcomes, written=self._written and not self._working)

    def _show(self) -> None:
        self._table.set_rows(report.rows(self.bulk, self._outcomes, self.browser.glyphs, working=self._working))
        self.show_bars()

    # ---- what is asked

    def _ask_next(self) -> None:
        """The next question; without any, it is done."""
        if not self._left:
            self._run()
            return
        asked = self._left[0]
        label = _LABELS[asked].format(wanted=self.bulk.wanted)
        self.ask("=", self._given.pop(asked, ""), label)

    def typed(self, question: Question, text: str) -> None:
        """Tags show what they would make of each."""
        if question != "=":
            super().typed(question, text)
        elif self._left and self._left[0] == "tags":
            try:
                change = tag_change(text)
            except RegistryError as error:
                if text:
                    self.complain(error)
                return
            self.say("")
            self._preview(change.applied)

    def _preview(self, applied: Any) -> None:  # noqa: ANN401  # tags to tags
        """From what is known of them, without the disk."""
        for place, ref in enumerate(self.bulk.refs):
            tags = self._tags_of(ref)
            after = applied(tags)
            same = Outcome(kind="same", told="it is so already")
            would = Outcome(kind="would", told=tags_told(tags, after))
            self._outcomes[place] = same if after == list(tags) else would
        self._show()

    def _tags_of(self, ref: str) -> tuple[str, ...]:
        parsed = parse_ref(ref)
        model = self.browser.picture.models.get(parsed.model)
        if model is None:
            return ()
        version = model.version(parsed.number) if parsed.number is not None else None
        return version.record.tags if version else () if parsed.number is not None else model.record.tags

    def entered(self, question: Question, text: str) -> None:
        """An answer; one that cannot be taken stays in the line, with the reason."""
        if question != "=":
            super().entered(question, text)
            return
        try:
            self._take(self._left[0], text)
        except RegistryError as error:
            self.complain(error)
            return
        asked = self._left.pop(0)
        self.close_prompt()
        self.say("")
        if asked == "tags":
            self._judge()
        self._ask_next()

    def _take(self, asked: str, text: str) -> None:
        if asked == "tags":
            self._answers = replace(self._answers, tags=tag_change(text))
        elif asked == "reason":
            self._answers = replace(self._answers, reason=text.strip())
        elif text.strip() != self.bulk.wanted:
            raise UsageError(f"type {self.bulk.wanted} to confirm, or esc")

    def complete(self, question: Question, text: str) -> None:
        """Tags that are in use."""
        if question != "=":
            super().complete(question, text)
        elif self._left[0] == "tags":
            known = values_in_use(self.browser.picture.models.values(), ("tags",))
            lines = completed(text, known, items=True)
            if lines:
                self.prompt.put(common_start(lines))
            self.say("  ".join(line.rpartition(", ")[2] for line in lines[:12]) if lines else "no tag begins so")

    # ---- doing it

    def _judge(self) -> None:
        """What would come of it, by the registry's own word; nothing is written."""
        self._start("judge", dry_run=True)

    def _run(self) -> None:
        if self._written:
            return
        self.work.cancel("judge")
        self._outcomes = [None] * len(self.bulk.refs)
        self._working = self._written = True
        self._show()
        self._start("run", dry_run=False)

    def _start(self, name: str, *, dry_run: bool) -> None:
        registry, bulk, answers, stop = self.browser.registry, self.bulk, self._answers, self._stop

        def work(task: Task) -> list[Outcome]:
            found: list[Outcome] = []
            given_up = stop.is_set if not dry_run else lambda: task.cancelled
            for outcome in outcomes(registry, bulk, answers, dry_run=dry_run, given_up=given_up):
                found.append(outcome)
                task.report(list(found))
            return found

        self.work.run(name, work)

    def progressed(self, name: str, latest: dict[str, Any]) -> None:
        """So many are done."""
        self._take_outcomes(latest[""])
        if name == "run":
            self.say(f"{len(latest[''])} of {len(self.bulk.refs)}, esc stops after this one")

    def _take_outcomes(self, found: Sequence[Outcome]) -> None:
        self._outcomes = [*found, *([None] * (len(self.bulk.refs) - len(found)))]
        self._show()

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """All of them, or as many as were done before it was given up."""
        self._working = self._working and name != "run"
        self._take_outcomes(value)
        if name == "judge" and not any(outcome.kind == "would" for outcome in value):
            if self.prompt.question == "=":
                self.close_prompt()
            self.say("there is nothing that can be done; w asks all the same", tone="warn")
        if name == "run":
            given_up = len(value) < len(self.bulk.refs)
            self.say("stopped" if given_up else "finished", tone="warn" if given_up else "good")
            self.browser.read_own({parse_ref(ref).model for ref in self.bulk.refs})

    # ---- keys

    def do_write(self) -> None:
        """Ask what is still to be asked."""
        if self._written:
            self.say("it was done; q goes back" if not self._working else "it is being done", tone="warn")
        else:
            self._ask_next()

    def do_details(self) -> None:
        """The cursor's line in full."""
        ref = self._table.cursor_key
        outcome = self._outcomes[self.bulk.refs.index(ref)] if ref in self.bulk.refs else None
        if ref is not None and outcome is not None:
            lines = [(Cell(ref, "strong"),), (Cell(outcome.told),), (Cell(outcome.hint, "dim"),)]
            self.browser.show_text(ref, lines)
