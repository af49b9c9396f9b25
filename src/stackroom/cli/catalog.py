"""Which commands there are, in one table, and how the word that names one is found in an argv.

Imports nothing: it is read before anything else, also when somebody only wants to browse.
"""

from __future__ import annotations

COMMANDS = {
    "demo": ("making", "unpack the sample registry and open it: a private copy to try everything on"),
    "init": ("making", "make a registry"),
    "new": ("making", "make a model"),
    "register": ("registering", "publish a version; prints its reference"),
    "label": ("registering", "give a version one more name, for good"),
    "list": ("listing", "list the models, or the versions of one"),
    "search": ("listing", "search the versions of all models"),
    "show": ("showing", "show everything about a model or a version"),
    "path": ("listing", "print the folder of a version or a model, for scripts"),
    "diff": ("comparing", "compare versions: metrics, hyperparameters, datasets, files, card"),
    "edit": ("editing", "revise the metadata or the card"),
    "log": ("logs", "list the revisions of the metadata and the card, with what changed"),
    "revert": ("editing", "write a revision that says what an older one said"),
    "archive": ("editing", "mark as archived, or with --undo take that back"),
    "delete": ("removing", "delete a version; until it is purged it can be restored"),
    "restore": ("removing", "bring a deleted version back"),
    "purge": ("removing", "free the bytes of deleted versions; dry without --yes"),
    "prune": ("removing", "delete the versions that rules let go; dry without --yes"),
    "promote": ("moving", "make a version hold a stage, if the guards agree"),
    "rollback": ("moving", "make the version that held a stage before hold it again"),
    "clear": ("moving", "make nothing hold a stage"),
    "can": ("moving", "say whether a version may move, what every guard says, and who can"),
    "approve": ("approving", "say yes to a version for a stage, as it is now"),
    "reject": ("approving", "say no to a version for a stage; takes your own approval back"),
    "history": ("tracing", "list who moved what when and why, or what held each stage at a time"),
    "watch": ("watching", "tell what happens as it happens; with --exec run a command for each event"),
    "wait": ("watching", "wait until a version holds a stage, and print it"),
    "verify": ("verifying", "read the artifacts again and compare them with what was sealed and promoted"),
    "observe": ("observing", "record what was measured of a version after its release"),
    "monitor": ("observing", "check all that hold a stage against what registry.toml asks of them in production"),
    "review": ("reviewing", "list what needs attention in all models, each with the command that helps"),
    "doctor": ("doctor", "say who you are here, and find what is not as it should be; with --fix mend what you may"),
    "tui": ("browsing", "browse registries in the terminal; the same as no command at all"),
}
"""Name -> (module below :mod:`stackroom.cli.commands`, one line); in the order in which help lists them."""

WITH_VALUE = frozenset({"-R", "--registry", "--color", "--config"})
"""Options before a command that take a value: the word after them is not the command. The last is of ``tui`` alone."""

LINE_BY_LINE = frozenset({"watch"})
"""Commands that print many documents with ``--json``: each takes one line, also one that says what went wrong."""


def command_at(argv: list[str]) -> int | None:
    """Where the word stands that names the command, or a folder to browse; None where there are only options."""
    index = 0
    while index < len(argv):
        word = argv[index]
        if word in WITH_VALUE:
            index += 2
        elif word.startswith("-") and word != "-":
            index += 1
        else:
            return index
    return None
