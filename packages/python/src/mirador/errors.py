"""What can go wrong, with the rows and fields that the server names."""

import json
from dataclasses import dataclass, field
from typing import Any

KIND = "urn:mirador:problem:"


class MiradorError(Exception):
    """Whatever this package raises."""


class Unreachable(MiradorError):
    """No whole reply came: nobody listens, the connection broke, or the time was over."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with what was sent."""

    code: str
    """A stable word, such as `invalid_letter`."""
    detail: str
    """What is wrong, for people."""
    pointer: str
    """Where, as the server says it: a JSON pointer into one request."""
    row: int | None = None
    """The row's position among all rows that the method was given, from 0."""
    field: str | None = None
    """The row's field, with a dot for one inside another."""

    def __str__(self) -> str:
        row = None if self.row is None else f"row {self.row}"
        place = ", ".join(part for part in (row, self.field) if part)
        return f"{place}: {self.detail}" if place else self.detail


@dataclass(eq=False)
class Problem(MiradorError):
    """The server's refusal (RFC 9457)."""

    status: int
    """HTTP's number."""
    kind: str
    """A stable word, such as `invalid-input` or `queue-full`; empty where a proxy answered."""
    detail: str
    """What is wrong, for people."""
    request_id: str | None = None
    """The name of the request in the server's log."""
    faults: list[Fault] = field(default_factory=list)
    """What is wrong with which row: the first hundred."""
    more_faults: int = 0
    """How many faults are not listed."""
    retry_after: float | None = None
    """The seconds after which the server wants to be asked again."""

    def __str__(self) -> str:
        lines = [f"{self.status} {self.kind}: {self.detail}" if self.kind else f"{self.status}: {self.detail}"]
        lines += [f"  {fault}" for fault in self.faults]
        if self.more_faults:
            lines.append(f"  and {self.more_faults} more")
        return "\n".join(lines)


def problem(status: int, body: bytes, request_id: str | None, retry_after: float | None, rows_before: int) -> Problem:
    """Reads a refusal. `rows_before`: how many rows went in earlier requests."""
    try:
        said: dict[str, Any] = json.loads(body)
        faults = [_fault(fault, rows_before) for fault in said.get("errors", [])]
        kind = str(said["type"]).removeprefix(KIND)
        return Problem(
            status, kind, said["detail"], said["request_id"], faults, said.get("more_errors", 0), retry_after
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        text = body[:200].decode(errors="replace").strip() or "no reason was given"
        return Problem(status, "", text, request_id, retry_after=retry_after)


def _fault(said: dict[str, Any], rows_before: int) -> Fault:
    pointer = str(said["pointer"])
    _, _, *path = pointer.split("/") if pointer.count("/") > 1 else ("", "")
    row = rows_before + int(path[0]) if path and path[0].isdecimal() else None
    names = [name.replace("~1", "/").replace("~0", "~") for name in path[1:]]
    return Fault(said["code"], said["detail"], pointer, row, ".".join(names) or None)
