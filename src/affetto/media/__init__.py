"""Files become Records, lazily. Knows what lies on a disk; knows no model and no way to write."""
