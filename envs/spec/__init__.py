"""The spec language: documents, units, expressions and their diagnostics."""
