"""How `make docs` builds the site: pages in Markdown, the reference from docstrings."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "samples")]

from docs.building import docstrings
from docs.building.reference import write_reference

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "msrpkit"
author = "the msrpkit authors"
project_copyright = "2026, the msrpkit authors"
about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
version = release = about["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
root_doc = "index"
exclude_patterns = ["building"]
nitpicky = True
nitpick_ignore_regex = [
    # The standard library and the packages under ours have references of their own.
    (
        r"py:.*",
        r"(asyncio|collections|contextlib|datetime|enum)\..*",
    ),
    (r"py:.*", r"(pathlib|socket|ssl|types|typing)\..*"),
    (r"py:.*", r"(x509|rsa|ec|cryptography)\..*"),
    # What isn't exported is in the source: parts of public classes, type variables.
    (r"py:class", r"(sip|msrp)\.(aio|sansio)\..*"),
    (r"py:class", r"\w+(\.\w+)*\.(_\w+|[A-Z])"),
    (r"py:class", "Outbox|Outgoing|ServerTransaction|TlsContext"),
]
# `type` in a signature is Python's, and none of the attributes of that name.
suppress_warnings = ["ref.python"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autoclass_content = "class"
napoleon_numpy_docstring = False
napoleon_attr_annotations = True

html_theme = "furo"
html_title = "msrpkit"
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_show_sourcelink = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Have the reference written."""
    write_reference(Path(__file__).parent / "reference")
    docstrings.connect(app)
