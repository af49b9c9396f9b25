"""The commands, a module for each kind; :data:`stackroom.cli.catalog.COMMANDS` says which is where."""
