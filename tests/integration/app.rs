//! Starts the real application in this process and talks to it.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use clap::Parser;
use http_body_util::BodyExt;
use mirador::config::{Command, Program, ServeConfig};
use mirador::http::{AppState, app};
use mirador::serving::{Forward, Predictor, PredictorConfig, Registry, ServedModel};
use mirador_models::device::Device;
use mirador_models::{Model, Options, WeightsConfig};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::fake::shared;
use crate::weights;

/// A miRNA and a site that binds it perfectly.
pub(crate) const MIRNA: &str = "UGAGGUAGUAGGUUGUAUAGUU";
pub(crate) const SITE: &str = "AACUAUACAACCUACUACCUCA";
pub(crate) const SCORE: &str = "/v1/target-sites/score";

/// The application without a network socket.
#[derive(Clone)]
pub(crate) struct App {
    pub state: AppState,
    router: Router,
}

pub(crate) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl App {
    /// Still loading, with these flags.
    pub(crate) fn starting(flags: &[&str]) -> Self {
        let state = AppState::new(config(flags));
        Self { router: app(state.clone()), state }
    }

    /// Random networks in two versions.
    pub(crate) fn ready(flags: &[&str]) -> Self {
        Self::serving(weights::root(), flags)
    }

    /// The weights below this root.
    pub(crate) fn serving(root: &Path, flags: &[&str]) -> Self {
        let app = Self::starting(flags);
        let feeding =
            PredictorConfig { short_workers: 1, long_workers: 2, ..app.state.feeding(&[Device::Cpu]) };
        app.state.start(Registry::load(root, &[Device::Cpu], &feeding, None).unwrap());
        app
    }

    /// One model whose network is this function.
    pub(crate) fn with(
        model: &'static Model,
        feeding: PredictorConfig,
        forward: Forward,
    ) -> (Self, Predictor) {
        Self::starting(&[]).serving_with(model, feeding, forward)
    }

    /// The same under a name of its own among the counters, which all tests share.
    pub(crate) fn counted_as(
        name: &str,
        model: &'static Model,
        feeding: PredictorConfig,
        forward: Forward,
    ) -> (Self, Predictor) {
        Self::starting(&[]).serving_as(name, model, feeding, forward)
    }

    /// The same, of an application that is starting.
    pub(crate) fn serving_with(
        self,
        model: &'static Model,
        feeding: PredictorConfig,
        forward: Forward,
    ) -> (Self, Predictor) {
        self.serving_as("fake", model, feeding, forward)
    }

    fn serving_as(
        self,
        name: &str,
        model: &'static Model,
        feeding: PredictorConfig,
        forward: Forward,
    ) -> (Self, Predictor) {
        let encoder = Arc::new((model.encoder)(&Options::new()).unwrap());
        let [short, long] = shared(forward);
        let predictor = Predictor::start(name, encoder.width, feeding, vec![short], vec![long]).unwrap();
        let config = WeightsConfig {
            model: "dmiso".into(),
            version: "fake".into(),
            default: true,
            default_version: true,
            decision_threshold: Some(0.5),
            options: Options::new(),
            sha256: String::new(),
        };
        let served = ServedModel {
            model,
            config,
            metrics: Map::new(),
            card: String::new(),
            encoder,
            pairing: None,
            panels: None,
            site_effects: None,
            predictor: predictor.clone(),
        };
        self.state.start(Registry::new(vec![Arc::new(served)]).unwrap());
        (self, predictor)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).header("x-request-id", "test").body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, body: impl Into<Body>) -> Reply {
        self.send(score_request(&[], body)).await
    }

    /// To [`SCORE`] in another format; the reply's body as text.
    pub(crate) async fn post_as(
        &self,
        media_type: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (Reply, String) {
        let headers = [&[("content-type", media_type)], headers].concat();
        let response = self.router.clone().oneshot(score_request(&headers, body)).await.unwrap();
        let (head, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let reply = Reply { status: head.status.as_u16(), headers: head.headers, body: Value::Null };
        (reply, text)
    }

    /// To another route, in another format; the reply as text.
    pub(crate) async fn post_text(&self, path: &str, media_type: &str, body: impl Into<Body>) -> String {
        let request = Request::post(path).header("content-type", media_type).body(body.into()).unwrap();
        match self.send(request).await.body {
            Value::String(text) => text,
            json => json.to_string(),
        }
    }

    /// The response before its body has come.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// To another route than [`SCORE`].
    pub(crate) async fn post_to(&self, path: &str, body: &Value) -> Reply {
        let request =
            Request::post(path).header("x-request-id", "test").header("content-type", "application/json");
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(crate) async fn score(&self, pairs: &[Value]) -> Reply {
        self.post(json!({ "pairs": pairs }).to_string()).await
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn probabilities(&self) -> Vec<f64> {
        let results = self.body["results"].as_array().unwrap_or_else(|| panic!("{}", self.body));
        results.iter().map(|result| result["probability"].as_f64().unwrap()).collect()
    }
}

/// Fails unless both are the same but for numbers with a fraction, which may differ by 1e-5 (of itself, where it is above 1): batches of other sizes, and
/// other processors, add up in another order.
#[track_caller]
pub(crate) fn assert_near(found: &Value, expected: &Value) {
    assert!(near(found, expected), "found    {found}\nexpected {expected}");
}

fn near(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| near(a, b))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.keys().eq(expected.keys()) && found.iter().all(|(key, value)| near(value, &expected[key]))
        }
        (Value::Number(found), Value::Number(expected)) if found.is_f64() && expected.is_f64() => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            (found - expected).abs() <= 1e-5 * expected.abs().max(1.0)
        }
        _ => found == expected,
    }
}

/// A table as a list of rows, each a list of cells; a cell that is a number with a fraction is a number.
pub(crate) fn cells(table: &str, delimiter: u8) -> Value {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(table.as_bytes());
    let cell = |cell: &str| match cell.parse::<f64>() {
        Ok(number) if cell.contains('.') => json!(number),
        _ => json!(cell),
    };
    reader.records().map(|record| record.unwrap().iter().map(cell).collect::<Value>()).collect()
}

/// A request to score, named `test` so that replies can be snapshots.
pub(crate) fn score_request(headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post(SCORE).header("x-request-id", "test");
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

pub(crate) fn pair() -> Value {
    json!({"mirna": MIRNA, "site": SITE})
}

/// The settings that these flags of `mirador serve` give.
pub(crate) fn config(flags: &[&str]) -> ServeConfig {
    match Program::parse_from(["mirador", "serve"].iter().chain(flags)).command {
        Command::Serve(config) => *config,
        _ => unreachable!("the subcommand is serve"),
    }
}
