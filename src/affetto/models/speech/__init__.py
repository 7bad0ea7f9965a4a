"""Models that listen to speech. Each takes Records with an `Audio`; none opens a file."""
