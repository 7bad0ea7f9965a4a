"""A stranger whose card is broken."""
