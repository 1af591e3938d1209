//! `POST /v1/target-sites/scan`: where are the sites of these miRNAs on these transcripts, and which go down most?

mod asked;
mod json;
mod multipart;
pub(crate) mod names;
mod reply;
mod work;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::Response;
use mirador_models::tasks::Task;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body;
use super::deadline::Deadline;
use super::formats::{X_MODEL, answerers, model};
use super::model_ref::ModelRef;
use super::offload::{Bounds, offload};
use super::openapi::ScoringProblems;
use super::problem::{Errors, Problem};
use super::rate::Caller;
use super::rows::Answerer;
use super::state::{AppState, Models};
use crate::jobs::Resume;
use crate::scan::{Look, Probe, Site, Transcript, TranscriptScore};
use crate::serving::Registry;
use asked::{Asked, Sent};
use names::Found;
use work::Scan;

/// How many warnings there are, where the format of the reply has no place for them.
const X_WARNINGS: HeaderName = HeaderName::from_static("x-warnings");
/// Most miRNAs of a request.
const MOST_MIRNAS: usize = 100;
/// Most transcripts of a request.
const MOST_TRANSCRIPTS: usize = 1_000;
/// Most windows and sites that are looked at for a reply that is made whole; of lines ten times as many.
const MOST_WINDOWS: usize = 200_000;
/// From here on a body is read away from the connections' threads.
const HEAVY_BYTES: usize = 16 * 1024;

/// miRNAs and transcripts; every miRNA is looked for on every transcript.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `json` reads")]
#[schema(example = json!({
    "mirnas": [{"id": "let-7a", "sequence": "UGAGGUAGUAGGUUGUAUAGUU"}],
    "transcripts": [{"id": "made-up", "sequence": "GCAUUAACUAUACAACCUACUACCUCAAUUUGCCGAAUAAAGCUACCUCUGGGAUAUA"}],
}))]
pub(super) struct ScanRequest {
    #[schema(min_items = 1, max_items = 100)]
    mirnas: Vec<MirnaEntry>,
    #[schema(min_items = 1, max_items = 1000)]
    transcripts: Vec<TranscriptEntry>,
    /// Also look for sites without a canonical seed match, by the binding model in windows of 50 nt, 25 apart.
    #[schema(default = false, required = false)]
    seedless: bool,
    /// Least binding probability of those.
    #[schema(minimum = 0, maximum = 1, default = 0.98, required = false)]
    min_probability: f32,
    /// Whether sites are told one by one, or only the transcripts' scores.
    #[schema(default = true, required = false)]
    sites: bool,
    /// The binding model, `name` or `name@version`; left out, the default.
    model: Option<String>,
    /// The model of repression, likewise.
    repression_model: Option<String>,
}

/// miRNAs and transcripts as files.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the form, which `multipart` reads part by part")]
#[schema(example = json!({
    "mirnas": ">let-7a\nUGAGGUAGUAGGUUGUAUAGUU\n",
    "transcripts": ">made-up\nGCAUUAACUAUACAACCUACUACCUCAAUUUGCCGAAUAAAGCUACCUCUGGGAUAUA\n",
}))]
pub(super) struct ScanForm {
    /// FASTA, plain or gzip.
    #[schema(value_type = String, format = Binary)]
    mirnas: Vec<u8>,
    /// FASTA, plain or gzip.
    #[schema(value_type = String, format = Binary)]
    transcripts: Vec<u8>,
}

/// A miRNA or isomiR.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MirnaEntry {
    /// One word of printable ASCII; no other miRNA of the request has it.
    #[schema(max_length = 256, pattern = r"^[!-~]+$")]
    id: String,
    /// 5'→3', 15 to 30 nt; or, where the server has miRBase's names, a name or an accession.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{15,30}[ \t\r\n]*$")]
    sequence: String,
}

/// A 3'UTR, or a whole mRNA.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TranscriptEntry {
    /// One word of printable ASCII; no other transcript of the request has it.
    #[schema(max_length = 256, pattern = r"^[!-~]+$")]
    id: String,
    /// 5'→3', up to 100,000 nt. `N` pairs with nothing.
    #[schema(pattern = r"^[ \t\r\n]*[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]{1,100000}[ \t\r\n]*$")]
    sequence: String,
    /// Where the 3'UTR begins, from 0, in a whole mRNA. Sites before it are told and not summed.
    #[serde(default, deserialize_with = "super::formats::optional_whole")]
    cds_end: Option<usize>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"model": {"name": "pairmap", "version": "taught"}, "repression_model": {"name": "repression", "version": "oe27"}, "transcripts": [{"mirna": "let-7a", "transcript": "made-up", "repression_score": 2.274167, "rank_score": 2.274167, "canonical_sites": 2, "weak_sites": 0, "best_probability": 0.9999999, "warnings": []}], "sites": [{"mirna": "let-7a", "transcript": "made-up", "kind": "canonical", "site_type": "8mer", "start": 20, "end": 26, "window": [0, 40], "probability": 0.9999999, "repression": 1.472232, "mfe_kcal_per_mol": -36.6, "pairing": "((((((((((((((((((((((&.....))))))))))))))))))))))............."}, {"mirna": "let-7a", "transcript": "made-up", "kind": "canonical", "site_type": "7mer-m8", "start": 43, "end": 49, "window": [13, 58], "probability": 0.99994373, "repression": 0.801935, "mfe_kcal_per_mol": -23.9, "pairing": "((((((((((((((........&))))))))))))))..............................."}]}))]
pub(super) struct ScanResponse {
    /// Who scored the windows.
    model: ModelRef,
    /// Who scored the transcripts.
    repression_model: ModelRef,
    /// One for each miRNA on each transcript, in the order of the transcripts.
    transcripts: Vec<TranscriptScore>,
    /// All sites, in the same order; absent where they were not asked for.
    #[schema(required = false)]
    sites: Vec<Site>,
}

/// Whether such a scan would be answered, as far as can be told without its body.
pub(super) fn check(registry: &Registry, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let asked = Asked::read(uri)?;
    asked.formats(headers)?;
    if asked.format.is_some() {
        let detail = "the results of a job say their format when they are asked for: leave format= out";
        return Err(Problem::BadHeader(detail.into()));
    }
    for (task, model) in [(Task::TargetSite, &asked.model), (Task::Repression, &asked.repression_model)] {
        registry.resolve(task, model.as_deref())?;
    }
    Ok(())
}

/// Scan transcripts for miRNA sites
///
/// As lines, each miRNA on each transcript is told when it is done: `{"transcript": …, "sites": […], "done": 1, "of": 40}`.
#[utoipa::path(
    post, path = "/v1/target-sites/scan", tag = "target sites", operation_id = "scan_transcripts",
    params(Asked),
    request_body(description = "JSON, or FASTA files as the parts `mirnas` and `transcripts` of a form, plain or gzip", content(
        (ScanRequest = "application/json"),
        (ScanForm = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Scores and sites; a table is of sites, or with `sites=false` of scores", headers(
            ("X-Warnings" = u64, description = "How many warnings there are, where a table of sites has no place for them: JSON, lines and tables of scores (`sites=false`) have them"),
        ), content(
            (ScanResponse = "application/json"),
            (String = "application/x-ndjson", example = "{\"transcript\":{\"mirna\":\"let-7a\",\"transcript\":\"made-up\",\"repression_score\":2.274167,\"rank_score\":2.274167,\"canonical_sites\":2,\"weak_sites\":0,\"best_probability\":0.9999999,\"warnings\":[]},\"sites\":[{\"mirna\":\"let-7a\",\"transcript\":\"made-up\",\"kind\":\"canonical\",\"site_type\":\"8mer\",\"start\":20,\"end\":26,\"window\":[0,40],\"probability\":0.9999999,\"repression\":1.472232,\"mfe_kcal_per_mol\":-36.6,\"pairing\":\"((((((((((((((((((((((&.....)))))))))))))))))))))).............\"},{\"mirna\":\"let-7a\",\"transcript\":\"made-up\",\"kind\":\"canonical\",\"site_type\":\"7mer-m8\",\"start\":43,\"end\":49,\"window\":[13,58],\"probability\":0.99994373,\"repression\":0.801935,\"mfe_kcal_per_mol\":-23.9,\"pairing\":\"((((((((((((((........&))))))))))))))...............................\"}],\"done\":1,\"of\":1}\n"),
            (String = "text/tab-separated-values", example = "mirna\ttranscript\tkind\tsite_type\tstart\tend\twindow_start\twindow_end\tprobability\trepression\tmfe_kcal_per_mol\tpairing\nlet-7a\tmade-up\tcanonical\t8mer\t20\t26\t0\t40\t0.9999999\t1.472232\t-36.6\t((((((((((((((((((((((&.....)))))))))))))))))))))).............\nlet-7a\tmade-up\tcanonical\t7mer-m8\t43\t49\t13\t58\t0.99994373\t0.801935\t-23.9\t((((((((((((((........&))))))))))))))...............................\n"),
            (String = "text/csv", example = "mirna,transcript,kind,site_type,start,end,window_start,window_end,probability,repression,mfe_kcal_per_mol,pairing\nlet-7a,made-up,canonical,8mer,20,26,0,40,0.9999999,1.472232,-36.6,((((((((((((((((((((((&.....)))))))))))))))))))))).............\nlet-7a,made-up,canonical,7mer-m8,43,49,13,58,0.99994373,0.801935,-23.9,((((((((((((((........&))))))))))))))...............................\n"),
            (String = "text/x-bed", example = "made-up\t20\t26\tlet-7a:8mer\t1000\t+\nmade-up\t43\t49\tlet-7a:7mer-m8\t1000\t+\n"),
            (String = "text/x-gff3", example = "##gff-version 3\nmade-up\tmirador\tmiRNA_target_site\t21\t26\t0.9999999\t+\t.\tmiRNA=let-7a;site_type=8mer;kind=canonical;repression=1.472232;mfe_kcal_per_mol=-36.6\nmade-up\tmirador\tmiRNA_target_site\t44\t49\t0.99994373\t+\t.\tmiRNA=let-7a;site_type=7mer-m8;kind=canonical;repression=0.801935;mfe_kcal_per_mol=-23.9\n"),
        )),
        ScoringProblems,
    ),
)]
pub(super) async fn scan(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    let mut asked = Asked::read(request.uri())?;
    let (sent, wanted) = asked.formats(request.headers())?;
    // What the body says of the models was heard when the job began.
    let settled = request.extensions().get().is_some_and(Resume::is_settled);
    let settled = settled.then(|| (asked.model.take(), asked.repression_model.take()));
    let (caller, deadline) = (Caller::of(&request), request.extensions().get::<Deadline>().copied());
    let told = request
        .extensions()
        .get()
        .map_or(0, |resume: &Resume| usize::try_from(resume.done()).unwrap_or(usize::MAX));
    let (bytes, mut permit) = body::read(request, &state).await?;
    let (length, heavy) = (bytes.len(), bytes.len() >= HEAVY_BYTES);
    let most = state.config().max_body_bytes.get();
    if length > most {
        return Err(Problem::BodyTooLarge(most));
    }
    let mut found = match sent {
        Sent::Json => {
            offload(heavy, Bounds::new(usize::MAX), move |bounds| json::read(&bytes, asked, bounds)).await?
        }
        Sent::Form(boundary) => {
            permit.grow(length + most).await?;
            let parts = multipart::parts(bytes, boundary).await?;
            offload(heavy, Bounds::new(usize::MAX), move |_| multipart::read(parts, asked, most)).await?
        }
    };
    if let Some((model, repression_model)) = settled {
        found.asked.model = model;
        found.asked.repression_model = repression_model;
    }
    permit.can_hold(length, 3 * length)?;
    permit.grow(3 * length).await?;
    let binding = registry.resolve(Task::TargetSite, found.asked.model.as_deref())?.clone();
    let repression = registry.resolve(Task::Repression, found.asked.repression_model.as_deref())?.clone();
    let answerer = Answerer { served: Some(binding.clone()), mirbase: state.mirbase() };
    let (look, (probes, transcripts)) = offload(heavy, Bounds::new(usize::MAX), move |_| {
        let Found { asked, mirnas, transcripts } = found;
        let mut errors = Errors::default();
        let probes = names::probes(mirnas, &answerer, &mut errors);
        let transcripts = names::transcripts(transcripts, &answerer, &mut errors);
        errors.into_result().map(|()| (asked.look(), (probes, transcripts)))
    })
    .await?;
    let warnings = probes.iter().map(|probe| probe.warnings.len()).sum::<usize>()
        + transcripts.iter().map(|transcript| transcript.warnings.len()).sum::<usize>();
    let untold = wanted.has_no_warnings(look.sites).then_some(warnings).filter(|warnings| *warnings > 0);
    let scan = Scan { binding, repression, look, probes, transcripts, told };
    let answered = model(&scan.binding);
    let both = [("model", &*scan.binding), ("repression_model", &*scan.repression)];
    let who = answerers(both.into_iter());
    let mut response =
        reply::answer(scan, wanted, &state, caller, deadline, (&mut permit, 3 * length)).await?;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted.media_type()));
    headers.insert(X_MODEL, answered);
    if let Some(warnings) = untold {
        headers.insert(X_WARNINGS, warnings.into());
    }
    response.extensions_mut().insert(who);
    Ok(permit.hold(response))
}
