"""Predict: what is most relevant for this person, here and now, and with what probability it was chosen."""
