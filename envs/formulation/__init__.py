"""From a designer's words to a spec: knowledge, retrieval, language models, check and repair."""
