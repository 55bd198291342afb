"""The HTTP edge: parse, call the engine, render. One error shape on every route."""
