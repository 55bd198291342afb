"""One I/O call of a real server, or of a command, fails; then nothing acknowledged may be missing."""
