"""Learners and reference rows behind one small protocol.

Agents see Gymnasium spaces and vector environments, never a spec and never the harness. Importing
this package imports neither torch nor any learner: each agent lives in a module of its own, named
by the ``_target_`` of its ``conf/agent/NAME.yaml``.
"""

from agents.protocol import Agent, Budget, Checkpoint, Differentiates, Monitor, Resumable

__all__ = ["Agent", "Budget", "Checkpoint", "Differentiates", "Monitor", "Resumable"]
