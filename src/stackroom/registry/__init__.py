"""The registry as one thing: read, judge, write. The one door for the command line, the interface and programs.

:class:`~stackroom.registry.facade.Registry` is what they hold. Below it, :mod:`~stackroom.registry.reading` joins what
the store found with who holds what, :mod:`~stackroom.registry.moving` judges and makes moves,
:mod:`~stackroom.registry.registering` publishes, and :mod:`~stackroom.registry.editing` revises.
"""
