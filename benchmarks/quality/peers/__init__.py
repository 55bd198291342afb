"""The peers. Runs in an environment of its own, which has no Germane in it."""
