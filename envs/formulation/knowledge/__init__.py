"""What the formulation knows: the notes that ship with the suite, and documents of the user.

``python -m benchmark kb`` is the door for people; ``envs.formulation.retrieval`` searches.
"""

from envs.formulation.knowledge.document import Document
from envs.formulation.knowledge.errors import KnowledgeError
from envs.formulation.knowledge.folder import KnowledgeFolder, default_folder
from envs.formulation.knowledge.notes import shipped_notes

__all__ = ["Document", "KnowledgeError", "KnowledgeFolder", "default_folder", "shipped_notes"]
