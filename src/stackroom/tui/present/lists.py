"""The lists of the interface as they are written to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.listing import Listing
from stackroom.core.metadata import iso, jsonable
from stackroom.tui.present.models import description, key_metric, updated
from stackroom.tui.present.versions import author

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.activity import Happening
    from stackroom.core.attention import Remark
    from stackroom.core.findings import Finding
    from stackroom.core.names import StageName
    from stackroom.core.policy import Policy
    from stackroom.store.records import Model, Version
    from stackroom.tui.present.history import History


def of_models(models: Sequence[Model], stages: Sequence[StageName], policy: Policy) -> Listing:
    """The models, with who holds each stage."""
    rows = []
    for model in models:
        held = {one.stage: one.number for one in model.holdings}
        metric = key_metric(model, policy) or ("", None)
        latest = model.latest.number if model.latest else None
        holders = [held.get(stage) for stage in stages]
        rows.append([model.name, latest, *holders, *metric, updated(model), model.count, description(model)])
    columns = ["model", "latest", *stages, "metric", "value", "updated", "versions", "description"]
    return Listing(columns=columns, rows=rows, document={"models": [model.document() for model in models]})


def of_versions(versions: Sequence[Version], model: Model | None = None) -> Listing:
    """Versions of a model, or of all models, with every metric that one of them has."""
    metrics = list(dict.fromkeys(name for version in versions for name in version.metrics))
    rows = [
        [
            str(version.ref) if model is None else version.number,
            ", ".join(version.labels),
            ", ".join(version.stages),
            *(version.metrics.get(name) for name in metrics),
            version.seal.bytes if version.seal else None,
            version.created,
            author(version),
            ", ".join(version.record.tags),
            version.archived,
            version.record.description,
        ]
        for version in versions
    ]
    columns = ["ref" if model is None else "version", "labels", "stages", *(f"metrics.{name}" for name in metrics)]
    columns += ["bytes", "created", "by", "tags", "archived", "description"]
    whose: dict[str, object] = {} if model is None else {"model": model.name}
    document = whose | {"versions": [version.document() for version in versions]}
    return Listing(columns=columns, rows=rows, document=document)


def of_happenings(happenings: Sequence[Happening]) -> Listing:
    """What happened."""
    rows = [
        [one.when, one.model, one.number, one.what, one.by, one.why, one.validity, "; ".join(one.notes), one.place]
        for one in happenings
    ]
    columns = ["when", "model", "version", "what", "by", "why", "validity", "notes", "place"]
    return Listing(columns=columns, rows=rows, document={"happenings": [one.document() for one in happenings]})


def of_remarks(remarks: Sequence[Remark]) -> Listing:
    """What needs attention."""
    rows = [[one.kind, one.severity, str(one.ref), one.why, one.command] for one in remarks]
    columns = ["what", "severity", "version", "why", "command"]
    return Listing(columns=columns, rows=rows, document={"remarks": [one.document() for one in remarks]})


def of_findings(findings: Sequence[Finding]) -> Listing:
    """What a doctor found."""
    rows = [
        [one.severity, one.kind, one.place, one.message, one.owner.label if one.owner else "", one.command]
        for one in findings
    ]
    columns = ["severity", "kind", "place", "message", "owner", "command"]
    return Listing(columns=columns, rows=rows, document={"findings": [one.document() for one in findings]})


def of_history(history: History) -> Listing:
    """A metric over the versions of a model, then as production observed it."""
    metric, versions = history.metric, history.model.versions
    rows = [["registered", one.number, one.metrics.get(metric), one.created, ", ".join(one.stages)] for one in versions]
    rows += [["observed", mark.number, mark.value, mark.when, ""] for mark in history.marks]
    info = history.policy.metrics.get(metric)
    document = {
        "model": history.model.name,
        "metric": metric,
        "better": info.better if info else None,
        "unit": info.unit if info else "",
        "versions": [
            {
                "version": one.number,
                "value": jsonable(one.metrics.get(metric)),
                "created": iso(one.created) if one.created else None,
                "stages": list(one.stages),
            }
            for one in versions
        ],
        "observations": [
            {"version": mark.number, "value": jsonable(mark.value), "at": iso(mark.when)} for mark in history.marks
        ],
        "tenures": [
            {
                "stage": one.stage,
                "version": one.number,
                "start": iso(one.start),
                "end": iso(one.end) if one.end else None,
            }
            for one in history.tenures
        ],
    }
    return Listing(columns=["kind", "version", metric, "when", "stages"], rows=rows, document=document)
