"""The vocabulary of the loop: frozen types and ports. No I/O, and no import of anything else of Germane."""
