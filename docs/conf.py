"""How Sphinx makes the site: `make site` writes it to build/site."""

import sys
from pathlib import Path

import dynet

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

project, author = "DyNet", "the DyNet maintainers"
copyright = author
version = release = dynet.__version__
extensions = ["myst_parser", "sphinx_dynet", "sphinx_dynet_cpp"]

# Pages are Markdown; a heading can be linked to, and names of the package are those of `dynet`.
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline", "attrs_block"]
myst_heading_anchors = 3
primary_domain, default_role = "py", None
nitpicky, smartquotes = True, False
# Types of Python, NumPy and C++, whose pages are elsewhere.
nitpick_ignore_regex = [("py:class", r"(?!dynet\b)[\w.]+"), ("cpp:identifier", ".*")]

add_module_names = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
pygments_style, pygments_dark_style = "default", "monokai"

html_theme = "furo"
html_title = "DyNet 3"
html_static_path, html_css_files = ["_static"], ["site.css"]
html_show_sourcelink = False
html_copy_source = False
