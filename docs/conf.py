"""Sphinx settings. The documentation builds without a network: nothing is fetched, no other project is linked to."""

from __future__ import annotations

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

project = "stackroom"
author = "the stackroom contributors"
copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# In the tutorial, blocks of keys and of screens: a test does what they say.
lexers.update(keys=TextLexer(), screen=TextLexer())

html_theme = "furo"
html_title = "stackroom"
exclude_patterns = ["_build"]

autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# A name that cannot be resolved is an error (-n -W), but for types in signatures: they name records that are documented
# where they are defined and have no page of their own.
nitpick_ignore_regex = [(r"py:(class|attr)", r".*"), (r"py:exc", r"(OSError|ValueError)")]
