"""What is attainable: proven bounds, best known solutions and forecasting controllers of problems.

The reference of a library problem is computed once (`compute`), committed beside this file, and
read back by digest (`load_reference`).
"""

from envs.oracle.reference import COMMITTED, Reference, compute, load_reference

__all__ = ["COMMITTED", "Reference", "compute", "load_reference"]
