"""The command line: argv to calls of the registry, and results to text or JSON. It holds no rules.

:mod:`~stackroom.cli.catalog` names the commands and imports nothing; :mod:`~stackroom.cli.main` runs one and turns what
goes wrong into an exit code; the commands themselves stand in :mod:`stackroom.cli.commands`, and only the module of the
one that was asked for is imported.
"""
