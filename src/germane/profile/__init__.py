"""Analyze: what is known of a person, as a pure fold over what they did."""
