"""The service's questions, a method each."""

import json
import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote, urlencode

from .connection import Connection
from .errors import MiradorError
from .jobs import Jobs
from .results import (
    ClassifyResult,
    ExplainGeneResult,
    ExplainHairpinResult,
    ExplainResult,
    FoldHairpinResult,
    FoldResult,
    ModelRow,
    PredictResult,
    ScoreResult,
)
from .tables import Reply, Rows, Scan, Sequences, Table, read, sequences

R = TypeVar("R", bound=Mapping[str, object])
Method = Literal["n_mask", "substitution", "shuffle", "double_mutant"]
# Rows of one request: a slow network answers so many well within a minute.
BLOCK: Final = 1000
# An explanation scores hundreds of variants of a row.
EXPLAINED: Final = 10


class Client:
    """A mirador server. Safe to share between threads.

    Every method takes any number of rows, as dictionaries or as a frame of pandas, and sends them in blocks. All but
    jobs only compute, so that a request may be sent again: after `Retry-After` where the server is busy (429, 503), and
    up to five times where a connection breaks.

    Raises `Problem` where the server refuses and `Unreachable` where it does not answer.
    """

    def __init__(
        self, url: str | None = None, *, key: str | None = None, timeout: float = 60.0, patience: float = 60.0
    ) -> None:
        """Names a server; nothing is sent yet.

        url: by default MIRADOR_URL, else http://127.0.0.1:8080. key: an API key, by default MIRADOR_KEY. timeout: most
        seconds for one request; the server drops what takes longer. patience: most seconds to come back in when the
        server says that it is busy.
        """
        url = url or os.environ.get("MIRADOR_URL") or "http://127.0.0.1:8080"
        self._connection: Final = Connection(url, key or os.environ.get("MIRADOR_KEY"), timeout, patience)
        self.jobs: Final = Jobs(self._connection)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are kept open."""
        self._connection.close()

    def score(
        self,
        pairs: Rows,
        *,
        model: str | None = None,
        panel: Iterable[Mapping[str, object]] | None = None,
        mirna_direction: Literal["3to5"] | None = None,
    ) -> Reply[ScoreResult]:
        """Whether each miRNA binds its site. Rows: `mirna`, `site`; if you like `id`, `pairing`, `reference_mirna`.

        panel: miRNAs (`mirna`, `level`) that compete for the sites, for a model that compares.
        """
        body = {"model": model, "panel": None if panel is None else [dict(entry) for entry in panel]}
        return self._rows("target-sites/score", "pairs", pairs, body, {"mirna_direction": mirna_direction})

    def classify(self, pre_mirnas: Rows, *, model: str | None = None) -> Reply[ClassifyResult]:
        """Whether each hairpin is a mirtron or a canonical pre-miRNA. Rows: `sequence`; if you like `id`."""
        return self._rows("pre-mirnas/classify", "pre_mirnas", pre_mirnas, {"model": model})

    def predict(self, genes: Rows, *, model: str | None = None) -> Reply[PredictResult]:
        """The mRNA level of each gene. Rows: `promoter`, `tss` (from 0); if you like `id`, `half_life_features`, `mirnas`."""
        return self._rows("expression/predict", "genes", genes, {"model": model})

    def explain(
        self,
        pairs: Rows,
        *,
        methods: Iterable[Method] | None = None,
        scale: Literal["probability", "logit"] | None = None,
        model: str | None = None,
    ) -> Reply[ExplainResult]:
        """Why each pair has its score. Rows as for `score`."""
        body = _asked(methods, scale, model)
        return self._rows("target-sites/explain", "pairs", pairs, body, block=EXPLAINED)

    def explain_hairpins(
        self,
        pre_mirnas: Rows,
        *,
        methods: Iterable[Method] | None = None,
        scale: Literal["probability", "logit"] | None = None,
        model: str | None = None,
    ) -> Reply[ExplainHairpinResult]:
        """Why each hairpin has its class. Rows as for `classify`."""
        body = _asked(methods, scale, model)
        return self._rows("pre-mirnas/explain", "pre_mirnas", pre_mirnas, body, block=EXPLAINED)

    def explain_genes(
        self,
        genes: Rows,
        *,
        methods: Iterable[Literal["n_mask", "shuffle"]] | None = None,
        model: str | None = None,
    ) -> Reply[ExplainGeneResult]:
        """Why each gene has its level. Rows as for `predict`."""
        return self._rows("expression/explain", "genes", genes, _asked(methods, None, model), block=EXPLAINED)

    def fold(self, pairs: Rows) -> Reply[FoldResult]:
        """The duplex of each miRNA and its site, and its energy in kcal/mol. Rows: `mirna`, `site`; if you like `id`."""
        return self._rows("duplexes/fold", "pairs", pairs, {})

    def fold_hairpins(self, hairpins: Rows, *, accessibility: int | None = None) -> Reply[FoldHairpinResult]:
        """The structure of each strand, and its energy in kcal/mol. Rows: `sequence`; if you like `id`.

        accessibility: also the probability that so many nt from each position are unpaired.
        """
        return self._rows("hairpins/fold", "hairpins", hairpins, {"accessibility": accessibility})

    def scan(
        self,
        mirnas: Sequences,
        transcripts: Sequences,
        *,
        seedless: bool = False,
        min_probability: float | None = None,
        sites: bool = True,
        model: str | None = None,
        repression_model: str | None = None,
    ) -> Scan:
        """The sites of miRNAs on transcripts, and the transcripts by `rank_score`. Names are needed, each once.

        It is one request with a server's limits: the program `mirador scan` takes whole files.
        """
        body = {
            "mirnas": sequences(mirnas),
            "transcripts": sequences(transcripts),
            "seedless": seedless,
            "min_probability": min_probability,
            "sites": sites,
            "model": model,
            "repression_model": repression_model,
        }
        said = self._post("target-sites/scan", body, {}, 0)
        scores, found = Table(said["transcripts"]), Table(said.get("sites", []))
        return Scan(said["model"], said["repression_model"], scores, found)

    def models(self) -> Table[ModelRow]:
        """Every version of every model that is served."""
        return Table(json.loads(self._connection.ask("GET", "/v1/models"))["models"])

    def model(self, name: str) -> dict[str, Any]:
        """A version's whole card, by `name` or `name@version`."""
        card: dict[str, Any] = json.loads(self._connection.ask("GET", f"/v1/models/{quote(name, safe='@')}"))
        return card

    def _rows(
        self,
        route: str,
        name: str,
        rows: Rows,
        body: Mapping[str, object],
        options: Mapping[str, str | None] | None = None,
        block: int = BLOCK,
    ) -> Reply[R]:
        """Asks about all rows, a block at a time. No rows are a request too: the server says what it thinks of them."""
        asked, index = read(rows)
        results: list[Any] = []
        model = None
        for start in range(0, max(1, len(asked)), block):
            said = self._post(route, {**body, name: asked[start : start + block]}, options or {}, start)
            if start > 0 and said.get("model") != model:
                raise MiradorError(f"{model} answered first, {said.get('model')} from row {start} on: ask again")
            model = said.get("model")
            results += said["results"]
        return Reply(results, index, model)

    def _post(
        self, route: str, body: Mapping[str, object], options: Mapping[str, str | None], rows_before: int
    ) -> dict[str, Any]:
        query = urlencode({name: value for name, value in options.items() if value is not None})
        sent = json.dumps({name: value for name, value in body.items() if value is not None}, allow_nan=False)
        reply = self._connection.ask(
            "POST",
            f"/v1/{route}?{query}" if query else f"/v1/{route}",
            sent.encode(),
            headers={"Content-Type": "application/json"},
            rows_before=rows_before,
        )
        said: dict[str, Any] = json.loads(reply)
        return said


def _asked(methods: Iterable[str] | None, scale: str | None, model: str | None) -> dict[str, object]:
    return {"methods": None if methods is None else list(methods), "scale": scale, "model": model}
