"""Moods as weather. Importing this package would be noticed: listing must not do it."""

import os

if os.environ.get("WEATHER_MOODS_MUST_NOT_BE_IMPORTED"):
    raise RuntimeError("weather_moods was imported")
