"""Work that outlasts a request, where the server was started with `--jobs-dir`."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from .connection import Connection
from .tables import Rows, Table, read

ENDED: Final = frozenset({"COMPLETE", "EXECUTOR_ERROR", "SYSTEM_ERROR", "CANCELED"})
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0


@dataclass(frozen=True)
class Job:
    """How far a job is."""

    id: str
    state: str
    """QUEUED, RUNNING, COMPLETE, EXECUTOR_ERROR, SYSTEM_ERROR or CANCELED."""
    said: Mapping[str, Any]
    """All that the server says of it."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED


class Jobs:
    """A server's jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def submit(
        self,
        operation: str,
        rows: Rows,
        *,
        model: str | None = None,
        callback: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Hands rows over: `submit("target-sites/score", rows)`.

        However often the request has to be sent, there is one job: it has a key of its own, or yours, with which a
        program that was started again gets the job that it had.
        """
        lines = "".join(json.dumps(row, allow_nan=False) + "\n" for row in read(rows)[0])
        asked = {"operation": operation, "model": model, "callback": callback}
        query = urlencode({name: value for name, value in asked.items() if value is not None}, safe="/")
        headers = {
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": idempotency_key or str(uuid.uuid4()),
        }
        return _job(self._connection.ask("POST", f"/v1/jobs?{query}", lines.encode(), headers=headers))

    def get(self, job: Job | str) -> Job:
        """How far it is now."""
        return _job(self._connection.ask("GET", _path(job)))

    def wait(self, job: Job | str, timeout: float | None = None) -> Job:
        """Waits until it has ended, well or badly.

        Raises TimeoutError after `timeout` seconds; the job goes on.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_PAUSE_S
        while not (now := self.get(job)).ended:
            if ends is not None and time.monotonic() + pause > ends:
                raise TimeoutError(f"job {now.id} is {now.state} after {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_S)
        return now

    def results(self, job: Job | str) -> Table[dict[str, Any]]:
        """A result for each row, in order; of a bad row its `line` and `errors`."""
        lines = self._connection.ask("GET", f"{_path(job)}/results", headers={"Accept": "application/x-ndjson"})
        return Table([json.loads(line) for line in lines.splitlines() if line.strip()])

    def delete(self, job: Job | str) -> None:
        """Cancels a job that runs, deletes one that has ended.

        Not sent again when the connection breaks: a second time it would delete what the first has cancelled.
        """
        self._connection.ask("DELETE", _path(job), repeatable=False)


def _path(job: Job | str) -> str:
    return f"/v1/jobs/{quote(job.id if isinstance(job, Job) else job, safe='')}"


def _job(reply: bytes) -> Job:
    said = json.loads(reply)
    return Job(said["id"], said["state"], said)
