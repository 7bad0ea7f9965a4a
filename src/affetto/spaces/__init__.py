"""Taxonomies of feeling, one `*.toml` each, and the ways between them."""
