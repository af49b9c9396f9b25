"""Small texts are hashed without OpenSSL, and to the same digests."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.sha256 import sha256


@given(st.binary(max_size=300))
def test_small_texts_have_the_digest_that_every_other_tool_gives_them(text: bytes) -> None:
    assert sha256(text).hexdigest() == hashlib.sha256(text).hexdigest()
