//! `POST /v1/target-sites/score`: does this miRNA (or isomiR) bind this site?

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Json;
use super::models::ModelRef;
use super::offload::offload;
use super::problem::{ErrorCode, FieldError, Problem};
use super::problem_kind::ScoringProblems;
use super::state::{AppState, Models};
use crate::encoding::Encoded;
use crate::rna::Rna;
use crate::rna::seed::SiteType;
use crate::serving::Prediction;
use crate::tasks::Task;
use crate::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS, probability};

/// From here on rows are read away from the connections' threads.
const HEAVY_ROWS: usize = 256;
const MAX_ID_CHARS: usize = 128;

/// Pairs to score.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "model": "dmiso",
    "pairs": [{"id": "p1", "mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "AACUAUACAACCUACUACCUCA"}],
}))]
pub struct ScoreRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// Scored in this order.
    #[schema(min_items = 1, max_items = 10000)]
    pairs: Vec<PairRow>,
}

/// One miRNA and one candidate target site, both 5'→3'.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PairRow {
    /// Echoed in the result.
    #[schema(max_length = 128)]
    id: Option<String>,
    /// Mature miRNA or isomiR, 15 to 30 nt; RNA or DNA letters in either case, IUPAC codes are read as `N`.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{15,30}[ \t\r\n]*$")]
    mirna: String,
    /// Candidate target site, 6 to 100 nt; same letters.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{6,100}[ \t\r\n]*$")]
    site: String,
}

/// The scores.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model": {"name": "dmiso", "version": "balanced"},
    "results": [{"id": "p1", "probability": 0.998, "interacts": true, "site_type": "8mer", "warnings": []}],
}))]
pub struct ScoreResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each pair, in the order of the request.
    results: Vec<ScoreResult>,
}

/// One pair's score.
#[derive(Debug, Serialize, ToSchema)]
struct ScoreResult {
    /// As in the request; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// Higher means more likely.
    #[schema(minimum = 0, maximum = 1)]
    probability: f32,
    /// Whether `probability` reaches the model's `decision_threshold`.
    interacts: bool,
    /// The best canonical seed match that the site holds.
    site_type: SiteTypeName,
    /// What was assumed or left out in reading this pair.
    warnings: Vec<String>,
}

/// Canonical seed matches after Bartel.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
enum SiteTypeName {
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
    request_body = ScoreRequest,
    responses((status = 200, body = ScoreResponse, description = "A score for each pair"), ScoringProblems),
)]
pub async fn score(
    State(state): State<AppState>,
    Models(registry): Models,
    Json(request): Json<ScoreRequest>,
) -> Result<Response, Problem> {
    let ScoreRequest { model, pairs } = request;
    let limit = state.config().max_rows.get();
    if pairs.len() > limit {
        return Err(Problem::TooManyRows(pairs.len(), limit));
    }
    if pairs.is_empty() {
        let detail = "at least one pair is needed".into();
        return Err(Problem::InvalidInput(vec![FieldError {
            pointer: "/pairs".into(),
            code: ErrorCode::EmptyList,
            detail,
        }]));
    }
    let served = registry.resolve(Task::TargetSite, model.as_deref())?;
    let encode = served.model.encode;
    let (rows, inputs) = offload(pairs.len() >= HEAVY_ROWS, move || read_rows(pairs, encode)).await?;
    let prediction = served.predictor.predict(inputs).await?;
    let threshold = served.config.decision_threshold;
    let results = rows.into_iter().zip(&prediction.logits).map(|(row, &logit)| row.result(logit, threshold));
    let body = ScoreResponse { model: ModelRef::of(served), results: results.collect() };
    Ok(([("server-timing", server_timing(&prediction))], axum::Json(body)).into_response())
}

/// What a result takes from its row.
struct Row {
    id: Option<String>,
    site_type: SiteTypeName,
    warnings: Vec<String>,
}

impl Row {
    fn result(self, logit: f32, threshold: f32) -> ScoreResult {
        let Self { id, site_type, warnings } = self;
        let probability = probability(logit);
        ScoreResult { id, probability, interacts: probability >= threshold, site_type, warnings }
    }
}

/// All rows and their encoded inputs one after the other, or every error in them.
fn read_rows(pairs: Vec<PairRow>, encode: fn(&Pair) -> Encoded) -> Result<(Vec<Row>, Vec<f32>), Problem> {
    let (mut rows, mut inputs, mut errors) = (Vec::with_capacity(pairs.len()), Vec::new(), Vec::new());
    for (index, row) in pairs.into_iter().enumerate() {
        let mut warnings = Vec::new();
        let Some(pair) = row.read(index, &mut warnings, &mut errors) else { continue };
        if errors.is_empty() {
            let encoded = encode(&pair);
            inputs.extend(encoded.values);
            warnings.extend(encoded.warnings);
            rows.push(Row {
                id: row.id,
                site_type: SiteType::best(&pair.mirna, &pair.site).into(),
                warnings,
            });
        }
    }
    if errors.is_empty() { Ok((rows, inputs)) } else { Err(Problem::InvalidInput(errors)) }
}

impl PairRow {
    fn read(&self, index: usize, warnings: &mut Vec<String>, errors: &mut Vec<FieldError>) -> Option<Pair> {
        let id_length = self.id.as_ref().map_or(0, |id| id.chars().count());
        if id_length > MAX_ID_CHARS {
            let detail = format!("the id has {id_length} characters; up to {MAX_ID_CHARS} are accepted");
            errors.push(FieldError {
                pointer: format!("/pairs/{index}/id"),
                code: ErrorCode::IdTooLong,
                detail,
            });
        }
        let mut sequence = |field: &str, text: &str, lengths: RangeInclusive<usize>| {
            let read = Rna::parse(text, lengths);
            let error = |error| errors.push(FieldError::sequence(format!("/pairs/{index}/{field}"), &error));
            let (rna, ambiguity) = read.map_err(error).ok()?;
            warnings.extend(ambiguity.map(|ambiguity| format!("{field}: {ambiguity}")));
            Some(rna)
        };
        let mirna = sequence("mirna", &self.mirna, MIRNA_LENGTHS);
        let site = sequence("site", &self.site, SITE_LENGTHS);
        Some(Pair { mirna: mirna?, site: site? })
    }
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

/// Where the time went, for callers and for `make bench`.
fn server_timing(prediction: &Prediction) -> HeaderValue {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let text = format!("queue;dur={:.3}, forward;dur={:.3}", ms(prediction.queued), ms(prediction.forward));
    HeaderValue::from_str(&text).expect("digits and ASCII words")
}
