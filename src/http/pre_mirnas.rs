//! `POST /v1/pre-mirnas/classify`: is this hairpin a mirtron or a canonical pre-miRNA?

use axum::extract::{Request, State};
use axum::response::Response;
use mirador_models::interpret::Change;
use mirador_models::tasks::pre_mirna::{LAST, LENGTHS, PreMirna, SpliceAcceptor};
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
    "model": "hairpin",
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
    /// The hairpin on the transcribed strand, 5'→3', 40 to 200 nt, cut as miRBase cuts it or at the ends of its mature arms;
    /// RNA or DNA letters in either case. `warnings` say where its class depends on the last five letters. That it is from
    /// the other strand is seen, and warned of, only where the ends of an intron tell. `N` and the other IUPAC codes are
    /// unknown letters: `warnings` counts them, and at least half of the letters have to be known.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{40,200}[ \t\r\n]*$")]
    sequence: String,
}

/// The classes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model": {"name": "hairpin", "version": "grouped"},
    "results": [{
        "id": "hsa-let-7a-1", "class": "canonical", "mirtron_probability": 0.050595146, "splice_acceptor": "none",
        "warnings": [],
    }],
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
    /// Where the splice acceptor of an intron stands: UAG or CAG after eleven letters of which seven or more are
    /// pyrimidines. Read from the sequence, not predicted by the network.
    splice_acceptor: Acceptor,
    /// What was assumed in reading this hairpin, and what the model's answer depends on.
    warnings: Vec<String>,
}

/// How a pre-miRNA is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PreMirnaClass {
    /// Spliced out as a whole short intron.
    Mirtron,
    /// Cut by Drosha.
    Canonical,
}

/// Where a splice acceptor stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Acceptor {
    /// At the very 3' end, as in a mirtron without a tail.
    AtEnd,
    /// 1 to 16 letters before the 3' end: a mirtron with a tail, or chance.
    Inside,
    /// Nowhere there.
    None,
}

/// What a result takes from its hairpin.
pub(super) struct Echo {
    id: Option<String>,
    acceptor: Acceptor,
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
        Kind::Text.column("splice_acceptor"),
        Kind::Text.column("warnings"),
    ];
    type Settings = ();
    type Echo = Echo;
    type Result = ClassifyResult;

    fn parse_row(self, (): &(), reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>> {
        let (hairpin, echo) = self.read(reader)?;
        Some(Parsed { changes: vec![without_last(&hairpin)], ..Parsed::one(hairpin, echo) })
    }

    fn decode_row(answer: Answer<Self::Echo>, threshold: f32) -> ClassifyResult {
        let Answer { echo, outputs, warnings } = answer;
        ClassifyResult::new(echo, [outputs[0], outputs[1]], threshold, warnings)
    }
}

impl PreMirnaRow {
    /// The hairpin, and what its result takes from it; warns of the other strand.
    pub(super) fn read(self, reader: &mut RowReader<'_>) -> Option<(PreMirna, Echo)> {
        reader.id(self.id.as_deref());
        let hairpin = PreMirna { sequence: reader.sequence("sequence", &self.sequence, LENGTHS)? };
        if hairpin.is_intron_reversed() {
            reader.warn(OTHER_STRAND.to_owned());
        }
        let acceptor = Acceptor::from(hairpin.splice_acceptor());
        Some((hairpin, Echo { id: self.id, acceptor }))
    }
}

/// Hides the letters that a mirtron owes to its splice acceptor: where that changes the class, the end decides.
pub(super) fn without_last(hairpin: &PreMirna) -> Change {
    let length = hairpin.sequence.len();
    Change::hide(0, length.saturating_sub(LAST)..length)
}

impl ClassifyResult {
    /// What the logits say of a hairpin, and of it without its last letters.
    pub(super) fn new(
        Echo { id, acceptor }: Echo,
        logits: [f32; 2],
        threshold: f32,
        mut warnings: Vec<String>,
    ) -> Self {
        let [mirtron_probability, cut] = logits.map(probability);
        let [class, cut_class] =
            [mirtron_probability, cut].map(|probability| match probability >= threshold {
                true => PreMirnaClass::Mirtron,
                false => PreMirnaClass::Canonical,
            });
        if class != cut_class {
            warnings.push(format!(
                "the end decides: without the last {LAST} letters mirtron_probability is {cut:.2}, {}",
                cut_class.name()
            ));
        }
        Self { id, class, mirtron_probability, splice_acceptor: acceptor, warnings }
    }
}

impl PreMirnaClass {
    fn name(self) -> &'static str {
        match self {
            Self::Mirtron => "mirtron",
            Self::Canonical => "canonical",
        }
    }
}

impl From<SpliceAcceptor> for Acceptor {
    fn from(found: SpliceAcceptor) -> Self {
        match found {
            SpliceAcceptor::AtEnd => Self::AtEnd,
            SpliceAcceptor::Inside => Self::Inside,
            SpliceAcceptor::None => Self::None,
        }
    }
}
