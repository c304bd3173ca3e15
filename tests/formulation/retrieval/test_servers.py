"""Embeddings and vectors may live on servers, by configuration alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from envs.formulation.knowledge import KnowledgeError, shipped_notes
from envs.formulation.retrieval import (
    Chunk,
    RetrievalSettings,
    build_retriever,
    open_retriever,
)
from envs.formulation.retrieval.settings import read_settings
from envs.formulation.retrieval.splitting import split
from tests.formulation.retrieval.servers import Embeddings, Qdrant, served

CHUNKS = split(shipped_notes()[:20])
QUERY = "idle power of a base station"


def test_a_server_of_embeddings_is_asked_with_the_key_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    server = Embeddings()
    with served(server) as url:
        settings = RetrievalSettings(
            embedding="openai", model="tiny", base_url=f"{url}/v1", key_variable="MY_KEY"
        )
        hits = build_retriever(CHUNKS, "dense", settings).search("base station power")
    assert hits
    assert len(server.texts) == len(CHUNKS) + 1
    assert server.keys == {"Bearer sk-secret"}
    assert hits[0].chunk in CHUNKS


def test_vectors_arrive_at_their_own_chunks_whatever_the_order_of_the_answer() -> None:
    chunks = [Chunk(f"a#{i}", "a", "", text) for i, text in enumerate(["wind", "sun", "sea"])]
    with served(Embeddings()) as url:
        settings = RetrievalSettings(embedding="openai", model="tiny", base_url=f"{url}/v1")
        retriever = build_retriever(chunks, "dense", settings)
        assert [retriever.search(word)[0].chunk.text for word in ("sea", "wind")] == ["sea", "wind"]


@pytest.mark.parametrize(
    "fail",
    [
        (401, {"error": {"message": "bad key sk-secret"}}),
        (400, {"error": {"message": "no such model"}}),
        (200, {"object": "list", "data": [], "model": "m", "usage": {}}),
        (200, {"object": "list", "data": [{"index": 0, "embedding": "x"}], "model": "m"}),
        (200, {"object": "list", "model": "m"}),
        (200, "nonsense"),
    ],
    ids=["unauthorised", "no model", "too few", "no vectors", "no data", "nonsense"],
)
def test_a_failing_server_of_embeddings_ends_in_one_line(
    fail: tuple[int, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = Embeddings()
    server.fail = fail
    with served(server) as url:
        settings = RetrievalSettings(embedding="openai", model="tiny", base_url=f"{url}/v1")
        with pytest.raises(KnowledgeError, match="embedding server") as caught:
            build_retriever(CHUNKS[:1], "dense", settings)
    assert "\n" not in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_without_a_key_a_public_server_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(KnowledgeError, match="OPENAI_API_KEY"):
        build_retriever(CHUNKS, "dense", RetrievalSettings(embedding="openai", model="m"))


def test_an_embedding_without_a_model_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="model"):
        build_retriever(CHUNKS, "dense", RetrievalSettings(embedding="openai"))


def test_a_local_model_needs_its_library() -> None:
    settings = RetrievalSettings(embedding="sentence-transformers", model="folder")
    with pytest.raises(KnowledgeError, match="pip install sentence-transformers"):
        build_retriever(CHUNKS, "dense", settings)


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_a_qdrant_server_finds_what_memory_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "q-secret")
    server = Qdrant()
    with served(server) as url:
        settings = RetrievalSettings(qdrant_url=url)
        there = build_retriever(CHUNKS, "dense", settings).search(QUERY, 8)
    here = build_retriever(CHUNKS, "dense").search(QUERY, 8)
    assert [hit.chunk for hit in there] == [hit.chunk for hit in here]
    assert [hit.score for hit in there] == pytest.approx([hit.score for hit in here], abs=1e-5)
    assert server.keys == {"q-secret"}


def test_a_qdrant_server_is_sent_each_vector_once_and_forgets_what_is_gone() -> None:
    embeddings, server = Embeddings(), Qdrant()
    with served(embeddings) as url, served(server) as vectors:
        settings = RetrievalSettings(
            embedding="openai", model="tiny", base_url=f"{url}/v1", qdrant_url=vectors
        )
        build_retriever(CHUNKS, "dense", settings)
        assert server.sent == len(embeddings.texts) == len(CHUNKS)
        build_retriever(CHUNKS, "dense", settings)
        assert server.sent == len(embeddings.texts) == len(CHUNKS)
        fewer = build_retriever(CHUNKS[:-5], "hybrid", settings)
        assert server.sent == len(CHUNKS)
        assert server.engine.count(settings.qdrant_collection).count == len(CHUNKS) - 5
        gone = {chunk.id for chunk in CHUNKS[-5:]}
        assert not gone & {hit.chunk.id for hit in fewer.search(CHUNKS[-1].text, 20)}


def test_a_collection_of_another_dimension_is_made_anew() -> None:
    server = Qdrant()
    with served(server) as vectors:
        for size in (16, 32):
            with served(Embeddings(size)) as url:
                settings = RetrievalSettings(
                    embedding="openai", model=f"m{size}", base_url=f"{url}/v1", qdrant_url=vectors
                )
                assert build_retriever(CHUNKS, "dense", settings).search(QUERY)


def test_a_dead_qdrant_server_ends_in_one_line() -> None:
    settings = RetrievalSettings(qdrant_url="http://127.0.0.1:1", timeout_s=1)
    with pytest.raises(KnowledgeError, match="Qdrant server http://127.0.0.1:1") as caught:
        build_retriever(CHUNKS, "dense", settings)
    assert "\n" not in str(caught.value)


def test_a_folder_brings_its_own_configuration(tmp_path: Path) -> None:
    server = Embeddings()
    with served(server) as url:
        text = f"embedding: openai\nmodel: tiny\nbase_url: {url}/v1\n"
        (tmp_path / "retrieval.yaml").write_text(text)
        assert open_retriever("dense", folder=tmp_path).search(QUERY)
    assert server.texts[-1] == QUERY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("embedding: magic", "embedding: Input should be"),
        ("api_key: sk-1", "api_key: Extra inputs are not permitted; known keys: embedding"),
        ("qdrant_collection: ../x", "qdrant_collection"),
        ("- a", "the document"),
        ("a: [", "cannot be read as YAML"),
        ("timeout_s: -1", "timeout_s"),
    ],
)
def test_a_wrong_configuration_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "retrieval.yaml").write_text(text)
    with pytest.raises(KnowledgeError, match="retrieval.yaml") as caught:
        read_settings(tmp_path)
    assert reason in str(caught.value)
