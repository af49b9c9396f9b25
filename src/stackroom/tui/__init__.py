"""The terminal interface. Importing this package loads nothing: the command line must start without Textual."""
