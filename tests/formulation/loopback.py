"""A server on the loopback that speaks the OpenAI protocol, well or badly, as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Loopback:
    """What it will say next, and what it was asked."""

    replies: list[Reply]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(*replies: Reply) -> Iterator[Loopback]:
    """Serve replies in order; the last one again and again."""
    state = Loopback(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            state.bodies.append(json.loads(self.rfile.read(length)))
            state.keys.append(self.headers.get("authorization", ""))
            reply = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            reply(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _part(**delta: Any) -> dict[str, Any]:
    finish = delta.pop("finish", None)
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "loopback-1",
        "choices": [choice],
    }


USAGE = {
    "id": "1",
    "object": "chat.completion.chunk",
    "created": 0,
    "model": "loopback-1",
    "choices": [],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200},
}


def stream(*events: dict[str, Any] | str, done: bool = True) -> Reply:
    """A stream of events; text is sent as it is."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("connection", "close")
        handler.end_headers()
        for event in events:
            data = event if isinstance(event, str) else json.dumps(event)
            handler.wfile.write(f"data: {data}\n\n".encode())
        if done:
            handler.wfile.write(b"data: [DONE]\n\n")
        handler.close_connection = True

    return reply


def says(text: str, finish: str = "stop") -> Reply:
    """A good stream, in pieces."""
    half = len(text) // 2
    pieces = [_part(content=text[:half], role="assistant"), _part(content=text[half:])]
    return stream(*pieces, _part(finish=finish), USAGE)


def breaks_off(text: str) -> Reply:
    """A stream that ends before the answer does."""
    return stream(_part(content=text), done=False)


def fails_inside(message: str) -> Reply:
    """A stream that turns into an error."""
    return stream(_part(content="spec: 1"), {"error": {"message": message}})


def refuses(text: str) -> Reply:
    return stream(_part(refusal=text), _part(finish="stop"))


def calls_a_tool() -> Reply:
    call = {
        "index": 0,
        "id": "c",
        "type": "function",
        "function": {"name": "run", "arguments": '{"code": "import os"}'},
    }
    return stream(_part(tool_calls=[call]), _part(finish="tool_calls"))


def status(code: int, message: str = "no", kind: str = "", **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps({"error": {"message": message, "code": kind, "type": kind}}).encode()
        handler.send_response(code)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def raw(body: bytes, kind: str = "application/json") -> Reply:
    """Bytes that are no answer of the protocol."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", kind)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def hangs(state: Callable[[], Loopback]) -> Reply:
    """Says nothing until the test is over."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        state().over.wait(30)

    return reply
