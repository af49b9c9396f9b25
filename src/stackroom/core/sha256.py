"""SHA-256 of small texts, without the library that ``hashlib`` loads for it.

Loading OpenSSL takes 3 ms, which is a quarter of Python's own start, and every command hashes some texts of a few
hundred bytes. Python's own implementation is the one that ``hashlib`` itself falls back on; where a Python has none
under these names, ``hashlib`` is asked after all. It is slower on long inputs: what reads artifacts asks ``hashlib``.
"""

from __future__ import annotations

__all__ = ["sha256"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # of Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256
