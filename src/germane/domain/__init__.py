"""The vocabulary of the loop: frozen types and ports. No I/O, and no import of anything else of Germane.

The types hold no cycles, so the garbage collector need not visit them (``gc=False``): a server keeps
hundreds of thousands of them, and looking through them took 100 ms every quarter of a minute.
"""
