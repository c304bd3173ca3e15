"""Servers on the loopback that speak the real protocols: embeddings, and Qdrant's REST."""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from qdrant_client import QdrantClient, models

Answer = tuple[int, Any]
Handle = Callable[[str, str, Any, dict[str, str]], Answer]


@contextmanager
def served(handle: Handle) -> Iterator[str]:
    """A server that answers (method, path, body, headers) with a status and JSON."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = handle(self.command, self.path, body, headers)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Embeddings:
    """An OpenAI-compatible ``/v1/embeddings``: a word raises the coordinate of its hash."""

    def __init__(self, size: int = 64) -> None:
        self.size = size
        self.texts: list[str] = []
        self.keys: set[str] = set()
        self.fail: Answer | None = None

    def __call__(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        assert (method, path) == ("POST", "/v1/embeddings")
        self.keys.add(headers["authorization"])
        if self.fail:
            return self.fail
        self.texts += body["input"]
        data = [
            {"object": "embedding", "index": i, "embedding": self.vector(text)}
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        # A server may answer in any order; the index says which is which.
        answer = {"object": "list", "data": data[::-1], "model": body["model"], "usage": usage}
        return 200, answer

    def vector(self, text: str) -> list[float]:
        vector = [0.0] * self.size
        for word in text.lower().split():
            vector[hashlib.sha256(word.encode()).digest()[0] % self.size] += 1.0
        return vector


class Qdrant:
    """Qdrant's REST, as far as it is used, in front of the client library's own engine."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.engine = QdrantClient(":memory:")
        self.sent = 0
        self.keys: set[str | None] = set()

    def __call__(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        self.keys.add(headers.get("api-key"))
        parts = path.partition("?")[0].strip("/").split("/")
        name = parts[1]
        result = self._act(method, parts[2:], name, body)
        return 200, {"time": 0.0, "status": "ok", "result": result}

    def _act(self, method: str, rest: list[str], name: str, body: Any) -> Any:
        engine = self.engine
        if rest == ["exists"]:
            return {"exists": engine.collection_exists(name)}
        if not rest and method == "GET":
            return json.loads(engine.get_collection(name).model_dump_json())
        if not rest and method == "PUT":
            size = models.VectorParams(**body["vectors"])
            return engine.create_collection(name, vectors_config=size)
        if not rest and method == "DELETE":
            return engine.delete_collection(name)
        if rest == ["points"] and method == "PUT":
            points = [models.PointStruct(**point) for point in body["points"]]
            self.sent += len(points)
            engine.upsert(name, points)
        elif rest == ["points", "scroll"]:
            points, offset = engine.scroll(
                name, limit=body["limit"], offset=body.get("offset"), with_payload=False
            )
            return {"points": [{"id": p.id} for p in points], "next_page_offset": offset}
        elif rest == ["points", "query"]:
            found = engine.query_points(
                name, query=body["query"]["nearest"], limit=body["limit"]
            ).points
            return {"points": [{"id": p.id, "version": 0, "score": p.score} for p in found]}
        elif rest == ["points", "delete"]:
            engine.delete(name, body["points"])
        else:
            raise AssertionError(f"{method} {rest} is not what the suite should ask")
        return {"operation_id": 0, "status": "completed"}
