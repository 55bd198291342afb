"""Choosing one of a few actions, or nothing: features, sums, posterior, policy, words."""
