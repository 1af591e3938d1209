//! `POST /v1/target-sites/explain`: which letters decide that this miRNA binds this site?

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::interpret::{Changes, DoubleMutant, Method, rescue};
use mirador_models::tasks::{Input, Task};
use mirna::fold::duplex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Explaining, LetterEffects, MOST_LINES, MOST_ROWS, MethodName, Methods, ScaleName, caption};
use crate::http::duplexes::FoldedDuplex;
use crate::http::formats::{Asked, answer};
use crate::http::model_ref::ModelRef;
use crate::http::openapi::ScoringProblems;
use crate::http::problem::Problem;
use crate::http::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint};
use crate::http::state::{AppState, Models};
use crate::http::target_sites::{PairEcho, PairRow, ScoreResult};

/// Pairs to explain.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!(
    {"methods": ["double_mutant"], "pairs": [{"id": "p1", "mirna": "UGAGGUAGUAGGUUG", "site": "GUACCUCA"}]}
))]
pub(crate) struct ExplainRequest {
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
    pairs: Vec<PairRow>,
}

/// A pair to explain; the fields are those of a pair to score.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct ExplainRow(PairRow);

/// The explanations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"model": {"name": "pairmap", "version": "taught"}, "results": [{"id": "p1", "probability": 0.95372623,
    "interacts": true, "site_type": "7mer-A1", "warnings": [], "logit": 3.0258012, "mfe_kcal_per_mol": -9.1,
    "dot_bracket": "(((((((........&.)))))))", "pairs": [[1, 8], [2, 7], [3, 6], [4, 5], [5, 4], [6, 3], [7,
    2]], "drawing": "3' guuggaugAUGGAGU 5'\n           |||||||\n5'        gUACCUCA 3'",
    "double_mutants": [{"mirna_position": 1, "site_position": 8, "mirna_letter": "A", "site_letter": "U",
    "mirna_only": 0.93959856, "site_only": 0.81822413, "both": 0.86298895, "rescue": -0.2128244}, {"mirna_position": 2,
    "site_position": 7, "mirna_letter": "C", "site_letter": "G", "mirna_only": 0.52319276, "site_only": 0.43562084,
    "both": 0.9253006, "rescue": 0.9400707}, {"mirna_position": 3, "site_position": 6, "mirna_letter": "U",
    "site_letter": "A", "mirna_only": 0.5568758, "site_only": 0.46415478, "both": 0.9576699,
    "rescue": 1.008898}, {"mirna_position": 4, "site_position": 5, "mirna_letter": "C", "site_letter": "G",
    "mirna_only": 0.3342272, "site_only": 0.23715444, "both": 0.9583085, "rescue": 1.0068593},
    {"mirna_position": 5, "site_position": 4, "mirna_letter": "C", "site_letter": "G", "mirna_only": 0.42342934,
    "site_only": 0.35050687, "both": 0.92971694, "rescue": 0.9576374}, {"mirna_position": 6, "site_position": 3,
    "mirna_letter": "A", "site_letter": "U", "mirna_only": 0.59136885, "site_only": 0.61510384, "both": 0.9480425,
    "rescue": 0.9837835}, {"mirna_position": 7, "site_position": 2, "mirna_letter": "U", "site_letter": "A",
    "mirna_only": 0.78256005, "site_only": 0.78676766, "both": 0.96166956, "rescue": 1.0469847}],
    "rescue": 0.81877273}]}
))]
pub(crate) struct ExplainResponse {
    /// Who answered.
    model: ModelRef,
    /// One for each pair, in the order of the request.
    results: Vec<ExplainResult>,
}

/// Why one pair has its score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplainResult {
    #[serde(flatten)]
    score: ScoreResult,
    /// The network's output, of which the probability is the logistic function.
    logit: f32,
    #[serde(flatten)]
    duplex: FoldedDuplex,
    #[serde(flatten)]
    effects: LetterEffects,
    /// Each base pair of the duplex, broken on either strand and restored by both.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    double_mutants: Option<Vec<MutatedPair>>,
    /// The mean rescue of the pairs that tell one, null where none does: near 1 for a model that reads pairing, 0 or
    /// below for one that recognises letters or reads one strand alone.
    rescue: Option<f32>,
}

/// A base pair, mutated.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MutatedPair {
    /// From 1, from the miRNA's 5' end.
    mirna_position: usize,
    /// From 1, from the site's 5' end.
    site_position: usize,
    /// What stands in the miRNA's place.
    mirna_letter: char,
    /// What stands in the site's place.
    site_letter: char,
    /// Probability with the miRNA's letter changed.
    mirna_only: f32,
    /// Probability with the site's letter changed.
    site_only: f32,
    /// Probability with both changed: they pair again.
    both: f32,
    /// How much of what the single changes lose comes back with both; null where they lose no more than .05.
    rescue: Option<f32>,
}

/// Explain the scores of miRNA–site pairs
#[utoipa::path(
    post, path = "/v1/target-sites/explain", tag = "target sites", operation_id = "explain_target_sites",
    params(
        Asked,
        ("methods" = Option<String>, Query, description = "As in the body, between commas"),
        ("scale" = Option<String>, Query, description = "As in the body"),
        ("mirna_direction" = Option<String>, Query, description = "`3to5`: the miRNAs are written 3'→5' and are turned round; else `5to3`"),
        ("column.mirna" = Option<String>, Query, description = "The column, or field, that holds the miRNA; `column.FIELD` names any field's"),
        ("column.site" = Option<String>, Query, description = "The column, or field, that holds the site"),
    ),
    request_body(description = "JSON; or lines (a row of the JSON list each)", content(
        (ExplainRequest = "application/json"),
        (String = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "An explanation for each pair", content(
            (ExplainResponse = "application/json"),
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
pub(crate) struct OfPairs;

impl Methods for OfPairs {
    const ALL: &'static [Method] = &Method::ALL;
}

/// What an explanation takes from its row.
pub(crate) struct Explained {
    row: PairEcho,
    duplex: FoldedDuplex,
    changes: Changes,
    settings: Explaining<OfPairs>,
}

impl ScoringEndpoint for ExplainRow {
    const TASK: Option<Task> = Some(Task::TargetSite);
    const LIST: &'static str = PairRow::LIST;
    const FIELDS: &'static [Column] = PairRow::FIELDS;
    const OPTIONAL: &'static [Column] = PairRow::OPTIONAL;
    const COLUMNS: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Number.column("probability"),
        Kind::Flag.column("interacts"),
        Kind::Text.column("site_type"),
        Kind::Number.column("logit"),
        Kind::Number.column("mfe_kcal_per_mol"),
        Kind::Text.column("dot_bracket"),
        Kind::Number.column("rescue"),
        Kind::Text.column("importance.mirna"),
        Kind::Text.column("importance.site"),
        Kind::Text.column("warnings"),
        Kind::Text.column("pairing"),
    ];
    const DRAWS: bool = true;
    const MOST_ROWS: usize = MOST_ROWS;
    const MOST_LINES: usize = MOST_LINES;
    type Settings = Explaining<OfPairs>;
    type Echo = Box<Explained>;
    type Result = ExplainResult;

    fn turn(&mut self) {
        self.0.turn();
    }

    fn parse_row(self, settings: &Self::Settings, reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        let (pair, row) = self.0.read(reader)?;
        let folded = duplex(&pair.mirna, &pair.site);
        let pairs = folded.as_ref().map_or(&[][..], |folded| &folded.pairs);
        let pairs: Vec<_> = pairs.iter().map(|(mirna, site)| [(0, *mirna), (1, *site)]).collect();
        let duplex = FoldedDuplex::new(&pair, folded.as_ref());
        let input = Input::from(pair);
        let (changes, list) = Changes::new(&input, &settings.methods, &pairs);
        let echo = Box::new(Explained { row, duplex, changes, settings: settings.clone() });
        Some(Parsed { input: Some(input), changes: list, echo })
    }

    fn columns(results: &[ExplainResult]) -> Vec<Column> {
        let told = results.first().map_or_else(Vec::new, |first| {
            first.effects.columns(&["mirna", "site"], first.double_mutants.is_some())
        });
        let scores = PairRow::isomir_columns(results.iter().map(|result| &result.score));
        [Self::COLUMNS, &told, scores].concat()
    }

    fn picture(result: &ExplainResult) -> String {
        let effects = ["mirna", "site"].map(|strand| result.effects.importance_of(strand));
        let caption = caption(effects[0].is_some(), "binding", result.score.probability);
        result.duplex.picture(effects, &caption)
    }

    fn decode_row(answer: Answer<Self::Echo>, threshold: f32) -> ExplainResult {
        let logit = answer.output();
        let Explained { row, duplex, changes, settings } = *answer.echo;
        let effects = changes.effects(Task::TargetSite, settings.scale, &answer.outputs);
        let mutants = settings.methods.contains(&Method::DoubleMutant).then_some(&effects.double_mutants[..]);
        ExplainResult {
            score: ScoreResult::new(row, logit, threshold, answer.warnings),
            logit,
            duplex,
            double_mutants: mutants.map(|mutants| mutants.iter().map(MutatedPair::new).collect()),
            rescue: rescue(&effects.double_mutants),
            effects: LetterEffects::new(effects),
        }
    }
}

impl MutatedPair {
    fn new(mutant: &DoubleMutant) -> Self {
        let [mirna_position, site_position] = mutant.pair.map(|(_, position)| position + 1);
        let [mirna_letter, site_letter] = mutant.letters.map(mirna::Base::letter);
        let [mirna_only, site_only, both] = mutant.probabilities;
        let rescue = mutant.rescue;
        Self { mirna_position, site_position, mirna_letter, site_letter, mirna_only, site_only, both, rescue }
    }
}
