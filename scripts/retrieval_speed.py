"""How fast retrieval is at 20,000 chunks: ``python scripts/retrieval_speed.py [--qdrant-local]``.

The chunks are the shipped notes' sentences, shuffled and mixed with invented words in the
frequencies of natural text, so that vocabulary and lengths are those of a real library.
"""

import argparse
import statistics
import time
import warnings

import numpy as np

from envs.formulation.knowledge import shipped_notes
from envs.formulation.knowledge.gold import gold_queries
from envs.formulation.retrieval import METHODS, Chunk, Retriever, build_retriever
from envs.formulation.retrieval.dense import InMemoryVectors
from envs.formulation.retrieval.embeddings import LatentSemantics
from envs.formulation.retrieval.splitting import CHUNK_SIZE, split

INVENTED = 40_000
"""Words of the invented vocabulary."""
INVENTED_SHARE = 0.5
"""Of the words of a chunk."""
INDEX_S, QUERY_S = 30.0, 0.050
"""What is promised: seconds of one core, so that a busy machine does not decide; and of a clock."""


def library(count: int, seed: int = 0) -> list[Chunk]:
    """Chunks of about 1,000 characters."""
    rng = np.random.default_rng(seed)
    sentences = [s for c in split(shipped_notes()) for s in c.text.split(". ") if len(s) > 20]
    # Zipf's law: the k-th word stands for 1/k of the first.
    chances = 1 / np.arange(1, INVENTED + 1)
    invented = rng.choice(INVENTED, 200_000, p=chances / chances.sum())
    chunks = []
    for number in range(count):
        text = ""
        while len(text) < 0.9 * CHUNK_SIZE:
            words = sentences[rng.integers(len(sentences))].split()
            start = rng.integers(len(invented) - len(words))
            for place in np.flatnonzero(rng.random(len(words)) < INVENTED_SHARE):
                words[place] = f"w{invented[start + place]}"
            text += " ".join(words) + ". "
        chunks.append(Chunk(f"library#{number}", "library", f"Part {number // 50}", text))
    return chunks


def query_times(retriever: Retriever) -> tuple[float, float]:
    """Median and greatest seconds of a query, after one to warm up."""
    queries = [query.query for query in gold_queries()]
    retriever.search(queries[0])
    times = []
    for query in queries:
        started = time.perf_counter()
        retriever.search(query)
        times.append(time.perf_counter() - started)
    return statistics.median(times), max(times)


def qdrant_local(chunks: list[Chunk]) -> None:
    """What qdrant-client's embedded mode takes for the same vectors."""
    from qdrant_client import QdrantClient, models

    texts = [f"{chunk.title}\n{chunk.text}" for chunk in chunks]
    embedding = LatentSemantics(texts)
    vectors, queries = embedding.embed(texts), embedding.embed([q.query for q in gold_queries()])
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = QdrantClient(":memory:")
        size = models.VectorParams(size=vectors.shape[1], distance=models.Distance.DOT)
        client.create_collection("speed", vectors_config=size)
        for start in range(0, len(chunks), 1_000):
            part = vectors[start : start + 1_000]
            points = [
                models.PointStruct(id=start + i, vector=row.tolist()) for i, row in enumerate(part)
            ]
            client.upsert("speed", points)
    print(f"qdrant local  adding the vectors {time.perf_counter() - started:6.2f} s", end="")
    _print_search(lambda row: client.query_points("speed", query=row.tolist(), limit=4), queries)
    memory = InMemoryVectors(vectors)
    print(f"numpy         adding the vectors {0:6.2f} s", end="")
    _print_search(lambda row: memory.nearest(row, 4), queries)


def _print_search(search: object, queries: np.ndarray) -> None:
    assert callable(search)
    search(queries[0])
    times = []
    for row in queries:
        started = time.perf_counter()
        search(row)
        times.append(time.perf_counter() - started)
    median, most = 1e3 * statistics.median(times), 1e3 * max(times)
    print(f"   search {median:6.2f} ms in the median, {most:6.2f} ms at most")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--qdrant-local", action="store_true", help="measure it beside NumPy")
    options = parser.parse_args()
    chunks = library(options.chunks)
    length = statistics.mean(len(chunk.text) for chunk in chunks)
    print(f"{len(chunks):,} chunks of {length:.0f} characters in the mean")
    for method in METHODS:
        started, used = time.perf_counter(), time.process_time()
        retriever = build_retriever(chunks, method)
        indexing = time.perf_counter() - started
        used = time.process_time() - used
        median, most = query_times(retriever)
        kept = "kept" if used < INDEX_S and most < QUERY_S else "NOT KEPT"
        print(
            f"{method:<7} indexing {indexing:6.2f} s ({used:.2f} s of one core)   query "
            f"{1e3 * median:6.2f} ms in the median, {1e3 * most:6.2f} ms at most   promise {kept}"
        )
    if options.qdrant_local:
        qdrant_local(chunks)


if __name__ == "__main__":
    main()
