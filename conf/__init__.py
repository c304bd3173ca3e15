"""Hydra values, one group a folder: ``env``, ``agent``, ``protocol``, ``tracking``. No code."""
