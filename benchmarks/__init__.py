"""What is measured, and how: whole processes, medians, intervals; every kept number lies in `benchmarks/results`."""
