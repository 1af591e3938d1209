//! `POST /v1/expression/predict`: what mRNA level do this promoter, this transcript and these miRNAs imply?

use std::collections::BTreeMap;

use axum::extract::{Query, Request, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::formats::{Asked, answer};
use super::models::ModelRef;
use super::problem::{ErrorCode, Problem};
use super::problem_kind::ScoringProblems;
use super::rows::{Answer, Column, Kind, Question, RowReader};
use super::state::{AppState, Models};
use crate::tasks::expression::{Gene, HalfLife, PROMOTER_LENGTHS};
use crate::tasks::{Input, Task};

/// Far beyond any logarithm or share; a number that makes a network's output infinite is refused.
const LARGEST: f64 = 1_000.0;

/// Genes to predict.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "model": "mirex",
    "genes": [{
        "id": "ENSG00000141510", "promoter": "CCTTACTTGTCATGGCGACTGTCCAGCTTTGTGCCAGGAGCCTCGCAGGGGTTGATGGGA", "tss": 49,
        "half_life_features": {"measured": -0.4}, "mirnas": {"hsa-miR-34a-5p": 1.0},
    }],
}))]
pub struct ExpressionRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// Predicted in this order.
    #[schema(min_items = 1, max_items = 10000)]
    genes: Vec<GeneRow>,
}

/// One gene.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneRow {
    /// Echoed in the result.
    #[schema(max_length = 128)]
    id: Option<String>,
    /// Around the start of transcription, sense strand, 5'→3', 1 to 20,000 nt; DNA or RNA letters in either case, IUPAC
    /// codes are read as `N`. What the network reads beyond it is `N`.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]+[ \t\r\n]*$")]
    promoter: String,
    /// 0-based index of the start of transcription in `promoter`.
    #[schema(maximum = 19999)]
    tss: usize,
    /// What is known of the transcript; the model's card says what its version reads.
    #[serde(default)]
    half_life_features: HalfLifeFeatures,
    /// Each miRNA that targets this gene, by the name on the model's card, and its level, log10(mean reads + 0.1).
    #[serde(default)]
    mirnas: BTreeMap<String, f64>,
}

/// Features of the transcript, each −1000 to 1000. Lengths and density: log10(x + 0.1), x in nt or in exons per kb of
/// coding sequence. GC contents: shares.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct HalfLifeFeatures {
    /// Length of the 5'UTR.
    utr5_length: Option<f64>,
    /// Length of the coding sequence.
    cds_length: Option<f64>,
    /// Length of all introns.
    intron_length: Option<f64>,
    /// Length of the 3'UTR.
    utr3_length: Option<f64>,
    /// GC share of the 5'UTR.
    utr5_gc: Option<f64>,
    /// GC share of the coding sequence.
    cds_gc: Option<f64>,
    /// GC share of the 3'UTR.
    utr3_gc: Option<f64>,
    /// Exons per kb of coding sequence.
    orf_exon_density: Option<f64>,
    /// Measured half-life, scaled to mean 0 and variance 1 over genes.
    measured: Option<f64>,
}

/// The predictions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model": {"name": "mirex", "version": "public_windows"},
    "results": [{"id": "ENSG00000141510", "log10_expression": 1.21, "warnings": []}],
}))]
pub struct ExpressionResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each gene, in the order of the request.
    results: Vec<ExpressionResult>,
}

/// One gene's level.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpressionResult {
    /// As in the request; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// log10 of the level, in the unit that the model's card names.
    log10_expression: f32,
    /// What was assumed or left out in reading this gene.
    warnings: Vec<String>,
}

/// Predict the expression of genes
#[utoipa::path(
    post, path = "/v1/expression/predict", tag = "expression", operation_id = "predict_expression",
    params(Asked),
    request_body(content(
        (ExpressionRequest = "application/json"),
        (GeneRow = "application/x-ndjson"),
        (String = "text/csv"),
        (String = "text/tab-separated-values"),
    )),
    responses(
        (status = 200, description = "A level for each gene", content(
            (ExpressionResponse = "application/json"),
            (ExpressionResult = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/tab-separated-values"),
        )),
        ScoringProblems,
    ),
)]
pub async fn predict(
    State(state): State<AppState>,
    Models(registry): Models,
    Query(asked): Query<Asked>,
    request: Request,
) -> Result<Response, Problem> {
    answer::<GeneRow>(&state, &registry, asked, request).await
}

impl Question for GeneRow {
    const TASK: Task = Task::Expression;
    const LIST: &'static str = "genes";
    const FIELDS: &'static [Column] = &[Kind::Text.column("promoter"), Kind::Integer.column("tss")];
    const COLUMNS: &'static [Column] =
        &[Kind::Text.column("id"), Kind::Number.column("log10_expression"), Kind::Text.column("warnings")];
    type Request = ExpressionRequest;
    type Kept = Option<String>;
    type Result = ExpressionResult;

    fn rows(ExpressionRequest { model, genes }: ExpressionRequest) -> (Option<String>, Vec<Self>) {
        (model, genes)
    }

    fn read(self, reader: &mut RowReader<'_>) -> Option<(Input, Self::Kept)> {
        reader.id(self.id.as_deref());
        let promoter = reader.sequence("promoter", &self.promoter, PROMOTER_LENGTHS);
        if let Some(promoter) = promoter.as_ref().filter(|promoter| self.tss >= promoter.len()) {
            let detail = format!("index {} lies outside the promoter of {} nt", self.tss, promoter.len());
            reader.error("tss", ErrorCode::OutOfRange, detail);
        }
        let half_life = self.half_life_features.read(reader);
        let mut mirnas = BTreeMap::new();
        for (name, level) in self.mirnas {
            let field = format!("mirnas/{}", name.replace('~', "~0").replace('/', "~1"));
            mirnas.insert(name, number(&field, level, reader));
        }
        Some((Gene { promoter: promoter?, tss: self.tss, half_life, mirnas }.into(), self.id))
    }

    fn result(Answer { kept: id, output, warnings }: Answer<Self::Kept>, _: f32) -> ExpressionResult {
        ExpressionResult { id, log10_expression: output, warnings }
    }
}

impl HalfLifeFeatures {
    fn read(self, reader: &mut RowReader<'_>) -> HalfLife {
        let mut read = |name: &str, value: Option<f64>| {
            value.map(|value| number(&format!("half_life_features/{name}"), value, reader))
        };
        HalfLife {
            utr5_length: read("utr5_length", self.utr5_length),
            cds_length: read("cds_length", self.cds_length),
            intron_length: read("intron_length", self.intron_length),
            utr3_length: read("utr3_length", self.utr3_length),
            utr5_gc: read("utr5_gc", self.utr5_gc),
            cds_gc: read("cds_gc", self.cds_gc),
            utr3_gc: read("utr3_gc", self.utr3_gc),
            orf_exon_density: read("orf_exon_density", self.orf_exon_density),
            measured: read("measured", self.measured),
        }
    }
}

/// Notes a number that no such quantity can be.
fn number(field: &str, value: f64, reader: &mut RowReader<'_>) -> f32 {
    if value.abs() > LARGEST {
        let detail = format!("{value} is out of range; -{LARGEST} to {LARGEST} are accepted");
        reader.error(field, ErrorCode::OutOfRange, detail);
    }
    value as f32
}
