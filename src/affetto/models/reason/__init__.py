"""Language models behind one Protocol (`core.language`): any endpoint, a local one, a scripted one; and what asks them.

Knows no modality; the network is asked only where somebody named its address.
"""
