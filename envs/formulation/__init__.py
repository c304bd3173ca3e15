"""From a designer's words to a spec: knowledge, retrieval, language model, check and repair.

Everything here needs the extra ``lowcarbon-bench[formulate]``; importing ``envs`` does not.
"""
