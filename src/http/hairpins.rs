//! `POST /v1/hairpins/fold`: how does this strand fold, and where is it open?

use std::ops::RangeInclusive;

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::tasks::Task;
use mirna::fold::{Accessibility, fold as fold_strand};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::formats::{Asked, answer, whole_number};
use super::openapi::ScoringProblems;
use super::problem::Problem;
use super::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint, Settings};
use super::state::{AppState, Models};

/// Lengths of a strand, nt.
const LENGTHS: RangeInclusive<usize> = 10..=500;
/// RNAplfold's `-W` and `-L`, as for sites of miRNAs.
const WINDOW: usize = 80;
const SPAN: usize = 40;

/// Strands to fold.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!({
    "hairpins": [{"id": "h1", "sequence": "GGGUGAGGUAGUAGGUUGUAUAGUUUGGGGCUCUGCCCUGCUAUGGGAUAACUAUACAAUCUACUGUCUUUCCUGA"}],
}))]
pub(super) struct HairpinRequest {
    /// Letters of a window: asks for the probability that all of them are unpaired.
    #[schema(minimum = 1, maximum = 80, nullable = false, required = false)]
    accessibility: Option<usize>,
    /// Folded in this order.
    #[schema(min_items = 1, max_items = 10000)]
    hairpins: Vec<HairpinRow>,
}

/// One strand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HairpinRow {
    /// Echoed in the result.
    #[schema(max_length = 256)]
    id: Option<String>,
    /// 5'→3', 10 to 500 nt; RNA or DNA letters in either case. `N` pairs with nothing.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{10,500}[ \t\r\n]*$")]
    sequence: String,
}

/// The structures.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"results": [{"id": "h1", "mfe_kcal_per_mol": -34.8,
    "dot_bracket": "(((.(((((((((((((((((((((((((((...)))))).........))))))))))))))))))))).)))..",
    "warnings": []}]}
))]
pub(super) struct HairpinResponse {
    /// One for each strand, in the order of the request.
    results: Vec<HairpinResult>,
}

/// The structure of least free energy of one strand (nearest neighbour, Turner 2004, 37 °C; as `RNAfold`).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HairpinResult {
    /// As in the request; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// Free energy, kcal/mol; null where nothing pairs.
    mfe_kcal_per_mol: Option<f64>,
    /// All letters, 5'→3'.
    dot_bracket: String,
    /// Where it was asked for: for each window, 5'→3', the probability that all its letters are unpaired, the mean over
    /// stretches of 80 nt in which letters pair over at most 40 (as `RNAplfold -W 80 -L 40`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    accessibility: Option<Vec<f32>>,
    /// What was assumed or left out in reading this strand.
    warnings: Vec<String>,
}

/// Fold strands
#[utoipa::path(
    post, path = "/v1/hairpins/fold", tag = "structure", operation_id = "fold_hairpins",
    params(
        Asked,
        ("accessibility" = Option<usize>, Query, description = "As in the body", minimum = 1, maximum = 80),
        ("column.sequence" = Option<String>, Query, description = "The column, or field, that holds the sequence; `column.FIELD` names any field's"),
    ),
    request_body(description = "JSON; lines (a row of the JSON list each); a table (a column for each field); or a FASTA file", content(
        (HairpinRequest = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
        (String = "text/tab-separated-values"),
        (String = "text/x-fasta"),
    )),
    responses(
        (status = 200, description = "A structure for each strand", content(
            (HairpinResponse = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv", example = "id,mfe_kcal_per_mol,dot_bracket,accessibility,warnings\nh1,-34.8,(((.(((((((((((((((((((((((((((...)))))).........))))))))))))))))))))).)))..,,\n"),
            (String = "text/tab-separated-values", example = "id\tmfe_kcal_per_mol\tdot_bracket\taccessibility\twarnings\nh1\t-34.8\t(((.(((((((((((((((((((((((((((...)))))).........))))))))))))))))))))).)))..\t\t\n"),
        )),
        ScoringProblems,
    ),
)]
pub(super) async fn fold(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    answer::<HairpinRow>(&state, &registry, request).await
}

/// Letters of an open window, where that is asked for.
#[derive(Clone, Default)]
pub(super) struct Opening(Option<usize>);

impl Settings for Opening {
    const NAMES: &'static [&'static str] = &["accessibility"];

    fn take(&mut self, _: &str, value: &Value) -> Result<(), String> {
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let letters = whole_number(number).and_then(|number| usize::try_from(number).ok());
        self.0 = letters.filter(|letters| (1..=WINDOW).contains(letters));
        self.0.map(drop).ok_or_else(|| format!("accessibility has to be a number of letters, 1 to {WINDOW}"))
    }
}

impl ScoringEndpoint for HairpinRow {
    const TASK: Option<Task> = None;
    const LIST: &'static str = "hairpins";
    const FIELDS: &'static [Column] = &[Kind::Text.column("sequence")];
    const OPTIONAL: &'static [Column] = &[Kind::Text.column("id")];
    const FASTA: Option<&'static str> = Some("sequence");
    const COLUMNS: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Number.column("mfe_kcal_per_mol"),
        Kind::Text.column("dot_bracket"),
        Kind::Text.column("accessibility"),
        Kind::Text.column("warnings"),
    ];
    const MOST_LINES: usize = 2;
    type Settings = Opening;
    type Echo = HairpinResult;
    type Result = HairpinResult;

    fn lengths() -> Vec<(&'static str, RangeInclusive<usize>)> {
        vec![("sequence_nt", LENGTHS)]
    }

    fn work(&self) -> u64 {
        // What is longer is refused and not folded.
        let letters = Some(self.sequence.len()).filter(|letters| LENGTHS.contains(letters));
        (letters.unwrap_or(0) as u64).pow(3)
    }

    fn parse_row(self, Opening(open): &Opening, reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        reader.id(self.id.as_deref());
        let rna = reader.sequence("sequence", &self.sequence, LENGTHS)?;
        let folded = fold_strand(&rna);
        if open.is_some_and(|letters| letters > rna.len()) {
            reader.warn("accessibility: the strand is shorter than a window".into());
        }
        let accessibility = open.map(|letters| {
            let all = Accessibility::of(&rna, WINDOW, SPAN).map(|folded| folded.unpaired(letters));
            all.unwrap_or_default().into_iter().map(|probability| probability as f32).collect()
        });
        let result = HairpinResult {
            id: self.id,
            mfe_kcal_per_mol: (folded.energy < 0.0).then_some(folded.energy),
            dot_bracket: folded.structure.to_string(),
            accessibility,
            warnings: Vec::new(),
        };
        Some(Parsed { input: None, changes: Vec::new(), echo: result })
    }

    fn decode_row(answer: Answer<Self::Echo>, _: f32) -> HairpinResult {
        HairpinResult { warnings: answer.warnings, ..answer.echo }
    }
}
