"""Speed and quality, measured. Each benchmark is one command and writes `results/`."""
