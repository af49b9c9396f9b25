"""What the kernel refuses, or a command before it asks; and what is somebody's good right."""

from __future__ import annotations

from typing import Final

from access.cells import ALLOWED, NO, NO_DIR, NO_XATTR, Allowed, Refused, calls, commands

# --- people, as groups of words
ANYBODY = "alice, bob, carol, dave, frank, erin, mona, rita, eve"
NO_AUTHOR = "mona, rita, eve"
NO_RELEASER = "alice, bob, carol, erin, mona, rita, eve"
NO_REVIEWER = "alice, bob, dave, erin, mona, rita, eve"
NOT_ALICE = "bob, carol, dave, erin, mona, rita, eve"

# --- system calls, as groups of words
TAKE = "rename-away, rename-out, rename-over, exchange"
OWN = "chmod, chown, chgrp, utimens"
PUT = "symlink-in, create-in, mkdir-in, link-in, rename-in, rename-dir-in"
WRITE = "open-truncating, open-appending, truncate"
XATTR = "setxattr, setfacl"


SKELETON = "models/, stages/, live/, approvals/, observations/, feed/"
SEALED = "alice's artifact, alice's version.toml, alice's SHA256SUMS"
ALICES_FILES = "alice's revision, alice's newest revision, alice's card, model@1.toml"

REFUSALS: Final = (
    # the skeleton is the steward's
    *calls(ANYBODY, f"{TAKE}, rmdir", f"the root, {SKELETON}", NO_DIR),
    *calls(ANYBODY, OWN, f"the root, {SKELETON}, stages/production, live/production, approvals/production", NO),
    *calls("dave, erin, eve", XATTR, "the root, stages/production, models/", NO_XATTR),
    *calls("erin, eve", XATTR, "live/production", NO_XATTR),
    *calls("dave", "setfacl", "live/production", NO_XATTR),
    *calls(ANYBODY, f"{TAKE}, unlink, {OWN}, {WRITE}", "registry.toml", NO),
    *calls("alice, dave, eve", XATTR, "registry.toml", NO_XATTR),
    *calls(ANYBODY, PUT, "the root, stages/, live/, approvals/", NO),
    *calls("alice, dave, eve", TAKE, "stages/production, live/production, approvals/production", NO_DIR),
    # models and versions are their authors'
    *calls(NO_AUTHOR, PUT, "models/, alice's model, the steward's model", NO),
    *calls(NOT_ALICE, f"{TAKE}, rmdir, {OWN}", "alice's model", NO_DIR),
    *calls(ANYBODY, f"{TAKE}, rmdir, {OWN}", "the steward's model", NO_DIR),
    *calls(NOT_ALICE, f"{TAKE}, rmdir, {OWN}, {PUT}", "alice's version", NO_DIR),
    *calls("bob, carol, eve", f"{TAKE}, rmdir, {PUT}", "alice's version in churn", NO_DIR),
    *calls("alice", PUT, "alice's version, alice's version in churn, bob's version", NO),
    *calls("alice", f"{WRITE}, unlink, rename-away, rename-over", SEALED, NO),
    *calls("alice", "rename-out, rename-over", "alice's version", NO_DIR),
    *calls("alice", f"{OWN}, rename-out", "bob's version", NO),
    *calls(NOT_ALICE, f"{TAKE}, unlink, {OWN}, {WRITE}", SEALED, NO),
    *calls("bob, dave, eve", XATTR, f"{SEALED}, alice's version", NO_XATTR),
    *calls(NOT_ALICE, f"{TAKE}, unlink, {OWN}, {WRITE}", ALICES_FILES, NO),
    *calls(NOT_ALICE, f"{TAKE}, unlink, chown, utimens", "alice's label, tombstone", NO),
    *calls(NOT_ALICE, f"{TAKE}, rmdir, {OWN}, {PUT}", "trash", NO_DIR),
    *calls("alice", f"{OWN}, {WRITE}", "bob's revision", NO),
    *calls("alice", "chown, utimens", "bob's label", NO),
    # the ledgers are the movers', and one mover's event is no other mover's
    *calls(NO_RELEASER, PUT, "stages/production", NO),
    *calls("alice, bob, dave, frank, erin, mona, rita, eve", PUT, "stages/staging", NO),
    *calls(NO_RELEASER, TAKE, "erin's event, erin's newest event, frank's event, dave's newest event", NO),
    *calls(NO_RELEASER, "unlink", "erin's event, erin's newest event, dave's older event, dave's newest event", NO),
    *calls("alice, carol, eve", "chown, utimens", "erin's event, dave's newest event", NO),
    *calls("dave", f"{TAKE}, unlink, chown, utimens", "erin's event, erin's newest event, frank's event", NO),
    *calls("frank", f"{TAKE}, unlink, chown, utimens", "erin's event, dave's older event, dave's newest event", NO),
    *calls("alice, bob, dave, frank, erin, eve", f"{TAKE}, unlink, chown, utimens", "carol's event", NO),
    # the pointers are the releasers' together
    *calls(NO_RELEASER, PUT, "live/production", NO),
    *calls(NO_RELEASER, f"{TAKE}, unlink", "pointer, erin's pointer", NO),
    # approvals are the reviewers', observations the monitors', hints everybody's own
    *calls(NO_REVIEWER, PUT, "approvals/production", NO),
    *calls(NO_REVIEWER, f"{TAKE}, unlink, chown, utimens", "carol's word", NO),
    *calls("alice, bob, carol, dave, erin, rita, eve", PUT, "observations/", NO),
    *calls("alice, dave, eve", f"{TAKE}, unlink, {OWN}, {WRITE}", "mona's observations", NO),
    *calls(NO_AUTHOR, PUT, "feed/", NO),
    *calls(NOT_ALICE, f"{TAKE}, unlink, chown, utimens", "alice's hint", NO),
    # through the command line
    *commands(NO_AUTHOR, "new other", "models/", 4),
    *commands(NO_AUTHOR, "register other SOURCE", "models/", 4),
    *commands(NO_AUTHOR, "register fraud SOURCE", "alice's model", 4),
    *commands(NO_AUTHOR, "label fraud:1 9.9.9", "alice's model", 4),
    *commands(NO_AUTHOR, "edit fraud:1 --set team=theirs", "alice's model", 4),
    *commands(NO_AUTHOR, "edit fraud:1 --card CARD", "alice's model", 4),
    *commands(NO_AUTHOR, "edit fraud --set team=theirs", "alice's model", 4),
    *commands(NO_AUTHOR, "revert fraud:1 --to 1", "alice's model", 4),
    *commands(NO_AUTHOR, "archive fraud:5", "alice's model", 4),
    *commands("bob, carol, dave, mona, rita, eve", "delete fraud:5", "alice's loose version", 4),
    *commands("alice", "delete fraud:2", "alice's version", 6),
    *commands("bob, eve", "delete fraud:2", "alice's version", 4),
    *commands("bob, carol, dave, mona, rita, eve", "restore fraud:4", "tombstone", 4),
    *commands("bob, dave, eve", "purge fraud:4 --yes", "trash", 0),  # tells whose bytes they are
    *commands("bob, dave, eve", "prune churn --keep-last 1 --yes", "the steward's model", 0),  # nothing is theirs
    *commands(NO_REVIEWER, "approve fraud:5 production", "approvals/production", 4),
    *commands(NO_REVIEWER, "reject fraud:3 production", "carol's word", 4),
    *commands("alice, bob, dave, erin, mona, rita, eve", "promote fraud:5 staging", "stages/staging", 4),
    *commands("alice, bob, erin, eve", "clear fraud staging", "stages/staging", 4),
    *commands(NO_RELEASER, "promote fraud:3 production", "stages/production", 4),
    *commands(NO_RELEASER, "rollback fraud production", "stages/production", 4),
    *commands(NO_RELEASER, "clear fraud production", "stages/production", 4),
    *commands("alice, erin, eve", "clear churn production", "stages/production", 4),
    *commands("alice, bob, carol, dave, erin, rita, eve", "observe fraud:2 auc=0.1", "observations/", 4),
    *commands("bob, dave, eve", "doctor --fix", "the root", 0),  # nothing is theirs to mend
    *commands("steward, alice, eve", "init REGISTRY", "the root", 0),  # there is one already: a look, and no change
    *commands("steward, eve", "init REGISTRY --authors 62002", "the root", 6),
    *commands("alice, eve", "init REGISTRY/stages/production", "stages/production", 8),
    *commands("alice, dave, eve", "demo REGISTRY/demo", "the root", 4),
)

RIGHTS: Final = (
    *commands("steward, alice, bob, carol", "new other", "models/", ALLOWED),
    *commands("steward, alice", "doctor --fix", "the root", ALLOWED),
    *commands("alice, bob, dave", "register fraud SOURCE --label 9.9.9", "alice's model", ALLOWED),
    *commands("alice, bob", "register churn SOURCE", "the steward's model", ALLOWED),
    *commands("bob", "label fraud:1 9.9.9", "alice's model", ALLOWED),
    *commands("alice, bob", "edit fraud:5 --set team=ours", "alice's model", ALLOWED),
    *commands("alice", "edit fraud:5 --card CARD", "alice's model", ALLOWED),
    *commands("alice", "revert fraud:1 --to 1", "alice's model", ALLOWED),
    *commands("alice, bob", "archive fraud:5", "alice's model", ALLOWED),
    *commands("alice", "delete fraud:5", "alice's loose version", ALLOWED),
    *commands("alice", "restore fraud:4", "tombstone", ALLOWED),
    *commands("alice", "purge fraud:4 --yes", "trash", ALLOWED),
    *commands("alice", "prune churn --keep-last 1 --yes", "the steward's model", ALLOWED),
    *commands("carol, steward", "approve fraud:5 production", "approvals/production", ALLOWED),
    *commands("carol", "reject fraud:3 production", "carol's word", ALLOWED),
    *commands("carol, steward", "promote fraud:5 staging", "stages/staging", ALLOWED),
    *commands("carol", "clear churn staging", "stages/staging", Refused(code=3)),
    *commands("carol", "clear fraud staging", "stages/staging", ALLOWED),
    *commands("dave, frank, steward, erin-before", "promote fraud:3 production", "stages/production", Allowed(holds=3)),
    *commands("dave, frank", "rollback fraud production", "stages/production", Allowed(holds=1)),
    *commands("dave, frank", "clear fraud production", "stages/production", Allowed(holds=None)),
    *commands("mona, steward", "observe fraud:2 auc=0.9", "observations/", ALLOWED),
    *calls("alice", "unlink", "alice's hint", ALLOWED),
    *calls("mona", "open-appending", "mona's observations", ALLOWED),
)
