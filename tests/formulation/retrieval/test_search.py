"""Search finds what answers, in the same order every time, and quotes it harmlessly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envs.formulation.knowledge import (
    Document,
    KnowledgeError,
    KnowledgeFolder,
    shipped_notes,
)
from envs.formulation.knowledge.gold import GoldQuery, gold_queries
from envs.formulation.retrieval import (
    METHODS,
    Chunk,
    Hit,
    Retriever,
    build_retriever,
    open_retriever,
)
from envs.formulation.retrieval.measures import Measures, mean, measure, section_of
from envs.formulation.retrieval.splitting import CHUNK_SIZE, split
from tests.formulation.knowledge.documents import write

CHUNKS = split(shipped_notes())


@pytest.fixture(scope="module", params=METHODS)
def retriever(request: pytest.FixtureRequest) -> Retriever:
    return build_retriever(CHUNKS, request.param)


def test_chunks_have_stable_ids_and_are_small() -> None:
    assert len({chunk.id for chunk in CHUNKS}) == len(CHUNKS)
    assert all(re.fullmatch(r"[a-z0-9_]+#[0-9]+", chunk.id) for chunk in CHUNKS)
    assert all(0 < len(chunk.text) <= CHUNK_SIZE for chunk in CHUNKS)
    assert split(shipped_notes()) == CHUNKS


def test_neighbours_of_a_long_section_overlap() -> None:
    text = " ".join(f"word{i}" for i in range(500))
    first, second, *_ = split([Document("long", "Long", "long.txt", text, markdown=False)])
    shared = set(first.text.split()) & set(second.text.split())
    assert 100 <= len(" ".join(shared)) <= 200


def test_a_clear_question_is_answered_first(retriever: Retriever) -> None:
    hits = retriever.search("ASHRAE recommended server inlet temperature range class A1")
    assert hits[0].chunk.id.startswith("inlet_limits#")
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_search_is_the_same_every_time() -> None:
    for method in METHODS:
        first, second = build_retriever(CHUNKS, method), build_retriever(CHUNKS, method)
        for query in gold_queries()[:8]:
            assert first.search(query.query, 10) == second.search(query.query, 10)


@pytest.mark.parametrize("query", ["", "   ", "?!", "the of and", "zzzzqqq xyzzyplugh", "‮\x1b"])
def test_a_query_without_known_words_finds_nothing(retriever: Retriever, query: str) -> None:
    assert retriever.search(query) == []


def test_a_long_query_is_no_harm(retriever: Retriever) -> None:
    assert len(retriever.search("base station sleep " * 20_000, 3)) == 3


def test_an_answer_is_as_long_as_asked_for(retriever: Retriever) -> None:
    for limit in (1, 4, 20):
        assert len(retriever.search("power of a base station", limit)) == limit


def test_a_document_of_ones_own_is_found_among_the_notes(tmp_path: Path) -> None:
    KnowledgeFolder(tmp_path).add(
        write(tmp_path, "ferry.txt", "The electric ferry Aurelia crosses the fjord on 4 MWh.")
    )
    for method in METHODS:
        hits = open_retriever(method, folder=tmp_path).search("energy of the ferry Aurelia")
        assert hits[0].chunk.id.startswith("ferry-")
        assert hits[0].chunk.source == "ferry.txt"


def test_a_document_cannot_pass_for_a_note(tmp_path: Path) -> None:
    base = KnowledgeFolder(tmp_path)
    base.add(write(tmp_path, "wind_harvesting.md", "# Wind power\n\nTurbines run on coal.\n"))
    own = {document.name for document in base.documents()}
    assert not own & {note.name for note in shipped_notes()}


def test_a_small_base_is_searched_too() -> None:
    for count in (1, 2, 3, 7):
        chunks = [Chunk(f"a#{i}", "a", "A", f"alpha beta{i}") for i in range(count)]
        for method in METHODS:
            assert build_retriever(chunks, method).search("beta0")[0].chunk.id == "a#0"


def test_a_base_without_words_is_refused() -> None:
    for method in ("dense", "hybrid"):
        with pytest.raises(KnowledgeError, match="no words"):
            build_retriever([Chunk("a#0", "a", "!", "?!")], method)
    with pytest.raises(KnowledgeError, match="empty"):
        build_retriever([], "bm25")


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="known: bm25, dense, hybrid"):
        build_retriever(CHUNKS, "magic")


def test_every_answer_of_the_gold_set_is_a_section_of_a_note() -> None:
    sections = {section_of(chunk) for chunk in CHUNKS}
    queries = gold_queries()
    assert len(queries) >= 60
    assert len({query.query for query in queries}) == len(queries)
    assert {q.kind for q in queries} == {"clear", "paraphrased", "underspecified", "distractors"}
    asked = {(n, h) for q in queries for n, headings in q.answers.items() for h in headings}
    assert asked <= sections


def test_every_note_answers_some_query_of_the_gold_set() -> None:
    assert {note.name for note in shipped_notes()} == {n for q in gold_queries() for n in q.answers}


class Fixed:
    """Answers the first chunk of each of these notes, in this order."""

    def __init__(self, *notes: str) -> None:
        self.hits = [
            Hit(next(chunk for chunk in CHUNKS if chunk.id == f"{note}#0"), 1.0) for note in notes
        ]

    def search(self, query: str, limit: int = 4) -> list[Hit]:
        return self.hits[:limit]


def test_measures_are_those_of_a_known_ranking() -> None:
    ranking = Fixed("wind_harvesting", "fading", "pv_harvesting", "fading", "uav_communication")
    found = measure(ranking, GoldQuery("clear", "?", {"fading": ("Distributions", "Traps")}))
    assert found == Measures(precision=0.5, recall=0.5, reciprocal_rank=0.5, found=1.0)
    answers = {"uav_communication": ("Propulsion dominates",)}
    found = measure(ranking, GoldQuery("clear", "?", answers))
    assert found == Measures(precision=0, recall=0, reciprocal_rank=0.2, found=0)


@pytest.mark.parametrize("method", METHODS)
def test_most_questions_are_answered_among_the_first_four(method: str) -> None:
    retriever = build_retriever(CHUNKS, method)
    overall = mean([measure(retriever, query) for query in gold_queries()])
    assert overall.recall > 0.65
    assert overall.found > 0.8
