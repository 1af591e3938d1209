"""One request, repeated where that is allowed and of use."""

import random
import time
from typing import Final

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, InvalidHeader, NewConnectionError, ReadTimeoutError
from urllib3.util.retry import Retry

from .errors import Problem, Unreachable, problem

TOLD_TO_WAIT: Final = (429, 503)
# A broken connection is tried so often; a server that asks to wait, for as long as the caller has patience.
ATTEMPTS: Final = 5
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 10.0
# What the server's own word that the time is over may take to arrive.
GRACE_S: Final = 5.0


class Connection:
    """A server's address with all that every request says."""

    def __init__(self, url: str, key: str | None, timeout: float, patience: float) -> None:
        self.url: Final = url.rstrip("/")
        self.timeout: Final = timeout
        self.patience: Final = patience
        headers = {"X-Deadline-Ms": str(max(1, round(timeout * 1000)))}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._headers: Final = headers
        limits = urllib3.Timeout(connect=10.0, read=timeout + GRACE_S)
        self._pool: Final = urllib3.PoolManager(timeout=limits, retries=False)

    def close(self) -> None:
        """Closes what is kept open."""
        self._pool.clear()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: dict[str, str] | None = None,
        rows_before: int = 0,
        repeatable: bool = True,
    ) -> bytes:
        """The body of a reply.

        429 and 503 mean that nothing was done: the request is sent again after the server's `Retry-After`, while that
        ends within `patience`. A broken connection is tried again up to five times, if the request is `repeatable` or
        was never sent. Time that is over is never tried again.
        """
        ends, attempt = time.monotonic() + self.patience, 0
        while True:
            attempt += 1
            pause = min(FIRST_PAUSE_S * 2 ** (attempt - 1), LONGEST_PAUSE_S)
            # Callers that failed together shall not come back together.
            pause *= random.uniform(1.0, 1.25)
            failed: Problem | Unreachable
            try:
                reply = self._pool.request(
                    method, self.url + path, body=body, headers={**self._headers, **(headers or {})}
                )
            except (ReadTimeoutError, ConnectTimeoutError) as error:
                raise Unreachable(f"{self.url}: no reply within {self.timeout:g} s") from error
            except HTTPError as error:
                failed = Unreachable(f"{self.url}: {error}")
                if attempt == ATTEMPTS or not (repeatable or isinstance(error, NewConnectionError)):
                    raise failed from error
            else:
                if reply.status < 300:
                    return reply.data
                try:
                    told = Retry().get_retry_after(reply) if reply.status in TOLD_TO_WAIT else None
                except InvalidHeader:  # a proxy's own
                    told = None
                failed = problem(reply.status, reply.data, reply.headers.get("X-Request-Id"), told, rows_before)
                pause = max(pause, told or 0.0)
                if reply.status not in TOLD_TO_WAIT or time.monotonic() + pause > ends:
                    raise failed
            time.sleep(pause)
