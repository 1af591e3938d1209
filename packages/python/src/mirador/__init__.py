"""Asks a mirador server: does this miRNA bind this site, and what follows from it. See `Client`."""

from .client import Client
from .errors import Fault, MiradorError, Problem, Unreachable
from .jobs import Job, Jobs
from .tables import Reply, Scan, Table

__all__ = ["Client", "Fault", "Job", "Jobs", "MiradorError", "Problem", "Reply", "Scan", "Table", "Unreachable"]
