"""What no mode refuses: each with the check that reports it, or none where no look at the tree can tell."""

from __future__ import annotations

from typing import Final

from access.cells import NO, NO_XATTR, Hole, calls

HOLES: Final = (
    # what an author can do to what is hers
    *calls(
        "alice",
        "rewrite the artifact",
        "alice's artifact",
        Hole(
            id="own-artifact",
            names="alice",
            reports={"doctor": "version-changed: models/fraud/2/model.bin", "verify": "model.bin: sha256 is"},
        ),
    ),
    *calls(
        "alice",
        "rewrite artifact and seal",
        "alice's SHA256SUMS",
        Hole(
            id="own-seal",
            names="alice",
            reports={"doctor": "version-changed: models/fraud/2", "verify": "production/fraud@4 promoted"},
        ),
    ),
    *calls("alice", "rewrite a version that never moved", "alice's loose version", Hole(id="never-moved")),
    *calls(
        "alice",
        "rewrite version.toml",
        "alice's version.toml",
        Hole(
            id="own-metadata",
            names="alice",
            reports={
                "doctor": "version-changed: models/fraud/2",
                "verify": "no metadata revision is the one that production/fraud@4",
            },
        ),
    ),
    *calls(
        "alice",
        "rewrite a revised revision",
        "alice's revision",
        Hole(
            id="own-revision",
            names="alice",
            reports={
                "doctor": "revision-edited: models/fraud/1@1.toml",
                "verify": "1@1.toml: its text is not the one that 1@2.toml says it replaced",
            },
        ),
    ),
    *calls("alice", "rewrite the newest revision", "alice's newest revision", Hole(id="newest-revision")),
    *calls("alice", "rewrite the model's metadata", "model@1.toml", Hole(id="model-metadata")),
    *calls("alice", "rewrite a card", "alice's card", Hole(id="own-card")),
    *calls(
        "alice",
        "unseal",
        "alice's version",
        Hole(id="unsealed", reports={"doctor": "sealed-writable: models/fraud/2", "verify": "fraud:2"}),
    ),
    *calls(
        "alice",
        "add a file",
        "alice's version",
        Hole(
            id="extra-file",
            names="alice",
            reports={"doctor": "seal-broken: models/fraud/2/pickle.bin", "verify": "pickle.bin: extra"},
        ),
    ),
    *calls(
        "alice",
        "remove a file",
        "alice's version",
        Hole(
            id="missing-file",
            names="alice",
            reports={"doctor": "seal-broken: models/fraud/2", "verify": "model.bin: missing"},
        ),
    ),
    *calls(
        "alice",
        "link the artifact elsewhere",
        "alice's artifact",
        Hole(id="second-name", reports={"doctor": "version-linked: models/fraud/2/model.bin", "verify": "has 2 names"}),
    ),
    *calls(
        "alice",
        "write through an old descriptor",
        "alice's model",
        Hole(id="old-descriptor", names="alice", reports={"verify": "fraud:6: model.bin: sha256"}),
    ),
    *calls(
        "alice",
        "take the holder away",
        "alice's version",
        Hole(
            id="holder-gone",
            reports={
                "doctor": "holder-missing: stages/production/fraud@4",
                "verify": "fraud:2: holds production, and its folder is missing",
                "list": "its folder is missing",
            },
        ),
    ),
    *calls("alice", "take a loose version away", "alice's loose version", Hole(id="loose-gone")),
    *calls(
        "alice",
        "swap the holder",
        "alice's version",
        Hole(
            id="holder-swapped",
            names="alice",
            reports={"doctor": "version-changed: models/fraud/2", "verify": "production/fraud@4 promoted"},
        ),
    ),
    *calls(
        "alice",
        "take the tombstone away",
        "tombstone",
        Hole(
            id="tombstone-gone",
            reports={
                "doctor": "delete-unfinished: models/fraud/.trash-4",
                "list": "version 4 is in the trash without a tombstone",
            },
        ),
    ),
    *calls(
        "bob",
        "plant a tombstone",
        "alice's model",
        Hole(
            id="planted-tombstone",
            reports={
                "doctor": "tombstone-forged: models/fraud/5@deleted",
                "list": "version 5 has a tombstone, and is here all the same",
            },
        ),
    ),
    *calls("alice", "take the label away", "alice's label", Hole(id="label-gone")),
    *calls(
        "bob",
        "squat the next version",
        "alice's model",
        Hole(id="squatted-version", names="bob", reports={"doctor": "models/fraud/6", "verify": "fraud:6: "}),
    ),
    *calls(
        "bob",
        "squat the last version",
        "alice's model",
        Hole(
            id="last-version",
            names="bob",
            reports={"doctor": "numbers-running-out: models/fraud/999999999", "verify": "fraud:999999999: "},
        ),
    ),
    *calls(
        "bob",
        "a symlink as a version",
        "alice's model",
        Hole(
            id="foreign-name",
            reports={"doctor": "number-squatted: models/fraud/6", "list": "models/fraud/6: foreign symlink"},
        ),
    ),
    *calls(
        "bob",
        "make a model by hand",
        "models/",
        Hole(id="loose-model", reports={"doctor": "folder-open: models/loose"}),
    ),
    *calls("bob", "lie in the feed", "feed/", Hole(id="false-hint")),
    # what the maker of a model can do to what is others'
    *calls(
        "alice",
        "swap another's version",
        "bob's version",
        Hole(
            id="maker-swaps",
            names="alice",
            reports={"doctor": "version-changed: models/fraud/3", "verify": "staging/fraud@3 by 61003"},
            then=(("frank", "promote fraud:1 production"),),
            after=1,
        ),
    ),
    *calls("alice", "take another's label", "bob's label", Hole(id="maker-label")),
    *calls(
        "alice",
        "take another's revision",
        "bob's revision",
        Hole(
            id="maker-revision",
            reports={
                "doctor": "version-changed: models/fraud/3",
                "verify": "no metadata revision is the one that staging/fraud@3",
            },
        ),
    ),
    *calls(
        "alice",
        "take the model away",
        "alice's model",
        Hole(
            id="model-gone",
            reports={
                "doctor": "holder-missing: stages/production/fraud@4",
                "verify": "fraud:2: holds production, and the whole model is missing",
                "list": "stages/production/fraud",
            },
            then=(("frank", "clear churn production"),),
            after=2,
            churn_after=None,
        ),
    ),
    *calls(
        "alice",
        "open the model to all",
        "alice's model",
        Hole(id="model-open", reports={"doctor": "folder-open: models/fraud"}),
    ),
    *calls(
        "alice",
        "give eve an entry in the access list",
        "alice's model",
        Hole(id="access-list"),
        no_access_lists=NO_XATTR,
    ),
    *calls(
        "alice",
        "close the model to authors",
        "alice's model",
        Hole(id="model-closed", reports={"doctor": "folder-mode: models/fraud"}),
    ),
    # what a releaser can do
    *calls(
        "dave",
        "take back the newest",
        "dave's newest event",
        Hole(
            id="own-newest-event",
            remembered=True,
            reports={
                "doctor": "head-vanished: stages/production/fraud@4",
                "history": "production of fraud was event 4",
            },
            holds=1,
        ),
    ),
    *calls(
        "dave",
        "take back an older one",
        "dave's older event",
        Hole(
            id="own-older-event", reports={"doctor": "event-gap: stages/production/fraud@3", "history": "gap: event 2"}
        ),
    ),
    *calls(
        "dave",
        "renumber the newest",
        "dave's newest event",
        Hole(
            id="renumbered",
            reports={"doctor": "event-gap: stages/production/fraud@5", "history": "gap: event 4"},
            holds=1,
        ),
    ),
    *calls("dave", "date the newest back", "dave's newest event", Hole(id="own-times")),
    *calls("erin", "utimens", "erin's event, erin's newest event", Hole(id="own-times")),
    *calls(
        "dave",
        "plant in another's name",
        "stages/production",
        Hole(
            id="another-name",
            names="dave",
            reports={"doctor": "event-forged: stages/production/fraud@5", "history": "production/fraud@5: forged"},
        ),
    ),
    *calls("dave", "plant without the guards", "stages/production", Hole(id="past-the-guards", holds=3)),
    *calls(
        "dave",
        "plant in the past",
        "stages/production",
        Hole(
            id="backdated",
            names="dave",
            reports={"doctor": "clock-differs: stages/production/fraud@5", "history": "file system says"},
            holds=3,
        ),
    ),
    *calls(
        "dave",
        "plant after a gap",
        "stages/production",
        Hole(
            id="gap",
            names="dave",
            reports={"doctor": "event-gap: stages/production/fraud@9", "history": "gap: event 5 to 8"},
            holds=3,
        ),
    ),
    *calls(
        "dave",
        "plant a broken chain",
        "stages/production",
        Hole(
            id="broken-chain",
            names="dave",
            reports={"doctor": "chain-broken: stages/production/fraud@5", "history": "broken chain"},
            holds=3,
        ),
    ),
    *calls(
        "dave",
        "plant a version that is not there",
        "stages/production",
        Hole(
            id="no-such-version",
            reports={
                "doctor": "holder-missing: stages/production/fraud@5",
                "verify": "fraud:77: holds production, and its folder is missing",
            },
            holds=77,
        ),
    ),
    *calls(
        "dave",
        "plant other artifacts",
        "stages/production",
        Hole(
            id="other-artifacts",
            reports={"doctor": "version-changed: models/fraud/3", "verify": "production/fraud@5 by 61004"},
            holds=3,
            then=(("frank", "promote fraud:1 production"),),
            after=1,
        ),
    ),
    *calls(
        "dave",
        "plant what cannot be read",
        "stages/production",
        Hole(
            id="unreadable-event",
            names="dave",
            reports={"doctor": "event-unreadable: stages/production/fraud@5", "history": "production/fraud@5: forged"},
        ),
    ),
    *calls(
        "dave",
        "plant for another stage",
        "stages/production",
        Hole(
            id="other-place",
            names="dave",
            reports={"doctor": "event-borrowed: stages/production/fraud@5", "history": "names another place"},
        ),
    ),
    *calls(
        "dave",
        "plant a file",
        "stages/production",
        Hole(
            id="squatted-event",
            names="dave",
            reports={"doctor": "event-unreadable: stages/production/fraud@5", "history": "not a symlink"},
        ),
    ),
    *calls(
        "dave",
        "plant a folder",
        "stages/production",
        Hole(
            id="squatted-event",
            names="dave",
            reports={"doctor": "event-unreadable: stages/production/fraud@5", "history": "not a symlink"},
        ),
    ),
    *calls(
        "dave",
        "plant odd names",
        "stages/production",
        Hole(
            id="odd-names",
            reports={"doctor": "foreign-name: stages/production/fraud@05", "list": "foreign: not the name of an event"},
        ),
    ),
    *calls(
        "dave",
        "plant the last number",
        "stages/production",
        Hole(
            id="last-event",
            names="dave",
            reports={
                "doctor": "numbers-running-out: stages/production/fraud@999999999",
                "history": "fraud@999999999: gap",
            },
            then=(("steward", "+take the last number back"), ("frank", "promote fraud:3 production")),
        ),
    ),
    *calls(
        "dave",
        "borrow a pointer",
        "erin's pointer",
        Hole(
            id="borrowed-pointer",
            names="erin",
            reports={"doctor": "event-unreadable: stages/production/fraud@5", "history": "production/fraud@5: forged"},
        ),
    ),
    *calls(
        "dave",
        "borrow from the copy",
        "stages/production",
        Hole(id="borrowed-from-copy", holds=3, before=(("dave", "+copy the registry"), ("frank", "+move in the copy"))),
    ),
    *calls(
        "dave",
        "repoint",
        "pointer",
        Hole(
            id="pointer",
            reports={
                "doctor": "live-behind: live/production/fraud",
                "list": "points at version 3, and the ledger says 2",
            },
        ),
    ),
    *calls(
        "dave",
        "repoint outside",
        "pointer",
        Hole(
            id="pointer-outside",
            reports={"doctor": "live-behind: live/production/fraud", "list": "live/production/fraud"},
        ),
    ),
    *calls(
        "dave",
        "remove the pointer",
        "pointer",
        Hole(id="pointer-gone", reports={"doctor": "live-behind: live/production", "list": "points at nothing"}),
    ),
    *calls(
        "dave",
        "point at what never moved",
        "live/production",
        Hole(id="pointer-alone", reports={"doctor": "live-behind: live/production/fraud-eu"}),
    ),
    *calls(
        "dave",
        "a folder as the pointer",
        "pointer",
        Hole(
            id="pointer-folder",
            reports={"doctor": "foreign-name: live/production/fraud", "list": "live/production/fraud"},
        ),
    ),
    *calls("erin-before", "plant without the guards", "stages/production", Hole(id="old-session", holds=3)),
    *calls(
        "dave",
        "unlink",
        "erin's pointer",
        Hole(id="pointer-gone", reports={"doctor": "live-behind: live/production", "list": "churn: points at nothing"}),
    ),
    *calls("dave", "setxattr", "live/production", Hole(id="attribute"), no_attributes=NO_XATTR),
    # what a reviewer can do, and who is reviewed
    *calls(
        "carol",
        "speak in another's name",
        "carol's word",
        Hole(
            id="forged-word",
            names="carol",
            reports={"doctor": "approval-forged: approvals/production/fraud:3@2", "history": "fraud:3@2: forged"},
        ),
    ),
    *calls(
        "carol",
        "say it of another version",
        "approvals/production",
        Hole(
            id="borrowed-word",
            names="carol",
            reports={"doctor": "approval-forged: approvals/production/fraud:5@1", "history": "fraud:5@1: forged"},
        ),
    ),
    *calls("carol", "take one's word back", "carol's word", Hole(id="own-word")),
    *calls(
        "bob",
        "rewrite what was approved",
        "bob's version",
        Hole(
            id="approved-changed",
            reports={
                "doctor": "version-changed: models/fraud/3",
                "history": "void for ('artifacts'",
                "verify": "staging/fraud@3 by 61003",
            },
            then=(("frank", "promote fraud:1 production"),),
            after=1,
        ),
    ),
    # where fs.protected_hardlinks is 0
    *calls(
        "dave",
        "link another's event",
        "frank's event",
        NO,
        unprotected=Hole(
            id="linked-event",
            names="frank",
            reports={"doctor": "event-borrowed: stages/production/fraud@5", "history": "production/fraud@5: forged"},
        ),
    ),
    *calls(
        "bob",
        "link another's revision",
        "alice's newest revision",
        NO,
        unprotected=Hole(id="linked-revision", reports={"doctor": "models/fraud/5@1.toml", "verify": "5@1.toml"}),
    ),
    *calls(
        "bob, eve",
        "link-out",
        "alice's artifact",
        NO,
        unprotected=Hole(
            id="second-name", reports={"doctor": "version-linked: models/fraud/2/model.bin", "verify": "has 2 names"}
        ),
    ),
    # what the steward can do
    *calls("steward", "rewrite the policy", "registry.toml", Hole(id="policy")),
    *calls(
        "steward",
        "rewrite the id",
        "registry.toml",
        Hole(
            id="registry-id",
            reports={"doctor": "event-borrowed: stages/production/fraud@1", "history": "names another place"},
            holds=None,
            churn=None,
            churn_after=None,
        ),
    ),
    *calls(
        "steward",
        "take another's event",
        "dave's older event",
        Hole(
            id="steward-removes", reports={"doctor": "event-gap: stages/production/fraud@3", "history": "gap: event 2"}
        ),
    ),
    *calls(
        "steward",
        "take another's newest event",
        "dave's newest event",
        Hole(
            id="steward-removes-newest",
            remembered=True,
            reports={
                "doctor": "head-vanished: stages/production/fraud@4",
                "history": "production of fraud was event 4",
            },
            holds=1,
        ),
    ),
    *calls(
        "steward",
        "move in another's name",
        "stages/production",
        Hole(
            id="steward-forges",
            names="steward",
            reports={
                "doctor": "event-unattested: stages/production/fraud@5",
                "history": "production/fraud@5: unattested",
            },
            holds=3,
        ),
    ),
    *calls(
        "steward",
        "open the stage to all",
        "stages/production",
        Hole(id="stage-open", reports={"doctor": "folder-open: stages/production"}),
    ),
    *calls(
        "steward",
        "make the stage anew",
        "stages/production",
        Hole(
            id="stage-anew",
            reports={"doctor": "folder-group: stages/production"},
            holds=None,
            churn=None,
            churn_after=None,
            then=(("steward", "promote fraud:3 production"),),
        ),
    ),
    *calls(
        "steward",
        "take a maker's model",
        "alice's model",
        Hole(
            id="steward-model",
            reports={
                "doctor": "holder-missing: stages/production/fraud@4",
                "verify": "fraud:2: holds production, and the whole model is missing",
                "list": "stages/production/fraud",
            },
            then=(("frank", "clear churn production"),),
            after=2,
            churn_after=None,
        ),
    ),
    # what root can do, and who says that he is somebody else
    *calls("root", "plant without the guards", "stages/production", Hole(id="root", holds=3), nfs=NO),
)
