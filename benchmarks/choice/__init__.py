"""The three parts of `python -m benchmarks.bandit`."""
