"""Other people's systems as Models, so that they can be scored beside ours; they come with the extra `peers`."""
