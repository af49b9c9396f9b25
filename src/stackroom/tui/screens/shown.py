"""What stands in the two lists of the first screen: which rows, in which order, past which filter.

A filter is typed on lists of a hundred thousand rows. So the order is worked out when the rows change and not when the
filter does; what a filter looks at is worked out once for each row; a filter that was typed on looks only at what the
one before let pass; and what takes longer than a few milliseconds is done in slices, between which keys are answered.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from stackroom.store.fields import VersionFields
from stackroom.tui.present import models as model_list
from stackroom.tui.present import versions as version_list
from stackroom.tui.present.filtering import Filter, Searchable, searchable
from stackroom.tui.screens.lists import View, sortable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stackroom.store.records import Model, Version
    from stackroom.tui.app import Browser
    from stackroom.tui.widgets.columns import Column
    from stackroom.tui.widgets.line_table import LineTable, Row

_SLICE_SECONDS: Final = 0.008
"""Of filtering at once."""

_PAUSE_SECONDS: Final = 0.001
"""Between two slices."""

_LOOK_EVERY: Final = 64
"""Rows between two looks at the clock."""

_SHOW_SECONDS: Final = 0.3
"""After which what was found so far is shown."""

_KEPT: Final = 100_000
"""Rows of which is kept what a filter looks at: of a version some 100 bytes, and its text once a word was looked for;
of a model all fields, some 1.5 KB. Of longer lists the texts alone are."""


@dataclass(slots=True)
class _Sieve:
    """One run of a filter over the rows."""

    wanted: Filter
    keys: Sequence[str]
    keep_gone: bool
    looked: int = 0
    shown_at: float = field(default_factory=time.perf_counter)
    found: list[str] = field(default_factory=list)


class Shown(ABC):
    """One list, filled.

    Attributes:
        view: how it is shown.
        keys: of the rows that are shown, in their order; a list may be a long one, and is not copied.
        count: of the rows that pass the filter; those that always stand there are none of them.

    Args:
        table: that is filled.
        view: how it is shown.
        tell: is called when there is something new to say about a filter that takes its time.
    """

    def __init__(self, table: LineTable, view: View, tell: Callable[[], None]) -> None:
        self.view = view
        self.keys: Sequence[str] = ()
        self.count = 0
        self._table = table
        self._tell = tell
        self._keys: Sequence[str] = ()
        self._always: Sequence[str] = ()
        self._row_of: Callable[[str], Row] | None = None
        self._fields_of: Callable[[str], Mapping[str, Any]] = _no_fields
        self._rows: dict[str, Searchable] = {}
        self._texts: dict[str, str] = {}
        self._sieve: _Sieve | None = None
        self._passed: _Sieve | None = None

    @abstractmethod
    def fill(self, app: Browser, *, archived: bool, keep_gone: bool = False) -> None:
        """Show what is known now.

        Args:
            app: with the picture.
            archived: whether the archived ones are shown, too.
            keep_gone: as in :meth:`LineTable.set_lazy_rows`.
        """

    @property
    def busy(self) -> str:
        """How far a filter is that takes its time, or nothing."""
        sieve = self._sieve
        return "" if sieve is None else f"looked at {100 * sieve.looked // max(1, len(sieve.keys))}%"

    def forget(self) -> None:
        """The rows are others now: what a filter looks at has to be worked out anew."""
        self._rows, self._texts, self._passed = {}, {}, None

    def filter(self, text: str) -> None:
        """Another filter."""
        self.view.filter = Filter(text)
        self._table.set_empty("nothing matches the filter" if self.view.filter else self.view.empty)
        self._sift(keep_gone=False)

    def _put(
        self,
        keys: Sequence[str],
        row_of: Callable[[str], Row],
        fields_of: Callable[[str], Mapping[str, Any]],
        *,
        keep_gone: bool,
        always: Sequence[str] = (),
    ) -> None:
        """All rows in their order; those that pass the filter are shown, after those that always are."""
        self._keys, self._row_of, self._fields_of, self._always = keys, row_of, fields_of, always
        self._passed = None
        self._table.set_empty("nothing matches the filter" if self.view.filter else self.view.empty)
        self._sift(keep_gone=keep_gone)

    def _sift(self, *, keep_gone: bool) -> None:
        wanted, before = self.view.filter, self._passed
        self._sieve = None
        if not wanted:
            self._passed = None
            self._show(self._keys, keep_gone=keep_gone)
            return
        keys = before.found if before is not None and wanted.narrows(before.wanted) else self._keys
        self._sieve = _Sieve(wanted, keys, keep_gone)
        self._go_on(self._sieve, first=True)

    def _go_on(self, sieve: _Sieve, *, first: bool = False) -> None:
        """Look at rows for the length of a slice; later at more, unless the filter is another one by then."""
        if sieve is not self._sieve:
            return
        end = time.perf_counter() + _SLICE_SECONDS
        keys, total = sieve.keys, len(sieve.keys)
        while sieve.looked < total and time.perf_counter() < end:
            part = keys[sieve.looked : sieve.looked + _LOOK_EVERY]
            sieve.found += self._passing(part, sieve.wanted)
            sieve.looked += len(part)
        done, now = sieve.looked >= total, time.perf_counter()
        if done:
            self._sieve, self._passed = None, sieve
        if done or now - sieve.shown_at > _SHOW_SECONDS:
            sieve.shown_at = now
            self._show(sieve.found if done else list(sieve.found), keep_gone=sieve.keep_gone)
            if not (done and first):
                self._tell()
        if not done:
            # By a timer: what is merely called later is called before this widget lets anybody else do something.
            self._table.set_timer(_PAUSE_SECONDS, partial(self._go_on, sieve))

    def _passing(self, keys: Sequence[str], wanted: Filter) -> list[str]:
        rows, passes = self._rows, wanted.passes
        return [key for key in keys if passes(rows.get(key) or self._searchable(key, wanted))]

    def _searchable(self, key: str, wanted: Filter) -> Searchable:
        text = self._texts.get(key)
        if text is not None and not wanted.needs_fields:
            return Searchable({}, text)
        made = searchable(self._fields_of(key))
        if len(self._rows) < _KEPT:
            self._rows[key] = made
        elif wanted.needs_text:
            self._texts[key] = made.text
        return made

    def _find_sort(self, columns: Sequence[Column], otherwise: View) -> None:
        """The column that is sorted by, be it named without the words before its colon; another where there is none."""
        view = self.view
        found = [key for key in sortable(columns) if view.sort in {key, key.partition(":")[2]}]
        if found:
            view.sort = found[0]
        else:
            view.sort, view.descending = otherwise.sort, otherwise.descending

    def _show(self, keys: Sequence[str], *, keep_gone: bool) -> None:
        if self._row_of is not None:
            self.keys = shown = [*self._always, *keys] if self._always else keys
            self.count = len(keys)
            self._table.set_lazy_rows(shown, self._row_of, keep_gone=keep_gone, news=keep_gone)


class ShownModels(Shown):
    """The list of models."""

    def fill(self, app: Browser, *, archived: bool, keep_gone: bool = False) -> None:
        """All models, or those that are not archived."""
        registry, now, glyphs, view = app.registry, app.now, app.glyphs, self.view
        stages, policy = registry.stages, registry.policy
        known = [model for model in app.picture.models.values() if archived or not model.record.archived]
        view.total, view.hidden = len(known), len(app.picture.models) - len(known)
        columns = model_list.columns(stages)
        self._find_sort(columns, View(sort="model"))
        if columns != self._table.columns:
            self._table.set_columns(columns)
        self._table.set_sort(view.sort, descending=view.descending)
        ordered = model_list.sorted_models(known, view.sort, policy, descending=view.descending)
        if app.picture.ready:
            view.empty = f"no models yet: {app.key_of('new')} makes one"
        models = {str(model.name): model for model in ordered}
        self._put(
            list(models),
            lambda key: model_list.row(models[key], stages, policy, now, glyphs),
            lambda key: model_list.fields(models[key]),
            keep_gone=keep_gone,
        )


class ShownVersions(Shown):
    """The list of one model's versions.

    Attributes:
        model: whose.
    """

    model: Model | None = None

    def nothing(self, why: str) -> None:
        """There are none, and why."""
        self.view.total, self.view.hidden, self.view.empty, self.model = 0, 0, why, None
        self.keys, self.count, self._keys, self._passed, self._sieve = (), 0, (), None, None
        self._table.set_empty(why)
        self._table.set_rows([])

    def fill(self, app: Browser, *, archived: bool, keep_gone: bool = False) -> None:
        """All versions, or those that are not archived."""
        model, view = self.model, self.view
        if model is None:
            return
        policy, glyphs = app.registry.policy, app.glyphs
        known = [version for version in model.versions if archived or not version.archived]
        view.total, view.hidden = len(known), len(model.versions) - len(known)
        chosen = app.chosen_metrics
        self._find_sort(
            version_list.columns(model, policy, glyphs, chosen=chosen), View(sort="version", descending=True)
        )
        columns = version_list.columns(model, policy, glyphs, view.sort, chosen=chosen)
        if columns != self._table.columns:
            self._table.set_columns(columns)
        self._table.set_sort(view.sort, descending=view.descending)
        view.empty = f"no versions yet: {app.key_of('register')} registers one"
        ordered = version_list.sorted_versions(model, known, view.sort, descending=view.descending)
        rows = version_list.Rows(model, policy, app.now, glyphs, view.sort, chosen=chosen)
        versions: dict[str, Version] = {str(version.number): version for version in ordered}
        self._put(
            list(versions),
            rows.row,
            lambda key: VersionFields(versions[key]),
            keep_gone=keep_gone,
            always=version_list.missing_keys(model),
        )


def _no_fields(_key: str) -> Mapping[str, Any]:
    """Before there are any rows."""
    return {}
