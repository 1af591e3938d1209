"""A server that replies what it is told to, and keeps what it was asked."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Fake:
    """Replies (status, headers, body) are used up in their order; `None` breaks the connection off."""

    replies: list[tuple[int, dict[str, str], Any] | None]
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> "Fake":
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                fake.asked.append(Asked(self.command, self.path, dict(self.headers), body))
                reply = fake.replies.pop(0)
                if reply is None:
                    self.close_connection = True
                    return
                status, headers, said = reply
                text = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = reply

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


def ok(said: Any) -> tuple[int, dict[str, str], Any]:
    """A good reply."""
    return 200, {}, said


def refusal(status: int, kind: str, headers: dict[str, str] | None = None, **more: Any) -> tuple[int, dict[str, str], Any]:
    """A problem body."""
    said = {"type": f"urn:mirador:problem:{kind}", "status": status, "detail": "because", "request_id": "r1", **more}
    return status, headers or {}, said
