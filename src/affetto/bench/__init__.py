"""Protocols, runs and tables: which numbers may be compared."""
