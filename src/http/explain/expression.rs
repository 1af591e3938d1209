//! `POST /v1/expression/explain`: which parts of the promoter, features and miRNAs decide a predicted level?

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::interpret::{GeneChanges, Method, PartEffect};
use mirador_models::tasks::{Input, Task};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Explaining, MOST_LINES, MOST_ROWS, MethodName, Methods, ScaleName};
use crate::http::expression::{ExpressionResult, GeneRow};
use crate::http::formats::{Asked, answer};
use crate::http::model_ref::ModelRef;
use crate::http::openapi::ScoringProblems;
use crate::http::problem::Problem;
use crate::http::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint};
use crate::http::state::{AppState, Models};

/// Genes to explain.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!({
    "model": "promoter",
    "methods": ["n_mask"],
    "genes": [{
        "id": "g1",
        "promoter":
            "TCCACATGCTGCTCGGCCTGAAAAGGCAGTGGGGAGCCGGAGGGGAGGCAGAGATCGCGAGCGAGGCACCAGCCTGCAGCCGGCCC",
        "tss": 49, "half_life_features": {"measured": -0.4},
    }],
}))]
pub(crate) struct ExplainGenesRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// `n_mask`, `shuffle`; left out, both.
    #[schema(nullable = false, required = false, min_items = 1)]
    methods: Option<Vec<MethodName>>,
    /// A level is a level on either scale; taken for the other routes' sake.
    #[schema(nullable = false, required = false)]
    scale: Option<ScaleName>,
    /// Explained in this order.
    #[schema(min_items = 1, max_items = 100)]
    genes: Vec<GeneRow>,
}

/// A gene to explain; the fields are those of a gene to predict.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct ExplainRow(GeneRow);

/// The explanations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"model": {"name": "promoter", "version": "windows"}, "results": [{"id": "g1",
    "log10_expression": 0.16253808,
    "warnings": ["promoter: positions -249 to -50 were not sent and read as N",
    "promoter: positions 37 to 50 were not sent and read as N"], "promoter": [{"start": 0, "end": 5,
    "n_mask": -0.058706522}, {"start": 5, "end": 10, "n_mask": -0.06945157}, {"start": 10, "end": 15,
    "n_mask": 0.07730461}, {"start": 15, "end": 20, "n_mask": 0.067268856}, {"start": 20, "end": 25,
    "n_mask": -0.010247946}, {"start": 25, "end": 30, "n_mask": -0.045123577}, {"start": 30, "end": 35,
    "n_mask": -0.009773731}, {"start": 35, "end": 40, "n_mask": 0.16650105}, {"start": 40, "end": 45,
    "n_mask": 0.0713625}, {"start": 45, "end": 50, "n_mask": -0.008054018}, {"start": 50, "end": 55,
    "n_mask": 0.06052638}, {"start": 55, "end": 60, "n_mask": 0.19734812}, {"start": 60, "end": 65,
    "n_mask": 0.073809154}, {"start": 65, "end": 70, "n_mask": -0.1400218}, {"start": 70, "end": 75,
    "n_mask": -0.17910194}, {"start": 75, "end": 80, "n_mask": -0.03191495}, {"start": 80, "end": 86, "n_mask": 0.04427088}],
    "half_life_features": {"measured": -0.07903063}, "mirnas": {}}]}
))]
pub(crate) struct ExplainGenesResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each gene, in the order of the request.
    results: Vec<ExplainGeneResult>,
}

/// Why one gene has its level. An effect is the level less that of the changed gene, log10.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplainGeneResult {
    #[serde(flatten)]
    level: ExpressionResult,
    /// What the network reads of the promoter, in at most 50 parts of at least 5 nt.
    promoter: Vec<PromoterPart>,
    /// The effect of knowing each feature that was sent.
    #[schema(value_type = std::collections::HashMap<String, f32>)]
    half_life_features: BTreeMap<&'static str, f32>,
    /// The effect of each miRNA that was sent.
    mirnas: BTreeMap<String, f32>,
}

/// A part of the promoter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PromoterPart {
    /// Index in `promoter` of the first letter, from 0.
    start: usize,
    /// Index behind the last letter.
    end: usize,
    /// Effect of its letters as `N`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    n_mask: Option<f32>,
    /// Mean effect of 20 shuffles that keep pairs of neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    shuffle: Option<f32>,
}

/// Explain the predicted levels of genes
#[utoipa::path(
    post, path = "/v1/expression/explain", tag = "expression", operation_id = "explain_expression",
    params(
        Asked,
        ("methods" = Option<String>, Query, description = "As in the body, between commas"),
        ("scale" = Option<String>, Query, description = "As in the body"),
        ("tss" = Option<u64>, Query, description = "`tss` of every row of a FASTA file, or of a table without such a column"),
        ("column.promoter" = Option<String>, Query, description = "The column, or field, that holds the promoter; `column.FIELD` names any field's"),
        ("column.tss" = Option<String>, Query, description = "The column, or field, that holds the start of transcription"),
    ),
    request_body(description = "JSON; lines (a row of the JSON list each); or a FASTA file", content(
        (ExplainGenesRequest = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/x-fasta"),
    )),
    responses(
        (status = 200, description = "An explanation for each gene", content(
            (ExplainGenesResponse = "application/json"),
            (String = "application/x-ndjson"),
        )),
        ScoringProblems,
    ),
)]
pub(crate) async fn explain(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    answer::<ExplainRow>(&state, &registry, request).await
}

/// Those that need no pairs and no single letters.
#[derive(Clone, Debug)]
pub(crate) struct OfGenes;

impl Methods for OfGenes {
    const ALL: &'static [Method] = &[Method::NMask, Method::Shuffle];
}

/// What an explanation takes from its row.
pub(crate) struct Explained {
    id: Option<String>,
    changes: GeneChanges,
}

impl ScoringEndpoint for ExplainRow {
    const TASK: Option<Task> = Some(Task::Expression);
    const LIST: &'static str = GeneRow::LIST;
    const FIELDS: &'static [Column] = GeneRow::FIELDS;
    const OPTIONAL: &'static [Column] = GeneRow::OPTIONAL;
    const FASTA: Option<&'static str> = GeneRow::FASTA;
    const COLUMNS: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Number.column("log10_expression"),
        Kind::Text.column("promoter"),
        Kind::Text.column("half_life_features"),
        Kind::Text.column("mirnas"),
        Kind::Text.column("warnings"),
    ];
    const MOST_ROWS: usize = MOST_ROWS;
    const MOST_LINES: usize = MOST_LINES;
    type Settings = Explaining<OfGenes>;
    type Echo = Explained;
    type Result = ExplainGeneResult;

    fn parse_row(self, settings: &Self::Settings, reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        let (gene, id) = self.0.read(reader)?;
        let read = reader
            .answerer
            .served
            .as_ref()
            .map_or(0..gene.promoter.len(), |served| served.encoder.part_read(&gene));
        let (changes, list) = GeneChanges::new(&gene, read, &settings.methods);
        Some(Parsed { input: Some(Input::from(gene)), changes: list, echo: Explained { id, changes } })
    }

    fn decode_row(answer: Answer<Self::Echo>, _: f32) -> ExplainGeneResult {
        let effects = answer.echo.changes.effects(&answer.outputs);
        let level = answer.output();
        ExplainGeneResult {
            level: ExpressionResult::new(answer.echo.id, level, answer.warnings),
            promoter: effects.parts.into_iter().map(PromoterPart::new).collect(),
            half_life_features: effects.features,
            mirnas: effects.mirnas,
        }
    }
}

impl PromoterPart {
    fn new(PartEffect { letters, n_mask, shuffle }: PartEffect) -> Self {
        Self { start: letters.start, end: letters.end, n_mask, shuffle }
    }
}
