//! What all targets share: the real application, in front of a network that is a plain function. A panic anywhere in it
//! is answered 500, and a 500 ends the run; so nothing of the readers has to be made public.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use clap::Parser;
use http_body_util::BodyExt;
use mirador::config::{Command, Program};
use mirador::http::{AppState, app};
use mirador_models::{Options, WeightsConfig};
use mirador_models::networks::dmiso;
use mirador::serving::{Forward, Predictor, PredictorConfig, Registry, ServedModel};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// Sends a body with these headers to a path. The URL and the headers are ours, the body is the fuzzer's.
pub fn send(path: &str, headers: &[(&str, &str)], body: &[u8]) {
    static SERVER: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let router = runtime.block_on(async { server() });
        (runtime, router)
    });
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_vec())).expect("a request");
    let (runtime, router) = &*SERVER;
    let status = runtime.block_on(async {
        let response = router.clone().oneshot(request).await.expect("infallible");
        let status = response.status();
        // A reply of lines may break off where the body does.
        let _ = response.into_body().collect().await;
        status
    });
    assert_ne!(status.as_u16(), 500, "a reader panicked");
}

fn server() -> Router {
    let arguments = ["mirador", "serve", "--max-rows", "100", "--max-body-bytes", "1000000"];
    let Command::Serve(config) = Program::parse_from(arguments).command else { unreachable!("serve was asked for") };
    let state = AppState::new(*config);
    let encoder = Arc::new((dmiso::MODEL.encoder)(&Options::new()).expect("the plain options"));
    let width = encoder.width;
    let network = || -> Vec<Forward> { vec![Box::new(move |inputs| vec![0.5; inputs.len() / width])] };
    let feeding = PredictorConfig::default();
    let predictor = Predictor::start("fake", width, feeding, network(), network()).expect("two workers");
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
        model: &dmiso::MODEL,
        config,
        metrics: serde_json::Map::new(),
        card: String::new(),
        encoder,
        pairing: None,
        panels: None,
        site_effects: None,
        predictor,
    };
    state.start(Registry::new(vec![Arc::new(served)]).expect("one model"));
    app(state)
}
