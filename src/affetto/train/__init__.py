"""Training on torch: loops, losses, batches and export. Models and data are handed in."""
