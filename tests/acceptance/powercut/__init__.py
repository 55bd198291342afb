"""Power cuts, replayed: a server's real writes are recorded, and the disk is rebuilt as a cut may leave it.

``trace`` reads what strace recorded, ``disk`` knows what of it is durable, ``recording`` drives the server,
``replay`` rebuilds disks and looks at what Germane finds there, ``rebuilt`` says what it should find.
"""
