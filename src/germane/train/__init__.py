"""Background training: from lessons in the log to a model that must prove itself before it ranks."""
