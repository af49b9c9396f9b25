"""``doctor``: who one is here, what is not as it should be, and with ``--fix`` what was mended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from stackroom.cli.parsing import Command, dry_run_option
from stackroom.cli.style import Styled
from stackroom.core import show
from stackroom.core.findings import KINDS, SEVERITIES, worst_first
from stackroom.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Sequence

    from stackroom.cli.context import Context
    from stackroom.core.findings import Finding, Severity
    from stackroom.registry.mending import Repair
    from stackroom.registry.whoami import Caller, May

_SHOWN: Final = 3
"""Findings of one kind that are told one by one: after a copy without modes there is one for every version."""

_COLOURS: Final[dict[Severity, str]] = {"error": "red", "warning": "yellow", "note": "cyan"}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--fix", action="store_true", help="put right what you may; evidence is never touched")
    parser.add_argument("--all", action="store_true", help="tell every finding, also where hundreds are alike")
    dry_run_option(parser)


def _doctor(context: Context, options: Namespace) -> int:
    if options.dry_run and not options.fix:
        raise UsageError("--dry-run goes with --fix: without it nothing is changed anyway")
    registry = context.registry
    caller = registry.whoami()
    findings = worst_first(registry.examine())
    repairs: list[Repair] = []
    if options.fix:
        repairs = list(registry.fix(findings, dry_run=options.dry_run))
        if repairs and not options.dry_run:
            findings = worst_first(registry.examine())
    counts = {severity: sum(one.severity == severity for one in findings) for severity in SEVERITIES}
    if context.json:
        context.document(
            {
                "ok": not counts["error"],
                "you": caller.document(),
                "counts": counts,
                "findings": [finding.document() for finding in findings],
                "repairs": [repair.document() for repair in repairs],
            }
        )
    else:
        _put(context, caller, findings, repairs, every=options.all, dry_run=options.dry_run)
    return IntegrityError.exit_code if counts["error"] else 0


def _put(
    context: Context,
    caller: Caller,
    findings: Sequence[Finding],
    repairs: Sequence[Repair],
    *,
    every: bool,
    dry_run: bool,
) -> None:
    _say_caller(context, caller)
    for repair in repairs:
        done = Styled("dry run:", "cyan") if dry_run else Styled("fixed:", "green")
        word = done if repair.done else Styled("not fixed:", "yellow")
        context.say(word, f" {repair.finding.place or '.'}: {repair.message}")
    if context.terminal:
        _put_groups(context, findings, every=every)
    else:
        _put_rows(context, findings)
    _say_summary(context, findings, repairs)


# --- whoami


def _say_caller(context: Context, caller: Caller) -> None:
    groups = ", ".join(name if name == str(gid) else f"{name} ({gid})" for gid, name in caller.groups)
    steward = "you are the steward" if caller.steward else f"the steward is {caller.owner.label}"
    system = caller.system
    context.say(Styled("you:", "bold"), f" {caller.who.label} (uid {caller.who.uid}); groups {groups}; {steward}")
    where = f"{system.type} at {system.mount_point or '?'}"
    options = f" ({','.join(sorted(system.options))})" if system.options else ""
    context.say(Styled("file system:", "bold"), f" {where}{options}")
    allowed = [one.doing for one in caller.may if one.allowed]
    writable, models = caller.models
    if models:
        allowed.insert(1 if allowed[:1] == ["make models"] else 0, f"add versions to {writable} of {models} models")
    context.say(Styled("you may:", "bold"), f" {'; '.join(allowed) or 'read'}")
    if caller.read_only:
        context.say(Styled("you may not:", "bold"), f" change anything from here: {caller.read_only}")
        return
    for one in caller.may:
        if not one.allowed:
            context.say(Styled("you may not:", "bold"), f" {_refusal(one)}")


def _refusal(one: May) -> str:
    return f"{one.doing}: {one.access.reason or one.access.who_may()}"


# --- findings


def _put_rows(context: Context, findings: Iterable[Finding]) -> None:
    """Every finding, whole, for a program."""
    context.out_tabs(("SEVERITY", "KIND", "PLACE", "OWNER", "FIXABLE", "MESSAGE", "COMMAND"))
    for finding in findings:
        owner = str(finding.owner) if finding.owner else "-"
        fixable = "yes" if finding.fixable else "no"
        place = finding.place or "."
        command = finding.command or "-"
        context.out_tabs((finding.severity, finding.kind, place, owner, fixable, finding.message, command))


def _put_groups(context: Context, findings: Iterable[Finding], *, every: bool) -> None:
    """Findings of one kind together, the worst first, each kind with why it matters and what to do."""
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    severity = ""
    for kind, alike in kinds.items():
        about = KINDS[kind]
        if about.severity != severity:
            severity = about.severity
            total = sum(len(found) for name, found in kinds.items() if KINDS[name].severity == severity)
            context.out(Styled(show.count(total, severity), _COLOURS[about.severity]))
        context.out("  ", Styled(kind, "bold"), f" ({len(alike)})" if len(alike) > 1 else "")
        shown = alike if every else alike[:_SHOWN]
        for finding in shown:
            context.out(f"    {finding.place or '.'}: {finding.message}")
        if len(alike) > len(shown):
            context.out(f"    and {len(alike) - len(shown):,} more; --all tells them")
        context.out(f"    why: {about.explanation}")
        context.out(f"    do:  {about.remedy}")
        for finding in shown:
            if finding.command:
                context.out("    $ ", Styled(finding.command, "cyan"))


def _say_summary(context: Context, findings: Sequence[Finding], repairs: Sequence[Repair]) -> None:
    if not findings:
        context.say(Styled("healthy:", "green"), " nothing was found")
        return
    counts = Counter(finding.severity for finding in findings)
    said = ", ".join(show.count(counts[severity], severity) for severity in SEVERITIES if counts[severity])
    colour = "red" if counts["error"] else "yellow" if counts["warning"] else "green"
    context.say(Styled("found:", colour), f" {said}")
    fixable = sum(finding.fixable for finding in findings)
    if fixable and not repairs:
        more = "" if fixable == 1 else f" {fixable} of them,"
        context.say(f"  {context.runnable('stackroom doctor --fix')} mends{more or ' one of them,'} as you may")


COMMANDS: Final = {
    "doctor": Command(
        arguments=_arguments,
        run=_doctor,
        examples=("stackroom doctor", "stackroom doctor --fix --dry-run", "stackroom doctor --json"),
        about="Ends with 7 where there is an error, and with 0 where there are warnings and notes alone.\n"
        "Without --fix nothing is written.",
    ),
}
