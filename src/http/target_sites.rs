//! `POST /v1/target-sites/score`: does this miRNA (or isomiR) bind this site?

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::MODELS;
use mirador_models::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};
use mirador_models::tasks::{Task, probability};
use mirna::Rna;
use mirna::isomir::{Isomir, IsomirType};
use mirna::seed::SiteType;
use mirna::sense::{Turn, Turned};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::formats::{Asked, answer};
use super::model_ref::ModelRef;
use super::openapi::ScoringProblems;
use super::panel::{OwnPanel, PanelEntry};
use super::problem::{ErrorCode, Problem};
use super::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint};
use super::state::{AppState, Models};

/// Pairs to score.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!({
    "model": "pairmap",
    "pairs": [{"id": "p1", "mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "AACUAUACAACCUACUACCUCA", "pairing": true}],
}))]
pub(super) struct ScoreRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// The miRNAs that compete with a pair's for its site, in place of those that the model knows: those of the
    /// caller's cells. Only a model that knows competitors takes it, like `pairmap@panel`. Levels count in proportion to each
    /// other. As in training, the members of a family (positions 2 to 8) are added up and its most frequent one is
    /// compared, and of more families than the model has competitors the most frequent compete.
    #[schema(nullable = false, required = false, min_items = 1, max_items = 200)]
    panel: Option<Vec<PanelEntry>>,
    /// Scored in this order.
    #[schema(min_items = 1, max_items = 10000)]
    pairs: Vec<PairRow>,
}

/// One miRNA and one candidate target site, both 5'→3'.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairRow {
    /// Echoed in the result.
    #[schema(max_length = 256)]
    id: Option<String>,
    /// Mature miRNA or isomiR, 5'→3', 15 to 30 nt; RNA or DNA letters in either case. `N` and the other IUPAC codes are
    /// unknown letters: `warnings` counts them, and at least half of the letters have to be known. Where the pair has no
    /// 7mer or 8mer and would have one if a strand were turned (3'→5', the other strand, both swapped), `warnings` says so.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{15,30}[ \t\r\n]*$")]
    mirna: String,
    /// Candidate target site on the transcript's strand, 5'→3', 6 to 100 nt; same letters.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{6,100}[ \t\r\n]*$")]
    site: String,
    /// Whether the result tells which letters pair; not every model knows.
    #[serde(default)]
    pairing: bool,
    /// The miRNA that `mirna` is an isomiR of: letters 5'→3', or, where the server has miRBase's names, a name or an
    /// accession. The result then tells how they differ.
    reference_mirna: Option<String>,
    /// The miRNA is written 3'→5': only the URL says so.
    #[serde(skip)]
    turned: bool,
}

/// The scores.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model": {"name": "pairmap", "version": "taught"},
    "results": [{
        "id": "p1", "probability": 0.9999999, "interacts": true, "site_type": "8mer",
        "warnings": [], "pairing": "((((((((((((((((((((((&))))))))))))))))))))))",
    }],
}))]
pub(super) struct ScoreResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each pair, in the order of the request.
    results: Vec<ScoreResult>,
}

/// One pair's score.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScoreResult {
    /// As in the request; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// Higher means more likely.
    #[schema(minimum = 0, maximum = 1)]
    pub(super) probability: f32,
    /// Whether `probability` reaches the model's `decision_threshold`.
    interacts: bool,
    /// The best canonical seed match that the site holds.
    site_type: SiteTypeName,
    /// What was assumed or left out in reading this pair, and what looks wrong about it.
    warnings: Vec<String>,
    /// Where it was asked for, the most probable pairs as dots and brackets: the miRNA 5'→3', `&`, the site 5'→3'.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "((((((((...((((((......&......))))))...))))))))")]
    pairing: Option<String>,
    /// Where a reference was sent: how the miRNA differs from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    isomir: Option<IsomirResult>,
}

/// How an isomiR differs from its miRNA.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IsomirResult {
    /// DMISO's types: `5p_addition`, `5p_deletion`, `5p_replacement`, the same of `3p`, `snp`, `mnp`; none for the miRNA
    /// itself.
    #[serde(rename = "type")]
    types: Vec<&'static str>,
    /// mirGFF3 1.2's `Variant`: `+` is letters more, `-` letters fewer; `NA` for the miRNA itself.
    #[schema(example = "iso_5p:-1,iso_3p:+1")]
    variant: String,
    /// mirGFF3 1.2's `Changes`: added letters in capitals, missing ones small, others as position, old and new letter.
    #[schema(example = "iso_5p:u,iso_3p:A")]
    changes: String,
}

/// Canonical seed matches after Bartel.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) enum SiteTypeName {
    #[serde(rename = "8mer")]
    EightMer,
    #[serde(rename = "7mer-m8")]
    SevenMerM8,
    #[serde(rename = "7mer-A1")]
    SevenMerA1,
    #[serde(rename = "6mer")]
    SixMer,
    #[serde(rename = "offset-6mer")]
    OffsetSixMer,
    #[serde(rename = "none")]
    None,
}

/// Score miRNA–site pairs
#[utoipa::path(
    post, path = "/v1/target-sites/score", tag = "target sites", operation_id = "score_target_sites",
    params(
        Asked,
        ("panel" = Option<String>, Query, description = "As in the body, for every format: `mirna:level` between commas"),
        ("mirna_direction" = Option<String>, Query, description = "`3to5`: the miRNAs are written 3'→5' and are turned round; else `5to3`"),
        ("column.mirna" = Option<String>, Query, description = "The column, or field, that holds the miRNA; `column.FIELD` names any field's"),
        ("column.site" = Option<String>, Query, description = "The column, or field, that holds the site"),
    ),
    request_body(description = "JSON; lines (a row of the JSON list each); or a table (a column for each field)", content(
        (ScoreRequest = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
        (String = "text/tab-separated-values"),
    )),
    responses(
        (status = 200, description = "A score for each pair", content(
            (ScoreResponse = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/tab-separated-values"),
        )),
        ScoringProblems,
    ),
)]
pub(super) async fn score(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    answer::<PairRow>(&state, &registry, request).await
}

impl ScoringEndpoint for PairRow {
    const TASK: Option<Task> = Some(Task::TargetSite);
    const LIST: &'static str = "pairs";
    const FIELDS: &'static [Column] = &[Kind::Text.column("mirna"), Kind::Text.column("site")];
    const OPTIONAL: &'static [Column] =
        &[Kind::Text.column("id"), Kind::Flag.column("pairing"), Kind::Text.column("reference_mirna")];
    const COLUMNS: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Number.column("probability"),
        Kind::Flag.column("interacts"),
        Kind::Text.column("site_type"),
        Kind::Text.column("warnings"),
        Kind::Text.column("pairing"),
    ];
    type Settings = OwnPanel;
    type Echo = PairEcho;
    type Result = ScoreResult;

    fn turn(&mut self) {
        self.turned = true;
    }

    fn columns(results: &[ScoreResult]) -> Vec<Column> {
        [Self::COLUMNS, Self::isomir_columns(results)].concat()
    }

    fn parse_row(self, panel: &OwnPanel, reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        let (pair, echo) = self.read(reader)?;
        panel.notes().iter().for_each(|note| reader.warn(note.clone()));
        Some(Parsed::one(pair, echo))
    }

    fn decode_row(answer: Answer<Self::Echo>, threshold: f32) -> ScoreResult {
        ScoreResult::new(answer.echo, answer.outputs[0], threshold, answer.warnings)
    }
}

/// Columns of a table in which an isomiR stands beside its reference.
const ISOMIR: [Column; 3] = [
    Kind::Text.column("isomir.type"),
    Kind::Text.column("isomir.variant"),
    Kind::Text.column("isomir.changes"),
];

/// What a score takes from its row.
pub(super) struct PairEcho {
    id: Option<String>,
    site_type: SiteTypeName,
    pairing: Option<String>,
    isomir: Option<IsomirResult>,
}

impl PairRow {
    /// The columns of isomiRs, where there is one among the results.
    pub(super) fn isomir_columns<'a>(
        results: impl IntoIterator<Item = &'a ScoreResult>,
    ) -> &'static [Column] {
        let any = results.into_iter().any(|result| result.isomir.is_some());
        if any { &ISOMIR } else { &[] }
    }

    /// The pair, and what a result takes from the row.
    pub(super) fn read(self, reader: &mut RowReader<'_>) -> Option<(Pair, PairEcho)> {
        reader.id(self.id.as_deref());
        let (pair, site_type) = read_pair(&self.mirna, &self.site, self.turned, reader)?;
        let pairing = if self.pairing { pairing(reader, &pair) } else { None };
        // An empty cell of a table is no reference.
        let isomir = match self.reference_mirna.filter(|text| !text.trim().is_empty()) {
            Some(reference) => isomir(&pair.mirna, &reference, reader)?,
            None => None,
        };
        Some((pair, PairEcho { id: self.id, site_type, pairing, isomir }))
    }
}

impl ScoreResult {
    /// What a logit says.
    pub(super) fn new(row: PairEcho, logit: f32, threshold: f32, warnings: Vec<String>) -> Self {
        let PairEcho { id, site_type, pairing, isomir } = row;
        let probability = probability(logit);
        Self { id, probability, interacts: probability >= threshold, site_type, warnings, pairing, isomir }
    }
}

/// The letters of a pair, the miRNA turned round where it was sent 3'→5', and the seed match; warns of a strand that seems
/// to be written the other way.
pub(super) fn read_pair(
    mirna: &str,
    site: &str,
    turned: bool,
    reader: &mut RowReader<'_>,
) -> Option<(Pair, SiteTypeName)> {
    let read_mirna = reader.mirna("mirna", mirna, turned);
    if MIRNA_LENGTHS.contains(&site.trim().len()) {
        reader.remark_on_length("are miRNA and site swapped?");
    }
    let site = reader.sequence("site", site, SITE_LENGTHS);
    let pair = Pair { mirna: read_mirna?, site: site? };
    let site_type = SiteType::best(&pair.mirna, &pair.site);
    match Turned::of(&pair.mirna, &pair.site, site_type) {
        // Turned back it would be as it was sent.
        Some(Turned { turn: Turn::MirnaReversed, site_type }) if turned => {
            let article = if site_type == SiteType::EightMer { "an" } else { "a" };
            reader.warn(format!(
                "mirna: as sent, 5'→3', this pair would have {article} {}: leave mirna_direction out",
                site_type.name()
            ));
        }
        Some(turned) => reader.warn(turned.to_string()),
        None => {}
    }
    Some((pair, site_type.into()))
}

/// How a miRNA differs from its reference; `Some(None)` where it is no isomiR of it.
fn isomir(mirna: &Rna, reference: &str, reader: &mut RowReader<'_>) -> Option<Option<IsomirResult>> {
    let reference = reader.mirna("reference_mirna", reference, false)?;
    let Some(isomir) = Isomir::of(mirna, &reference) else {
        reader.warn(
            "reference_mirna: mirna is no isomiR of it: their ends lie more than 6 nt apart, more than 3 letters differ, \
             or fewer than 12 agree"
                .into(),
        );
        return Some(None);
    };
    let types = isomir.types().map(IsomirType::name).collect();
    Some(Some(IsomirResult { types, variant: isomir.variant(), changes: isomir.changes() }))
}

/// Which letters pair, or the error that this model does not tell.
fn pairing(reader: &mut RowReader<'_>, pair: &Pair) -> Option<String> {
    let served = reader.answerer.served.as_ref()?;
    if let Some(pairing) = &served.pairing {
        return Some(pairing(pair));
    }
    let able: Vec<&str> =
        MODELS.iter().filter(|model| model.pairing.is_some()).map(|model| model.name).collect();
    let detail = format!("{} does not tell pairings; use {}", served.full_name(), able.join(" or "));
    reader.error("pairing", ErrorCode::Unsupported, detail);
    None
}

impl From<SiteType> for SiteTypeName {
    fn from(class: SiteType) -> Self {
        match class {
            SiteType::EightMer => Self::EightMer,
            SiteType::SevenMerM8 => Self::SevenMerM8,
            SiteType::SevenMerA1 => Self::SevenMerA1,
            SiteType::SixMer => Self::SixMer,
            SiteType::OffsetSixMer => Self::OffsetSixMer,
            SiteType::None => Self::None,
        }
    }
}
