"""Doctests of what trains run only where torch is installed: the development set does not need it."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("torch") else ["affetto/train"]
