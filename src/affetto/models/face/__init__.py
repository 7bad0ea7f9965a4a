"""Models that look at faces. Each takes Records with an `Image` or `Frames`; none opens a file."""
