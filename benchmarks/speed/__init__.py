"""How fast Germane is, each against a limit or a peer in the same run: `just bench speed [NAME ...]`.

`ingest`, `decide`, `loop`, `start`, `scale`, `instructions`; without a name, all of them. The data are made
once and kept in the folder that GERMANE_SPEED_CACHE names: the large ones are 8 GB, and take an hour.
"""
