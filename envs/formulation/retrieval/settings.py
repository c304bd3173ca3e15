"""How retrieval is set up: which embeddings, and where the vectors live."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from envs.formulation.knowledge.errors import KnowledgeError

FILE = "retrieval.yaml"
"""In the knowledge folder; without it, everything is embedded."""

Method = Literal["bm25", "dense", "hybrid"]
METHODS: tuple[Method, ...] = ("bm25", "dense", "hybrid")


class RetrievalSettings(BaseModel):
    """What ``retrieval.yaml`` may say. Keys of services come from the environment only.

    Attributes:
        embedding: ``lsa`` needs neither download nor server; ``openai`` is any server with an
            OpenAI-compatible ``/embeddings``; ``sentence-transformers`` runs a local model.
        model: The embedding model, as the server or the library names it.
        base_url: Of the OpenAI-compatible server, such as ``http://localhost:11434/v1``.
        key_variable: The environment variable that holds that server's key.
        qdrant_url: Of a Qdrant server; without it vectors are held in memory.
        qdrant_collection: The collection there; this suite owns all of its points.
        qdrant_key_variable: The environment variable that holds Qdrant's key.
        timeout_s: Of one request to a server.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    embedding: Literal["lsa", "openai", "sentence-transformers"] = "lsa"
    model: str = ""
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    qdrant_url: str | None = None
    qdrant_collection: str = Field("lowcarbon-knowledge", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    qdrant_key_variable: str = "QDRANT_API_KEY"
    timeout_s: float = Field(30.0, gt=0, le=600)


def read_settings(folder: Path) -> RetrievalSettings:
    """The settings of a knowledge folder; the defaults where it has none.

    Raises:
        KnowledgeError: The file is there and is not what it should be.
    """
    path = folder / FILE
    if not path.is_file():
        return RetrievalSettings()
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return RetrievalSettings.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        known = ", ".join(RetrievalSettings.model_fields)
        raise KnowledgeError(f"{path}: {place}: {first['msg']}; known keys: {known}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise KnowledgeError(f"{path} cannot be read as YAML: {error}") from error
