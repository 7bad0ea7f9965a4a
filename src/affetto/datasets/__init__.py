"""Corpora in their official layouts, read as Records with their raters' Tracks; how to split them, and what leaks.

Knows files and labels; knows no model. No corpus is part of the package: a card says where to get it.
"""
