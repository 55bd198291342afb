"""Privacy: what may be kept and used of a person, and the proof of what they said to it."""
