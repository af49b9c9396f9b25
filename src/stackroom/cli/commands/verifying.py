"""``verify``: every byte read again, or every one that may have changed."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from stackroom.cli.parsing import Command
from stackroom.cli.style import Styled
from stackroom.cli.vanished import say_vanished
from stackroom.core import show
from stackroom.core.names import parse_ref
from stackroom.errors import IntegrityError, UsageError
from stackroom.registry.remembering import remember
from stackroom.registry.verifying import missing_holders, verify
from stackroom.store.digest import NOT_SEALED

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.registry.verifying import VersionCheck

_JOBS_LIMIT: Final = 64
"""Threads: more than any disk or file server has use for."""


def _verify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("refs", nargs="*", metavar="REF", help="versions or models; everything without")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="files read at once; else one per processor, on a file server 16"
    )
    parser.add_argument(
        "--changed", action="store_true", help="leave out large files that look as when you last read them"
    )


def _verify(context: Context, options: Namespace) -> int:
    if options.jobs is not None and not 1 <= options.jobs <= _JOBS_LIMIT:
        raise UsageError(f"--jobs is from 1 to {_JOBS_LIMIT}")
    registry = context.registry
    versions = registry.to_verify(options.refs)
    total = sum(version.seal.bytes for version in versions if version.seal)
    checks: list[VersionCheck] = []
    if not (context.json or context.terminal):
        context.out_tabs(("REF", "OK", "FILES", "BYTES", "DAMAGE", "WARNINGS"))
    with context.bar(total, "verifying") as bar:
        checking = verify(registry, versions, bar, jobs=options.jobs, changed=options.changed)
        for check in chain(checking, missing_holders(registry, options.refs)):
            checks.append(check)
            if not context.json:
                _put(context, check)
    damaged = [check for check in checks if check.damage]
    gone = remember(registry, {parse_ref(ref).model for ref in options.refs})
    if context.json:
        rows = [check.document() for check in checks]
        vanished = [one.document() for one in gone]
        context.document({"ok": not damaged, "damaged": len(damaged), "versions": rows, "vanished": vanished})
    else:
        _say_summary(context, checks, len(damaged))
        say_vanished(context, gone)
    return IntegrityError.exit_code if damaged else 0


def _put(context: Context, check: VersionCheck) -> None:
    if not context.terminal:
        damage, warnings = "; ".join(check.damage), "; ".join(check.warnings)
        good = "no" if check.damage else "yes"
        context.out_tabs((str(check.ref), good, str(check.files), str(check.bytes), damage or "-", warnings or "-"))
        return
    glyphs = context.glyphs
    sign = Styled(glyphs.no, "red") if check.damage else Styled(glyphs.yes, "green")
    context.out(sign, f" {check.ref}  {show.count(check.files, 'file')}, {show.long_size(check.bytes)}")
    for damage in check.damage:
        context.out("    ", Styled(damage, "red"))


def _say_warnings(context: Context, checks: list[VersionCheck]) -> None:
    """Each warning once, with how many versions it is about: after a git clone it is about all of them."""
    where: dict[str, list[str]] = {}
    for check in checks:
        for warning in check.warnings:
            where.setdefault(warning, []).append(str(check.ref))
    for warning, refs in where.items():
        about = refs[0] if len(refs) == 1 else show.count(len(refs), "version")
        context.say(Styled("warning:", "yellow"), f" {about}: {warning}")
    if NOT_SEALED in where:
        # No chmod of a pattern: what an author called 7 may be a symlink to anywhere, and chmod -R follows it.
        context.say(f"  to seal your versions: {context.runnable('stackroom doctor --fix')}")


def _say_summary(context: Context, checks: list[VersionCheck], damaged: int) -> None:
    _say_warnings(context, checks)
    known = sum(check.remembered for check in checks)
    size = show.long_size(sum(check.bytes for check in checks) - known)
    before = f", {show.long_size(known)} as when you last read them" if known else ""
    read = f"{show.count(len(checks), 'version')}, {size} read{before}"
    if damaged:
        context.say(Styled("damaged:", "red"), f" {damaged} of {read}")
    else:
        context.say(Styled("as sealed:", "green"), f" {read}")


COMMANDS: Final = {
    "verify": Command(
        arguments=_verify_arguments,
        run=_verify,
        examples=(
            "stackroom verify",
            "stackroom verify fraud-detector@production",
            "stackroom verify --changed --json",
        ),
        about="Ends with 7 where anything is not as it was sealed, or what holds a stage is not what was promoted.\n"
        "Says whose file it is, when the file system says that it changed, and who promoted it.",
    ),
}
