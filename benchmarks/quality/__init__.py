"""Prediction quality on public data, against tuned libraries: `just bench quality`."""
