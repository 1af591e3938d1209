//! `POST /v1/pre-mirnas/explain`: which letters decide that this hairpin is a mirtron?

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::interpret::{Changes, DoubleMutant, Method, rescue};
use mirador_models::tasks::{Input, Task};
use mirna::fold::fold;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Explaining, LetterEffects, MOST_LINES, MOST_ROWS, MethodName, Methods, ScaleName, caption};
use crate::http::formats::{Asked, answer};
use crate::http::model_ref::ModelRef;
use crate::http::openapi::ScoringProblems;
use crate::http::picture::{alone, picture};
use crate::http::pre_mirnas::{ClassifyResult, Echo, PreMirnaRow, without_last};
use crate::http::problem::Problem;
use crate::http::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint};
use crate::http::state::{AppState, Models};

/// Hairpins to explain.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!(
    {"methods": ["double_mutant"], "pre_mirnas": [{"id": "h1",
    "sequence": "GUGAGUGAAAAAAAAAAAAAAAAAAAAAAAAAACACUCACAG"}]}
))]
pub(crate) struct ExplainHairpinsRequest {
    /// `name` or `name@version`; left out, the default model answers.
    model: Option<String>,
    /// `n_mask`, `substitution`, `shuffle`, `double_mutant`; left out, all of them.
    #[schema(nullable = false, required = false, min_items = 1)]
    methods: Option<Vec<MethodName>>,
    /// What effects are differences of: `probability`, or `logit`, since saturated probabilities hide effects.
    #[schema(nullable = false, required = false)]
    scale: Option<ScaleName>,
    /// Explained in this order.
    #[schema(min_items = 1, max_items = 100)]
    pre_mirnas: Vec<PreMirnaRow>,
}

/// A hairpin to explain; the fields are those of a hairpin to classify.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct ExplainRow(PreMirnaRow);

/// The explanations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"model": {"name": "hairpin", "version": "grouped"}, "results": [{"id": "h1", "class": "canonical",
    "mirtron_probability": 0.3236922, "splice_acceptor": "none", "warnings": [], "logit": -0.73685515,
    "mfe_kcal_per_mol": -8.4, "dot_bracket": "(((((((..........................)))))))..", "double_mutants":
    [{"position": 1, "partner_position": 40, "letter": "C", "partner_letter": "G", "position_only":
    0.25652447, "partner_only": 0.2722074, "both": 0.03722321, "rescue": -3.8287048}, {"position": 2,
    "partner_position": 39, "letter": "A", "partner_letter": "U", "position_only": 0.5481595, "partner_only":
    0.6830115, "both": 0.2353978, "rescue": null}, {"position": 3, "partner_position": 38, "letter": "C",
    "partner_letter": "G", "position_only": 0.5363282, "partner_only": 0.5248297, "both": 0.16053206,
    "rescue": null}, {"position": 4, "partner_position": 37, "letter": "U", "partner_letter": "A",
    "position_only": 0.5897137, "partner_only": 0.58894646, "both": 0.21173006, "rescue": null}, {"position":
    5, "partner_position": 36, "letter": "C", "partner_letter": "G", "position_only": 0.53557515,
    "partner_only": 0.5117324, "both": 0.15812503, "rescue": null}, {"position": 6, "partner_position": 35,
    "letter": "A", "partner_letter": "U", "position_only": 0.5682497, "partner_only": 0.5890932, "both":
    0.4436749, "rescue": null}, {"position": 7, "partner_position": 34, "letter": "C", "partner_letter": "G",
    "position_only": 0.31639436, "partner_only": 0.30844215, "both": 0.14821465, "rescue": null}], "rescue":
    -3.8287048}]}
))]
pub(crate) struct ExplainHairpinsResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each hairpin, in the order of the request.
    results: Vec<ExplainHairpinResult>,
}

/// Why one hairpin has its class.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplainHairpinResult {
    #[serde(flatten)]
    class: ClassifyResult,
    /// The network's output, of which the probability is the logistic function.
    logit: f32,
    /// Free energy of the hairpin's structure, kcal/mol; null where nothing pairs.
    mfe_kcal_per_mol: Option<f64>,
    /// The structure of least free energy.
    dot_bracket: String,
    #[serde(skip)]
    letters: String,
    #[serde(flatten)]
    effects: LetterEffects,
    /// Each base pair of the structure, broken on either arm and restored by both.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    double_mutants: Option<Vec<MutatedHairpin>>,
    /// The mean rescue of the pairs that tell one, null where none does.
    rescue: Option<f32>,
}

/// A base pair of a hairpin, mutated. Positions count from 1.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MutatedHairpin {
    /// On the 5' arm.
    position: usize,
    /// On the 3' arm.
    partner_position: usize,
    /// What stands in the first place.
    letter: char,
    /// What stands in the partner's.
    partner_letter: char,
    /// Probability of a mirtron with the first letter changed.
    position_only: f32,
    /// Probability of a mirtron with the partner changed.
    partner_only: f32,
    /// Probability of a mirtron with both changed: they pair again.
    both: f32,
    /// How much of what the single changes lose comes back with both; null where they lose no more than .05.
    rescue: Option<f32>,
}

/// Explain the classes of hairpins
#[utoipa::path(
    post, path = "/v1/pre-mirnas/explain", tag = "pre-miRNAs", operation_id = "explain_pre_mirnas",
    params(
        Asked,
        ("methods" = Option<String>, Query, description = "As in the body, between commas"),
        ("scale" = Option<String>, Query, description = "As in the body"),
        ("column.sequence" = Option<String>, Query, description = "The column, or field, that holds the sequence; `column.FIELD` names any field's"),
    ),
    request_body(description = "JSON; lines (a row of the JSON list each); or a FASTA file", content(
        (ExplainHairpinsRequest = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/x-fasta"),
    )),
    responses(
        (status = 200, description = "An explanation for each hairpin", content(
            (ExplainHairpinsResponse = "application/json"),
            (String = "application/x-ndjson"),
            (String = "image/svg+xml"),
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

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct OfHairpins;

impl Methods for OfHairpins {
    const ALL: &'static [Method] = &Method::ALL;
}

/// What an explanation takes from its row.
pub(crate) struct Explained {
    row: Echo,
    mfe_kcal_per_mol: Option<f64>,
    dot_bracket: String,
    letters: String,
    changes: Changes,
    settings: Explaining<OfHairpins>,
}

impl ScoringEndpoint for ExplainRow {
    const TASK: Option<Task> = Some(Task::PreMirna);
    const LIST: &'static str = PreMirnaRow::LIST;
    const FIELDS: &'static [Column] = PreMirnaRow::FIELDS;
    const OPTIONAL: &'static [Column] = PreMirnaRow::OPTIONAL;
    const FASTA: Option<&'static str> = PreMirnaRow::FASTA;
    const COLUMNS: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Text.column("class"),
        Kind::Number.column("mirtron_probability"),
        Kind::Text.column("splice_acceptor"),
        Kind::Number.column("logit"),
        Kind::Number.column("mfe_kcal_per_mol"),
        Kind::Text.column("dot_bracket"),
        Kind::Number.column("rescue"),
        Kind::Text.column("importance.sequence"),
        Kind::Text.column("warnings"),
    ];
    const DRAWS: bool = true;
    const MOST_ROWS: usize = MOST_ROWS;
    const MOST_LINES: usize = MOST_LINES;
    type Settings = Explaining<OfHairpins>;
    type Echo = Box<Explained>;
    type Result = ExplainHairpinResult;

    fn parse_row(self, settings: &Self::Settings, reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        let (hairpin, row) = self.0.read(reader)?;
        let cut = without_last(&hairpin);
        let folded = fold(&hairpin.sequence);
        let pairs: Vec<_> =
            folded.structure.pairs().map(|(first, second)| [(0, first), (0, second)]).collect();
        let letters = hairpin.sequence.to_string();
        let input = Input::from(hairpin);
        let (changes, mut list) = Changes::new(&input, &settings.methods, &pairs);
        list.push(cut);
        let echo = Box::new(Explained {
            row,
            mfe_kcal_per_mol: (folded.energy < 0.0).then_some(folded.energy),
            dot_bracket: folded.structure.to_string(),
            letters,
            changes,
            settings: settings.clone(),
        });
        Some(Parsed { input: Some(input), changes: list, echo })
    }

    fn columns(results: &[ExplainHairpinResult]) -> Vec<Column> {
        let told = results.first().map_or_else(Vec::new, |first| {
            first.effects.columns(&["sequence"], first.double_mutants.is_some())
        });
        [Self::COLUMNS, &told].concat()
    }

    fn picture(result: &ExplainHairpinResult) -> String {
        let effects = result.effects.importance_of("sequence");
        let hairpin = alone("", &result.letters, effects);
        let structure = alone("", &result.dot_bracket, None);
        let caption = caption(effects.is_some(), "a mirtron", result.class.mirtron_probability);
        picture(&[hairpin, structure], &[], &caption)
    }

    fn decode_row(answer: Answer<Self::Echo>, threshold: f32) -> ExplainHairpinResult {
        let logit = answer.output();
        let cut = answer.outputs.last().copied().unwrap_or(logit);
        let Explained { row, mfe_kcal_per_mol, dot_bracket, letters, changes, settings } = *answer.echo;
        let effects = changes.effects(Task::PreMirna, settings.scale, &answer.outputs);
        let mutants = settings.methods.contains(&Method::DoubleMutant).then_some(&effects.double_mutants[..]);
        ExplainHairpinResult {
            class: ClassifyResult::new(row, [logit, cut], threshold, answer.warnings),
            logit,
            mfe_kcal_per_mol,
            dot_bracket,
            letters,
            double_mutants: mutants.map(|mutants| mutants.iter().map(MutatedHairpin::new).collect()),
            rescue: rescue(&effects.double_mutants),
            effects: LetterEffects::new(effects),
        }
    }
}

impl MutatedHairpin {
    fn new(mutant: &DoubleMutant) -> Self {
        let [position, partner_position] = mutant.pair.map(|(_, position)| position + 1);
        let [letter, partner_letter] = mutant.letters.map(mirna::Base::letter);
        let [position_only, partner_only, both] = mutant.probabilities;
        let rescue = mutant.rescue;
        Self { position, partner_position, letter, partner_letter, position_only, partner_only, both, rescue }
    }
}
