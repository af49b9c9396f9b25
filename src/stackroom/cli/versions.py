"""Versions as rows: which columns a list of them has, and how a field is shown."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.words import MISSING, metric_text, time_text
from stackroom.core import show
from stackroom.core.metadata import iso
from stackroom.core.show import field_text
from stackroom.core.values import dataclass
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stackroom.cli.context import Context
    from stackroom.core.policy import Policy
    from stackroom.registry.listing import Line
    from stackroom.store.records import Version

_METRICS_SHOWN: Final = 4
"""Columns of metrics that nobody asked for by name: as many as fit beside the rest on 80 columns."""

FLAG: Final = "!"
"""Stands before a row that something is wrong with; the problems themselves go to stderr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column with what it shows of a version; ``exact`` where a program reads it."""

    column: Column
    show: Callable[[Version, bool], Piece]


def _sized(version: Version, exact: bool) -> str:  # noqa: FBT001 - both are told to every field alike
    if version.seal is None:
        return MISSING
    return str(version.seal.bytes) if exact else show.long_size(version.seal.bytes)


def _created(version: Version, exact: bool) -> str:  # noqa: FBT001 - the same
    return moment(version.created, exact=exact)


def moment(when: datetime | None, *, exact: bool) -> str:
    """A time: whole for a program, to the minute for people."""
    return MISSING if when is None else iso(when) if exact else time_text(when)


def iso_moment(when: str, *, exact: bool) -> str:
    """The same of a time that :func:`~stackroom.core.metadata.iso` wrote; nothing of an empty text."""
    return (when or MISSING) if exact else moment(datetime.fromisoformat(when) if when else None, exact=False)


def _state(version: Version, exact: bool) -> Piece:  # noqa: ARG001, FBT001 - the same
    return Styled(version.state, "green") if version.stages else version.state


def _flag(version: Version, exact: bool) -> Piece:  # noqa: ARG001, FBT001 - the same
    return flag(bool(version.problems))


def flag(problems: bool) -> Piece:  # noqa: FBT001 - it is the one thing that the sign tells
    """The sign for a row, or a blank."""
    return Styled(FLAG, "red") if problems else ""


_FIELDS: Final = {
    "flag": Field(column=Column(title=""), show=_flag),
    "ref": Field(column=Column(title="REF"), show=lambda version, _: str(version.ref)),
    "model": Field(column=Column(title="MODEL"), show=lambda version, _: version.model),
    "version": Field(column=Column(title="VERSION", right=True), show=lambda version, _: str(version.number)),
    "labels": Field(
        column=Column(title="LABELS", priority=5, least=6), show=lambda version, _: ", ".join(version.labels) or MISSING
    ),
    "state": Field(column=Column(title="STATE", priority=1, least=8), show=_state),
    "size": Field(column=Column(title="SIZE", right=True, priority=6), show=_sized),
    "created": Field(column=Column(title="CREATED", priority=4), show=_created),
    "by": Field(
        column=Column(title="BY", priority=3, least=6),
        show=lambda version, _: version.record.author or version.owner.label,
    ),
    "description": Field(
        column=Column(title="DESCRIPTION", priority=8, least=14),
        show=lambda version, _: version.record.description or MISSING,
    ),
    "tags": Field(
        column=Column(title="TAGS", priority=7, least=6),
        show=lambda version, _: ", ".join(version.record.tags) or MISSING,
    ),
    "path": Field(column=Column(title="PATH"), show=lambda version, _: version.folder),
}
_ALIASES: Final = {
    "label": "labels",
    "stage": "state",
    "stages": "state",
    "author": "by",
    "bytes": "size",
    "tag": "tags",
}


def metric_columns(policy: Policy, versions: Sequence[Version], mentioned: str = "") -> list[str]:
    """The metrics worth a column: those that the query or the order names, then the declared ones, then any."""
    present: dict[str, None] = {}
    for version in versions:
        present |= dict.fromkeys(version.metrics)
    return metric_names(policy, list(present), mentioned)


def metric_names(policy: Policy, present: Sequence[str], mentioned: str = "") -> list[str]:
    """The same of the names that there are, in the order in which they come."""
    asked = [name for name in present if name in mentioned]
    declared = [name for name in policy.metrics if name in present]
    ordered = dict.fromkeys([*asked, *declared, *(present if not declared else ())])
    return list(ordered)[: max(_METRICS_SHOWN, len(asked))]


def rows_of(
    versions: Sequence[Version], names: Sequence[str], *, exact: bool
) -> tuple[list[Column], list[list[Piece]]]:
    """The table of versions with the columns of those names.

    Raises:
        UsageError: no version has a field of that name.
    """
    fields = [_field(name, versions) for name in names]
    return [field.column for field in fields], [
        [field.show(version, exact) for field in fields] for version in versions
    ]


def is_metric(name: str) -> bool:
    """Whether a column of a metric's name shows that metric: some names mean another column."""
    return _ALIASES.get(name, name) not in _FIELDS and not name.startswith("metrics.")


def _field(name: str, versions: Sequence[Version]) -> Field:
    known = _FIELDS.get(_ALIASES.get(name, name))
    if known:
        return known
    metric = name.removeprefix("metrics.")
    if any(metric in version.metrics for version in versions):
        column = Column(title=metric.upper(), right=True, priority=2)
        return Field(column=column, show=lambda version, exact: _metric(version, metric, exact=exact))
    found = [value_of(version.fields(), name) for version in versions]
    if versions and all(value is None for value in found):
        import difflib  # noqa: PLC0415 - only for the one who mistyped

        everything = sorted({*_FIELDS, *(key for version in versions for key in version.fields())} - {"flag"})
        near = difflib.get_close_matches(name, everything, n=1)
        raise UsageError(
            f"no version here has a field {name!r}",
            hint=f"did you mean {near[0]}?" if near else "",
            facts={"key": name},
        )
    return Field(
        column=Column(title=name.upper(), least=10),
        show=lambda version, _: shown(value_of(version.fields(), name)),
    )


def _metric(version: Version, name: str, *, exact: bool) -> str:
    value = version.metrics.get(name)
    return MISSING if value is None else repr(value) if exact else metric_text(value)


def value_of(fields: Mapping[str, Any], name: str) -> object:
    """A field by its name, also where the name of a metric or hyperparameter stands alone."""
    for candidate in (name, f"metrics.{name}", f"hyperparameters.{name}"):
        if candidate in fields:
            found: object = fields[candidate]
            return found
    return None


def shown(value: object) -> str:
    """A field's value on one line; ``-`` for nothing."""
    if value is None or value in ("", (), []):
        return MISSING
    if isinstance(value, datetime):
        return iso(value)
    return field_text(value)


def put_versions(context: Context, versions: Sequence[Version], names: Sequence[str]) -> None:
    """Print the table, and every problem of a version in it on stderr."""
    flagged = any(version.problems for version in versions)
    columns, rows = rows_of(versions, ["flag", *names] if flagged else names, exact=not context.terminal)
    context.table(columns, rows)
    context.warn_of(problem for version in versions for problem in version.problems)


def put_lines(context: Context, lines: Sequence[Line], names: Sequence[str], places: Sequence[int]) -> None:
    """Print what :func:`put_versions` prints of versions without problems, of lines that hold no more than that.

    Args:
        context: of the command.
        lines: what to print.
        names: of the metrics to show.
        places: where each of them stands in a line's metrics.
    """
    exact = not context.terminal
    text = repr if exact else metric_text
    metrics = [Column(title=name.upper(), right=True, priority=2) for name in names]
    ref, state, *others = (_FIELDS[name].column for name in ("ref", "state", "created", "by", "description"))
    rows: list[list[Piece]] = []
    for model, number, stages, archived, author, created, description, known in lines:
        development = "archived" if archived else "development"
        rows.append(
            [
                f"{model}:{number}",
                Styled(", ".join(stages), "green") if stages else development,
                *[MISSING if (value := known[place]) is None else text(value) for place in places],
                created if exact else iso_moment(created, exact=False),
                author,
                description or MISSING,
            ]
        )
    context.table([ref, state, *metrics, *others], rows)


def check_sort(sort: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an order by a field that nothing has: a typing error would go unnoticed.

    Raises:
        UsageError: with the field.
    """
    from stackroom.core.query import absent_fields, sort_fields  # noqa: PLC0415 - as in in_order

    refuse_absent(absent_fields(rows, sort_fields(sort)), rows)


def refuse_absent(absent: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an order by fields that nothing has, where there are any.

    Args:
        absent: these fields.
        rows: some that have others, one of which may have been meant.

    Raises:
        UsageError: with the first of the fields.
    """
    if not absent:
        return
    import difflib  # noqa: PLC0415 - only for the one who mistyped

    near = difflib.get_close_matches(absent[0], sorted({key for fields in rows for key in fields}), n=1)
    hint = f"did you mean {near[0]}?" if near else ""
    raise UsageError(f"--sort: nothing here has a field {absent[0]!r}", hint=hint, facts={"key": absent[0]})


def in_order(versions: Sequence[Version], sort: str) -> list[Version]:
    """The versions sorted by fields, or as they are.

    Raises:
        UsageError: no version has one of the fields.
    """
    if not sort:
        return list(versions)
    from stackroom.core.query import sorted_by  # noqa: PLC0415 - most lists are in their own order

    check_sort(sort, [version.fields() for version in versions])
    return sorted_by(versions, sort, lambda version: version.fields())
