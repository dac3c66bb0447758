"""How Sphinx builds these pages: ``sphinx-build -W docs docs/_build/html``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "flowly_ckpt"
author = "the flowly_ckpt authors"
copyright = f"2026, {author}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "notebooks"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "flowly_ckpt"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["flowly.css"]

myst_heading_anchors = 3
add_module_names = False  # pages say from where to import; the module that defines a name is of no use
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {name: name for name in ("Transform", "Rewrite", "Engine", "Key", "Target", "Bytes")}
