//! Spans of requests, sent to an OpenTelemetry collector in batches, from a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use reqwest::blocking::Client;
use tokio_rustls::rustls::crypto::ring;

/// What one batch may take.
const SENDING: Duration = Duration::from_secs(10);

/// Spans could never be sent there.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// Neither http nor https.
    #[error("--otlp-endpoint {0}: expected http://HOST:PORT or https://HOST:PORT")]
    Address(String),
    /// The certificates of this machine cannot be used.
    #[error("--otlp-endpoint: {0}")]
    Client(#[from] reqwest::Error),
    /// The address makes no sense.
    #[error("--otlp-endpoint: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// Sends to this collector; `failing` tells whether the last batch was lost.
pub(super) fn provider(
    collector: &str,
    failing: Arc<AtomicBool>,
) -> Result<SdkTracerProvider, CollectorError> {
    let client = Client::builder().timeout(SENDING);
    let client = match collector.split_once("://").map(|(scheme, _)| scheme) {
        // Needs no certificates, and a container may have none.
        Some("http") => client.tls_certs_only([]),
        Some("https") => client,
        _ => return Err(CollectorError::Address(collector.to_owned())),
    };
    // Whoever was first chose the same.
    let _ = ring::default_provider().install_default();
    let endpoint = format!("{}/v1/traces", collector.trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client.build()?)
        .with_endpoint(endpoint)
        .build()?;
    let resource = Resource::builder().with_service_name("mirador").build();
    let exporter = Noticing { exporter, failing };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Says once that spans are lost, until they are sent again.
#[derive(Debug)]
struct Noticing {
    exporter: SpanExporter,
    failing: Arc<AtomicBool>,
}

impl opentelemetry_sdk::trace::SpanExporter for Noticing {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.exporter.export(batch).await;
        let failed_before = self.failing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !failed_before => {
                tracing::warn!(%error, "spans are lost: the collector does not take them");
            }
            Ok(()) if failed_before => tracing::info!("the collector takes spans again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
