"""The harness: runs agents on problems, scores them, and keeps what came out.

The only package that knows Hydra, W&B, CodeCarbon and the folders results lie in.
"""
