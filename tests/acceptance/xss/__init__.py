"""Every field that a page or a mail shows, filled with payloads (``germane.testing.xss``), in real Chromium."""
