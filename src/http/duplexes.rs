//! `POST /v1/duplexes/fold`: how do this miRNA and this site pair, and how firmly?

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::tasks::Task;
use mirador_models::tasks::target_site::Pair;
use mirna::fold::{Duplex, duplex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::formats::{Asked, answer};
use super::openapi::ScoringProblems;
use super::picture::{aligned, picture};
use super::problem::Problem;
use super::rows::{Answer, Column, Kind, Parsed, RowReader, ScoringEndpoint};
use super::state::{AppState, Models};
use super::target_sites::{SiteTypeName, read_pair};

/// Pairs to fold.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `formats::json` reads row by row")]
#[schema(example = json!({
    "pairs": [{"id": "p1", "mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "GCACAGCCUAUUGAACUACCUCA"}],
}))]
pub(super) struct FoldRequest {
    /// Folded in this order.
    #[schema(min_items = 1, max_items = 10000)]
    pairs: Vec<DuplexRow>,
}

/// One miRNA and one site, both 5'→3'.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DuplexRow {
    /// Echoed in the result.
    #[schema(max_length = 256)]
    id: Option<String>,
    /// Mature miRNA or isomiR, 5'→3', 15 to 30 nt; RNA or DNA letters in either case.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{15,30}[ \t\r\n]*$")]
    mirna: String,
    /// Site on the transcript's strand, 5'→3', 6 to 100 nt; same letters. `N` pairs with nothing.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{6,100}[ \t\r\n]*$")]
    site: String,
    /// The miRNA is written 3'→5': only the URL says so.
    #[serde(skip)]
    turned: bool,
}

/// The duplexes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"results": [{"id": "p1", "mfe_kcal_per_mol": -21.2,
    "dot_bracket": "((((((((((((((((......&..))))))).....)))))))))", "pairs": [[1, 23], [2, 22], [3, 21], [4,
    20], [5, 19], [6, 18], [7, 17], [8, 16], [9, 15], [10, 9], [11, 8], [12, 7], [13, 6], [14, 5], [15, 4], [16,
    3]],
    "drawing": "3' uugauaUGUUGGA-----UGAUGGAGU 5'\n         |||:|||     |||||||||\n5'     gcACAGCCUAUUGAACUACCUCA 3'",
    "site_type": "8mer", "warnings": []}]}
))]
pub(super) struct FoldResponse {
    /// One for each pair, in the order of the request.
    results: Vec<FoldResult>,
}

/// One pair's duplex.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoldResult {
    /// As in the request; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    #[serde(flatten)]
    duplex: FoldedDuplex,
    /// The best canonical seed match that the site holds.
    site_type: SiteTypeName,
    /// What was assumed or left out in reading this pair, and what looks wrong about it.
    warnings: Vec<String>,
}

/// The duplex of least free energy (nearest neighbour, Turner 2004, 37 °C, neighbours of helices counted on both sides; as
/// `RNAduplex`). No letter pairs within its own strand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct FoldedDuplex {
    /// Free energy, kcal/mol; null where nothing pairs.
    #[schema(example = -21.2)]
    mfe_kcal_per_mol: Option<f64>,
    /// All letters of the miRNA 5'→3', `&`, all letters of the site 5'→3'.
    #[schema(example = "(((((.......((((.)))))...&")]
    dot_bracket: String,
    /// Positions that pair, from 1, of the miRNA and of the site, each from its 5' end.
    pairs: Vec<[usize; 2]>,
    /// The miRNA 3'→5' over the site 5'→3': `|` Watson-Crick, `:` G·U, `-` where a strand has no letter, small letters
    /// beyond the duplex; empty where nothing pairs.
    drawing: String,
    #[serde(skip)]
    letters: [String; 2],
}

/// Fold miRNA–site pairs
#[utoipa::path(
    post, path = "/v1/duplexes/fold", tag = "structure", operation_id = "fold_duplexes",
    params(
        Asked,
        ("mirna_direction" = Option<String>, Query, description = "`3to5`: the miRNAs are written 3'→5' and are turned round; else `5to3`"),
        ("column.mirna" = Option<String>, Query, description = "The column, or field, that holds the miRNA; `column.FIELD` names any field's"),
        ("column.site" = Option<String>, Query, description = "The column, or field, that holds the site"),
    ),
    request_body(description = "JSON; lines (a row of the JSON list each); or a table (a column for each field)", content(
        (FoldRequest = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/csv"),
        (String = "text/tab-separated-values"),
    )),
    responses(
        (status = 200, description = "A duplex for each pair", content(
            (FoldResponse = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv", example = "id,mfe_kcal_per_mol,dot_bracket,site_type,warnings\np1,-21.2,((((((((((((((((......&..))))))).....))))))))),8mer,\n"),
            (String = "text/tab-separated-values", example = "id\tmfe_kcal_per_mol\tdot_bracket\tsite_type\twarnings\np1\t-21.2\t((((((((((((((((......&..))))))).....)))))))))\t8mer\t\n"),
            (String = "image/svg+xml"),
        )),
        ScoringProblems,
    ),
)]
pub(super) async fn fold(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    answer::<DuplexRow>(&state, &registry, request).await
}

impl ScoringEndpoint for DuplexRow {
    const TASK: Option<Task> = None;
    const LIST: &'static str = "pairs";
    const FIELDS: &'static [Column] = &[Kind::Text.column("mirna"), Kind::Text.column("site")];
    const OPTIONAL: &'static [Column] = &[Kind::Text.column("id")];
    const COLUMNS: &'static [Column] = &[
        Kind::Text.column("id"),
        Kind::Number.column("mfe_kcal_per_mol"),
        Kind::Text.column("dot_bracket"),
        Kind::Text.column("site_type"),
        Kind::Text.column("warnings"),
    ];
    const DRAWS: bool = true;
    type Settings = ();
    type Echo = (Option<String>, FoldedDuplex, SiteTypeName);
    type Result = FoldResult;

    fn turn(&mut self) {
        self.turned = true;
    }

    fn work(&self) -> u64 {
        // 22 × 50 nt: 32 µs.
        30 * (self.mirna.len() * self.site.len()) as u64
    }

    fn parse_row(self, (): &(), reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        reader.id(self.id.as_deref());
        let (pair, site_type) = read_pair(&self.mirna, &self.site, self.turned, reader)?;
        let duplex = FoldedDuplex::new(&pair, duplex(&pair.mirna, &pair.site).as_ref());
        Some(Parsed { input: None, changes: Vec::new(), echo: (self.id, duplex, site_type) })
    }

    fn picture(result: &FoldResult) -> String {
        let energy = result
            .duplex
            .mfe_kcal_per_mol
            .map_or("nothing pairs".into(), |energy| format!("{energy} kcal/mol"));
        result.duplex.picture([None, None], &energy)
    }

    fn decode_row(answer: Answer<Self::Echo>, _: f32) -> FoldResult {
        let (id, duplex, site_type) = answer.echo;
        FoldResult { id, duplex, site_type, warnings: answer.warnings }
    }
}

impl FoldedDuplex {
    /// A picture, with bars for the effects of the letters of miRNA and site where there are some.
    pub(super) fn picture(&self, effects: [Option<&[f32]>; 2], caption: &str) -> String {
        let letters = self.letters.each_ref().map(String::as_str);
        let (strands, bonds) = aligned(letters, &self.pairs, effects);
        picture(&strands, &bonds, caption)
    }

    /// What is told of a duplex, or of a pair without one.
    pub(super) fn new(pair: &Pair, duplex: Option<&Duplex>) -> Self {
        let pairs = duplex.map_or(&[][..], |duplex| &duplex.pairs);
        let mut brackets = [vec![b'.'; pair.mirna.len()], vec![b'.'; pair.site.len()]];
        for (first, second) in pairs {
            brackets[0][*first] = b'(';
            brackets[1][*second] = b')';
        }
        let [mirna, site] = brackets.map(|strand| String::from_utf8_lossy(&strand).into_owned());
        Self {
            mfe_kcal_per_mol: duplex.map(|duplex| duplex.energy),
            dot_bracket: format!("{mirna}&{site}"),
            pairs: pairs.iter().map(|(first, second)| [first + 1, second + 1]).collect(),
            drawing: duplex.map_or_else(String::new, |duplex| duplex.drawing(&pair.mirna, &pair.site)),
            letters: [pair.mirna.to_string(), pair.site.to_string()],
        }
    }
}
