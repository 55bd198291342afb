"""The loop on real data: what `germane demo` runs."""
