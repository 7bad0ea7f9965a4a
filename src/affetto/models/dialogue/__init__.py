"""What a talk shows: feeling turn by turn, its causes, strategies, skills, empathy, and what may come next.

Everything here stands on a text encoder that it is given by card; it knows words only through that, and no modality.
"""
