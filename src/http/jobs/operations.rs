//! Which routes a job can ask.

use axum::http::{HeaderMap, HeaderValue, Uri, header};

use crate::config::ServeConfig;
use crate::http::duplexes::DuplexRow;
use crate::http::explain;
use crate::http::expression::GeneRow;
use crate::http::formats;
use crate::http::hairpins::HairpinRow;
use crate::http::pre_mirnas::PreMirnaRow;
use crate::http::problem::Problem;
use crate::http::rows::{Column, ScoringEndpoint};
use crate::http::scan;
use crate::http::target_sites::PairRow;
use crate::serving::Registry;

/// A route that a job can ask.
pub(super) struct Operation {
    /// The route, without `/v1/`.
    pub name: &'static str,
    /// Whether a request would be answered, and whether its body may be of lines.
    check: fn(&Registry, &Uri, &HeaderMap) -> Result<bool, Problem>,
    /// The columns of a table of its results; none where they are no rows.
    pub columns: Option<&'static [Column]>,
    /// Whether a body is as large as that of a request at most.
    is_small: bool,
}

/// All of them.
pub(super) const OPERATIONS: [Operation; 9] = [
    rows::<PairRow>("target-sites/score"),
    rows::<PreMirnaRow>("pre-mirnas/classify"),
    rows::<GeneRow>("expression/predict"),
    rows::<DuplexRow>("duplexes/fold"),
    rows::<HairpinRow>("hairpins/fold"),
    rows::<explain::target_sites::ExplainRow>("target-sites/explain"),
    rows::<explain::pre_mirnas::ExplainRow>("pre-mirnas/explain"),
    rows::<explain::expression::ExplainRow>("expression/explain"),
    Operation { name: "target-sites/scan", check: scan_check, columns: None, is_small: true },
];

const fn rows<S: ScoringEndpoint>(name: &'static str) -> Operation {
    Operation { name, check: formats::check::<S>, columns: Some(S::COLUMNS), is_small: false }
}

fn scan_check(registry: &Registry, uri: &Uri, headers: &HeaderMap) -> Result<bool, Problem> {
    scan::check(registry, uri, headers).map(|()| false)
}

impl Operation {
    /// The operation of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// Refuses what the route would refuse whatever the body is; tells how many bytes that may have.
    pub(super) fn check(
        &self,
        registry: &Registry,
        config: &ServeConfig,
        (query, content_type): (&str, &HeaderValue),
    ) -> Result<u64, Problem> {
        let uri: Uri = format!("/v1/{}?{query}", self.name)
            .parse()
            .map_err(|_| Problem::BadHeader("the query cannot be read".into()))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/x-ndjson"));
        let most = match (self.check)(registry, &uri, &headers)? {
            true => u64::MAX,
            false if self.is_small => config.max_body_bytes.get().min(config.most_of_job()) as u64,
            false => config.most_of_job() as u64,
        };
        Ok(most.min(config.jobs.job_max_bytes.get()))
    }
}
