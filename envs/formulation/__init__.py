"""From a designer's words to a spec: knowledge, retrieval, a language model, check and repair.

Everything here is optional (``pip install 'lowcarbon-bench[formulate]'``); importing this package
imports none of it.
"""
