"""Content into words for one person: templates with limits, what may be said, what must hold, how it looks."""
