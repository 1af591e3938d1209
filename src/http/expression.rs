//! `POST /v1/expression/predict`: what mRNA level do this promoter, this transcript and these miRNAs imply?

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::tasks::Task;
use mirador_models::tasks::expression::{Gene, HalfLife, HalfLifeFeature, PROMOTER_LENGTHS};
use mirador_models::tasks::scale::Scale;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::formats::{Asked, answer, levels, object, whole};
use super::model_ref::ModelRef;
use super::openapi::ScoringProblems;
use super::problem::{ErrorCode, Problem};
use super::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint};
use super::state::{AppState, Models};

/// Genes to predict.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!({
    "model": "promoter",
    "genes": [{
        "id": "g1",
        "promoter":
            "TCCACATGCTGCTCGGCCTGAAAAGGCAGTGGGGAGCCGGAGGGGAGGCAGAGATCGCGAGCGAGGCACCAGCCTGCAGCCGGCCC",
        "tss": 49, "half_life_features": {"measured": -0.4},
    }],
}))]
pub(super) struct ExpressionRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// Predicted in this order.
    #[schema(min_items = 1, max_items = 10000)]
    genes: Vec<GeneRow>,
}

/// One gene.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GeneRow {
    /// Echoed in the result.
    #[schema(max_length = 256)]
    id: Option<String>,
    /// Around the start of transcription, sense strand, 5'→3', 1 to 20,000 nt; DNA or RNA letters in either case. That it
    /// is from the other strand cannot be told from its letters: a gene on the minus strand has to be turned. `N` and the
    /// other IUPAC codes are unknown letters: `warnings` counts them, and at least half of the letters have to be known.
    /// What the network reads beyond it is `N`.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]+[ \t\r\n]*$")]
    promoter: String,
    /// 0-based index of the start of transcription in `promoter`.
    #[schema(maximum = 19999)]
    #[serde(deserialize_with = "whole")]
    tss: usize,
    /// What is known of the transcript; the model's card says what its version reads.
    #[serde(default, deserialize_with = "object")]
    half_life_features: HalfLifeFeatures,
    /// Each miRNA that targets this gene, by its name among `options.mirnas` of `GET /v1/models`, and its level as the card
    /// says: 1 for the versions shipped; log10(mean reads + 0.1), −1 to 7, for a version that was trained on levels.
    #[serde(default, deserialize_with = "levels")]
    mirnas: BTreeMap<String, f64>,
}

/// Features of the transcript. Lengths and density: log10(x + 0.1), x in nt or in exons per kb of coding sequence (210 nt
/// are 2.32). GC contents: shares from 0 to 1, not percent. A number outside the range is refused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct HalfLifeFeatures {
    /// Length of the 5'UTR, log10(nt + 0.1).
    #[schema(minimum = -1, maximum = 4.5)]
    utr5_length: Option<f64>,
    /// Length of the coding sequence, log10(nt + 0.1).
    #[schema(minimum = -1, maximum = 5.1)]
    cds_length: Option<f64>,
    /// Length of all introns, log10(nt + 0.1).
    #[schema(minimum = -1, maximum = 6.5)]
    intron_length: Option<f64>,
    /// Length of the 3'UTR, log10(nt + 0.1).
    #[schema(minimum = -1, maximum = 4.6)]
    utr3_length: Option<f64>,
    /// GC share of the 5'UTR.
    #[schema(minimum = 0, maximum = 1)]
    utr5_gc: Option<f64>,
    /// GC share of the coding sequence.
    #[schema(minimum = 0, maximum = 1)]
    cds_gc: Option<f64>,
    /// GC share of the 3'UTR.
    #[schema(minimum = 0, maximum = 1)]
    utr3_gc: Option<f64>,
    /// Exons per kb of coding sequence, log10(exons per kb + 0.1).
    #[schema(minimum = -1, maximum = 2)]
    orf_exon_density: Option<f64>,
    /// Measured half-life as a z-score: scaled to mean 0 and variance 1 over genes (Saluki's table), not minutes or hours.
    #[schema(minimum = -6, maximum = 6)]
    measured: Option<f64>,
}

/// The predictions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model": {"name": "promoter", "version": "windows"},
    "results": [{"id": "g1", "log10_expression": 0.16253808,
    "warnings": ["promoter: positions -249 to -50 were not sent and read as N",
    "promoter: positions 37 to 50 were not sent and read as N"]}],
}))]
pub(super) struct ExpressionResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each gene, in the order of the request.
    results: Vec<ExpressionResult>,
}

/// One gene's level.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExpressionResult {
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
    params(
        Asked,
        ("tss" = Option<u64>, Query, description = "`tss` of every row of a FASTA file, or of a table without such a column"),
        ("column.promoter" = Option<String>, Query, description = "The column, or field, that holds the promoter; `column.FIELD` names any field's"),
        ("column.tss" = Option<String>, Query, description = "The column, or field, that holds the start of transcription"),
    ),
    request_body(description = "JSON; lines (a row of the JSON list each); a table (a column for each field); or a FASTA file", content(
        (ExpressionRequest = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
        (String = "text/tab-separated-values"),
        (String = "text/x-fasta"),
    )),
    responses(
        (status = 200, description = "A level for each gene", content(
            (ExpressionResponse = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/tab-separated-values"),
        )),
        ScoringProblems,
    ),
)]
pub(super) async fn predict(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    answer::<GeneRow>(&state, &registry, request).await
}

impl ScoringEndpoint for GeneRow {
    const TASK: Option<Task> = Some(Task::Expression);
    const LIST: &'static str = "genes";
    const FIELDS: &'static [Column] = &[Kind::Text.column("promoter"), Kind::Integer.column("tss")];
    const OPTIONAL: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Number.column("half_life_features.utr5_length"),
        Kind::Number.column("half_life_features.cds_length"),
        Kind::Number.column("half_life_features.intron_length"),
        Kind::Number.column("half_life_features.utr3_length"),
        Kind::Number.column("half_life_features.utr5_gc"),
        Kind::Number.column("half_life_features.cds_gc"),
        Kind::Number.column("half_life_features.utr3_gc"),
        Kind::Number.column("half_life_features.orf_exon_density"),
        Kind::Number.column("half_life_features.measured"),
        Kind::Number.column("mirnas.*"),
    ];
    const FASTA: Option<&'static str> = Some("promoter");
    const COLUMNS: &'static [Column] =
        &[Kind::Text.column("id"), Kind::Number.column("log10_expression"), Kind::Text.column("warnings")];
    type Settings = ();
    type Echo = Option<String>;
    type Result = ExpressionResult;

    fn parse_row(self, (): &(), reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        let (gene, id) = self.read(reader)?;
        Some(Parsed::one(gene, id))
    }

    fn decode_row(answer: Answer<Self::Echo>, _: f32) -> ExpressionResult {
        ExpressionResult::new(answer.echo, answer.outputs[0], answer.warnings)
    }
}

impl ExpressionResult {
    /// What a level says.
    pub(super) fn new(id: Option<String>, log10_expression: f32, warnings: Vec<String>) -> Self {
        Self { id, log10_expression, warnings }
    }
}

impl GeneRow {
    /// The gene and the caller's name for it.
    pub(super) fn read(self, reader: &mut RowReader<'_>) -> Option<(Gene, Option<String>)> {
        reader.id(self.id.as_deref());
        let promoter = reader.sequence("promoter", &self.promoter, PROMOTER_LENGTHS);
        if let Some(promoter) = promoter.as_ref().filter(|promoter| self.tss >= promoter.len()) {
            let detail = format!(
                "the start of transcription, {}, lies outside the promoter of {} nt; it is an index in `promoter`, from 0 \
                 to {}, not a place in the genome",
                self.tss,
                promoter.len(),
                promoter.len() - 1
            );
            reader.error("tss", ErrorCode::OutOfRange, detail);
        }
        let half_life = self.half_life_features.read(reader);
        let mut mirnas = BTreeMap::new();
        for (name, level) in self.mirnas {
            let field = format!("mirnas/{}", name.replace('~', "~0").replace('/', "~1"));
            mirnas.insert(name, number(&field, level, &Scale::MIRNA_LEVEL, reader));
        }
        Some((Gene { promoter: promoter?, tss: self.tss, half_life, mirnas }, self.id))
    }
}

impl HalfLifeFeatures {
    fn read(self, reader: &mut RowReader<'_>) -> HalfLife {
        let given = [
            (HalfLifeFeature::Utr5Length, self.utr5_length),
            (HalfLifeFeature::CdsLength, self.cds_length),
            (HalfLifeFeature::IntronLength, self.intron_length),
            (HalfLifeFeature::Utr3Length, self.utr3_length),
            (HalfLifeFeature::Utr5Gc, self.utr5_gc),
            (HalfLifeFeature::CdsGc, self.cds_gc),
            (HalfLifeFeature::Utr3Gc, self.utr3_gc),
            (HalfLifeFeature::OrfExonDensity, self.orf_exon_density),
            (HalfLifeFeature::Measured, self.measured),
        ];
        let known = given.into_iter().filter_map(|(feature, value)| Some((feature, value?)));
        let checked = known.map(|(feature, value)| {
            let field = format!("half_life_features/{}", feature.name());
            (feature, number(&field, value, &Scale::of(feature), reader))
        });
        checked.collect()
    }
}

/// Notes a number that no such quantity can be.
fn number(field: &str, value: f64, scale: &Scale, reader: &mut RowReader<'_>) -> f32 {
    if let Some(refusal) = scale.refusal(value) {
        reader.error(field, ErrorCode::OutOfRange, refusal);
    }
    value as f32
}
