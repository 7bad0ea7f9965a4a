"""Models that join what others say: of several channels, of face and voice, of one person over time.

They receive Tracks or Models and know no modality.
"""
