"""The screens: they take keys and messages, and show what :mod:`stackroom.tui.present` says."""
