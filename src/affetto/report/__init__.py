"""Records, Tracks and results for people to look at. One module a kind of page or picture; knows no model by name."""
