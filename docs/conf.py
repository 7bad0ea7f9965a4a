"""How the documentation is built: `scripts/docs`. Furo brings no fonts and no scripts from elsewhere."""

from importlib.metadata import version as version_of

project = "Affetto"
author = "The Affetto authors"
version = release = version_of("affetto")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "code"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "separated"
autodoc_mock_imports = ["torch", "transformers"]
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"Affetto {version}"
html_copy_source = False
html_show_sourcelink = False


def setup(app):
    """Let the bars of a formula (the size of a set, a distance) stand as they are."""
    app.connect("autodoc-process-docstring", _bars)


def _bars(_app, _what, _name, _obj, _options, lines):
    lines[:] = [line if line.lstrip().startswith(">>>") else line.replace("|", r"\|") for line in lines]
