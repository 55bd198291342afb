"""Two projects in one server, and every route of one asked with whatever opens the other."""
