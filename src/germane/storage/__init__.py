"""Bindings of the ports: SQLite, memory, Parquet history, folders of blobs."""
