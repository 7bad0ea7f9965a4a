"""How well an estimate meets the truth: plain functions of arrays, and one `evaluate` of two Tracks in every file.

Knows formulas, divisors and what 0/0 gives; knows neither models nor data sets, and no interval of confidence.
"""
