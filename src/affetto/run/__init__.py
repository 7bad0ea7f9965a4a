"""Work over many items: here, and over more rows than memory holds. Knows no model and no file format."""
