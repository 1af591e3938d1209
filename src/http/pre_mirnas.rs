//! `POST /v1/pre-mirnas/classify`: is this hairpin a mirtron or a canonical pre-miRNA?

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::networks::premirna_cnn_lstm::CAUTION;
use mirador_models::tasks::pre_mirna::{LENGTHS, PreMirna};
use mirador_models::tasks::{Task, probability};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::formats::{Asked, answer};
use super::model_ref::ModelRef;
use super::openapi::ScoringProblems;
use super::problem::Problem;
use super::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint};
use super::state::{AppState, Models};

const OTHER_STRAND: &str = "sequence: the reverse complement has the ends of an intron (GU…AG), as a mirtron has; send \
                            the transcribed strand, 5'→3'";

/// Hairpins to classify.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!({
    "model": "premirna_cnn_lstm",
    "pre_mirnas": [{
        "id": "hsa-let-7a-1",
        "sequence": "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA",
    }],
}))]
pub(super) struct ClassifyRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// Classified in this order.
    #[schema(min_items = 1, max_items = 10000)]
    pre_mirnas: Vec<PreMirnaRow>,
}

/// One hairpin, 5'→3'.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreMirnaRow {
    /// Echoed in the result.
    #[schema(max_length = 256)]
    id: Option<String>,
    /// The hairpin as miRBase cuts it, on the transcribed strand, 5'→3', 40 to 164 nt; RNA or DNA letters in either case.
    /// The ends decide: cut elsewhere (as Drosha cuts, or with flanks), a canonical hairpin looks like a mirtron; the
    /// model's `caution` has the figures. That it is from the other strand is seen, and warned of, only where the ends of
    /// an intron tell. `N` and the other IUPAC codes are unknown letters: `warnings` counts them, and at least half of the
    /// letters have to be known.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{40,164}[ \t\r\n]*$")]
    sequence: String,
}

/// The classes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model": {"name": "premirna_cnn_lstm", "version": "grouped"},
    "results": [
        {"id": "hsa-let-7a-1", "class": "canonical", "mirtron_probability": 0.00016456647, "warnings": [CAUTION]},
    ],
}))]
pub(super) struct ClassifyResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each hairpin, in the order of the request.
    results: Vec<ClassifyResult>,
}

/// One hairpin's class.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClassifyResult {
    /// As in the request; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// `mirtron` where `mirtron_probability` reaches the model's `decision_threshold`.
    class: PreMirnaClass,
    /// Higher means more likely a mirtron.
    #[schema(minimum = 0, maximum = 1)]
    pub(super) mirtron_probability: f32,
    /// What was assumed in reading this hairpin, and what the model's answer depends on.
    warnings: Vec<String>,
}

/// How a pre-miRNA is made.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PreMirnaClass {
    /// Spliced out as a whole short intron.
    Mirtron,
    /// Cut by Drosha.
    Canonical,
}

/// Classify pre-miRNAs
#[utoipa::path(
    post, path = "/v1/pre-mirnas/classify", tag = "pre-miRNAs", operation_id = "classify_pre_mirnas",
    params(
        Asked,
        ("column.sequence" = Option<String>, Query, description = "The column, or field, that holds the hairpin; `column.id` names the id's"),
    ),
    request_body(description = "JSON; lines (a row of the JSON list each); a table (a column for each field); or a FASTA file", content(
        (ClassifyRequest = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
        (String = "text/tab-separated-values"),
        (String = "text/x-fasta"),
    )),
    responses(
        (status = 200, description = "A class for each hairpin", content(
            (ClassifyResponse = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/tab-separated-values"),
        )),
        ScoringProblems,
    ),
)]
pub(super) async fn classify(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    answer::<PreMirnaRow>(&state, &registry, request).await
}

impl ScoringEndpoint for PreMirnaRow {
    const TASK: Option<Task> = Some(Task::PreMirna);
    const LIST: &'static str = "pre_mirnas";
    const FIELDS: &'static [Column] = &[Kind::Text.column("sequence")];
    const OPTIONAL: &'static [Column] = &[Kind::Text.column("id")];
    const FASTA: Option<&'static str> = Some("sequence");
    const COLUMNS: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Text.column("class"),
        Kind::Number.column("mirtron_probability"),
        Kind::Text.column("warnings"),
    ];
    type Settings = ();
    type Echo = Option<String>;
    type Result = ClassifyResult;

    fn parse_row(self, (): &(), reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        let (hairpin, id) = self.read(reader)?;
        Some(Parsed::one(hairpin, id))
    }

    fn decode_row(answer: Answer<Self::Echo>, threshold: f32) -> ClassifyResult {
        ClassifyResult::new(answer.echo, answer.outputs[0], threshold, answer.warnings)
    }
}

impl PreMirnaRow {
    /// The hairpin, and the caller's name for it; warns of the other strand.
    pub(super) fn read(self, reader: &mut RowReader<'_>) -> Option<(PreMirna, Option<String>)> {
        reader.id(self.id.as_deref());
        let hairpin = PreMirna { sequence: reader.sequence("sequence", &self.sequence, LENGTHS)? };
        if hairpin.is_intron_reversed() {
            reader.warn(OTHER_STRAND.to_owned());
        }
        Some((hairpin, self.id))
    }
}

impl ClassifyResult {
    /// What a logit says.
    pub(super) fn new(id: Option<String>, logit: f32, threshold: f32, warnings: Vec<String>) -> Self {
        let mirtron_probability = probability(logit);
        let class = match mirtron_probability >= threshold {
            true => PreMirnaClass::Mirtron,
            false => PreMirnaClass::Canonical,
        };
        Self { id, class, mirtron_probability, warnings }
    }
}
