"""The results of each route, as the contract has them. What is not always there is not required here either."""

from typing import Any, Literal, TypedDict

SiteType = Literal["8mer", "7mer-m8", "7mer-A1", "6mer", "offset-6mer", "none"]


class ModelRef(TypedDict):
    """Which version of which model."""

    name: str
    version: str


class _Named(TypedDict, total=False):
    id: str


class Isomir(TypedDict):
    """How a read differs from its reference."""

    type: list[str]
    variant: str
    changes: str


class _ScoreOptions(_Named, total=False):
    pairing: str
    isomir: Isomir


class ScoreResult(_ScoreOptions):
    """Whether a miRNA binds a site: `probability` in [0, 1]."""

    probability: float
    interacts: bool
    site_type: SiteType
    warnings: list[str]


# A word of Python's cannot be a field's name in a class.
_Class = TypedDict("_Class", {"class": Literal["mirtron", "canonical"]})


class ClassifyResult(_Named, _Class):
    """Mirtron or canonical: `mirtron_probability` in [0, 1]."""

    mirtron_probability: float
    splice_acceptor: Literal["at_end", "inside", "none"]
    warnings: list[str]


class PredictResult(_Named):
    """The level of a gene's mRNA: log10 of the median RPKM."""

    log10_expression: float
    warnings: list[str]


class Duplex(TypedDict):
    """Two strands as they pair; `pairs` from 1, `mfe_kcal_per_mol` null where nothing pairs."""

    mfe_kcal_per_mol: float | None
    dot_bracket: str
    pairs: list[list[int]]
    drawing: str


class FoldResult(_Named, Duplex):
    """The duplex of a miRNA and a site."""

    site_type: SiteType
    warnings: list[str]


class _HairpinOptions(_Named, total=False):
    accessibility: list[float]


class FoldHairpinResult(_HairpinOptions):
    """The structure of one strand; `mfe_kcal_per_mol` null where nothing pairs."""

    mfe_kcal_per_mol: float | None
    dot_bracket: str
    warnings: list[str]


class Effects(TypedDict, total=False):
    """What changes of letters do to a score, by strand; those methods that were asked for."""

    n_mask: dict[str, list[list[float]]]
    importance: dict[str, list[float]]
    substitution: dict[str, list[dict[str, float | None]]]
    shuffle: dict[str, list[float]]
    double_mutants: list[dict[str, Any]]
    rescue: float | None


class ExplainResult(ScoreResult, Duplex, Effects):
    """Why a pair has its score."""

    logit: float


class ExplainHairpinResult(ClassifyResult, Effects):
    """Why a hairpin has its class."""

    logit: float
    dot_bracket: str
    mfe_kcal_per_mol: float | None


class ExplainGeneResult(PredictResult):
    """Why a gene has its level: effects as log10, of parts of the promoter and of each number that was sent."""

    promoter: list[dict[str, float]]
    half_life_features: dict[str, float]
    mirnas: dict[str, float]


class _TranscriptOptions(TypedDict, total=False):
    seedless_sites: int


class TranscriptScore(_TranscriptOptions):
    """How much a miRNA turns a transcript down: sort by `rank_score`."""

    mirna: str
    transcript: str
    repression_score: float
    rank_score: float
    canonical_sites: int
    weak_sites: int
    best_probability: float | None
    warnings: list[str]


class Site(TypedDict):
    """One site on a transcript: positions from 0, the end not included."""

    mirna: str
    transcript: str
    kind: Literal["canonical", "seedless"]
    site_type: str
    start: int
    end: int
    window: list[int]
    probability: float | None
    repression: float | None
    mfe_kcal_per_mol: float | None
    pairing: str | None


class _ModelOptions(TypedDict, total=False):
    caution: str


class ModelRow(ModelRef, _ModelOptions):
    """One version of one model."""

    task: str
    default: bool
    default_version: bool
    description: str
    limits: dict[str, dict[str, int]]
    decision_threshold: float | None
