//! `POST /v1/pre-mirnas/classify`: is this hairpin a mirtron or a canonical pre-miRNA?

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Json;
use super::models::ModelRef;
use super::problem::Problem;
use super::problem_kind::ScoringProblems;
use super::rows::{Answer, Answers, RequestRow, RowReader, answer};
use super::state::{AppState, Models};
use crate::tasks::pre_mirna::{LENGTHS, PreMirna};
use crate::tasks::{Input, Task, probability};

/// Hairpins to classify.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "model": "premirna_cnn_lstm",
    "pre_mirnas": [{
        "id": "hsa-mir-1226",
        "sequence": "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG",
    }],
}))]
pub struct ClassifyRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// Classified in this order.
    #[schema(min_items = 1, max_items = 10000)]
    pre_mirnas: Vec<PreMirnaRow>,
}

/// One hairpin, 5'→3'.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreMirnaRow {
    /// Echoed in the result.
    #[schema(max_length = 128)]
    id: Option<String>,
    /// The hairpin, 40 to 164 nt; RNA or DNA letters in either case, IUPAC codes are read as `N`.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{40,164}[ \t\r\n]*$")]
    sequence: String,
}

/// The classes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model": {"name": "premirna_cnn_lstm", "version": "grouped"},
    "results": [{"id": "hsa-mir-1226", "class": "mirtron", "mirtron_probability": 0.97, "warnings": []}],
}))]
pub struct ClassifyResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each hairpin, in the order of the request.
    results: Vec<ClassifyResult>,
}

/// One hairpin's class.
#[derive(Debug, Serialize, ToSchema)]
struct ClassifyResult {
    /// As in the request; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// `mirtron` where `mirtron_probability` reaches the model's `decision_threshold`.
    class: PreMirnaClass,
    /// Higher means more likely a mirtron.
    #[schema(minimum = 0, maximum = 1)]
    mirtron_probability: f32,
    /// What was assumed in reading this hairpin.
    warnings: Vec<String>,
}

/// How a pre-miRNA is made.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PreMirnaClass {
    /// Spliced out as a whole short intron.
    Mirtron,
    /// Cut by Drosha.
    Canonical,
}

/// Classify pre-miRNAs
#[utoipa::path(
    post, path = "/v1/pre-mirnas/classify", tag = "pre-miRNAs", operation_id = "classify_pre_mirnas",
    request_body = ClassifyRequest,
    responses((status = 200, body = ClassifyResponse, description = "A class for each hairpin"), ScoringProblems),
)]
pub async fn classify(
    State(state): State<AppState>,
    Models(registry): Models,
    Json(request): Json<ClassifyRequest>,
) -> Result<Response, Problem> {
    let ClassifyRequest { model, pre_mirnas } = request;
    let served = registry.resolve(Task::PreMirna, model.as_deref())?;
    let Answers { rows, timing } = answer(pre_mirnas, served, &state).await?;
    let threshold = served.config.threshold();
    let results = rows.into_iter().map(|row| ClassifyResult::of(row, threshold));
    let body = ClassifyResponse { model: ModelRef::of(served), results: results.collect() };
    Ok(([("server-timing", timing)], axum::Json(body)).into_response())
}

impl RequestRow for PreMirnaRow {
    const LIST: &'static str = "pre_mirnas";
    type Kept = Option<String>;

    fn read(self, reader: &mut RowReader<'_>) -> Option<(Input, Self::Kept)> {
        reader.id(self.id.as_deref());
        let sequence = reader.sequence("sequence", &self.sequence, LENGTHS)?;
        Some((PreMirna { sequence }.into(), self.id))
    }
}

impl ClassifyResult {
    fn of(Answer { kept: id, output, warnings }: Answer<Option<String>>, threshold: f32) -> Self {
        let mirtron_probability = probability(output);
        let class = match mirtron_probability >= threshold {
            true => PreMirnaClass::Mirtron,
            false => PreMirnaClass::Canonical,
        };
        Self { id, class, mirtron_probability, warnings }
    }
}
