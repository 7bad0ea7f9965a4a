"""Questions of research, asked of Records and Tracks: one file a question. Knows no model and no file."""
