"""What a folder of runs shows: one page that needs no network, a table, figures.

``reading`` takes run folders for what they are, untrusted; ``boards`` groups what may be compared
and nothing else; ``standings`` does the statistics; ``figures``, ``pictures`` and ``tables`` give
them form; ``page`` puts them together.
"""
