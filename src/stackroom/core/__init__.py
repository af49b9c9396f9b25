"""What stackroom knows, without touching anything: frozen data in, frozen data out.

No disk, clock, environment or randomness here; whoever calls passes ``now``, ``who`` and the texts.
"""
