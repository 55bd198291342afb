"""Pages for people: rendered here, without a build step and without any outside host."""
