"""What written words feel like."""
