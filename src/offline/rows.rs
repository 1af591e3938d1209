//! `mirador score`, `classify` and `predict`: a file of rows, answered as the server would. It is the server that answers,
//! in this process and with no socket, so that formats, checks and messages are the same.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use clap::Parser;
use form_urlencoded::Serializer;
use http_body_util::BodyExt;
use mirador_models::tasks::Task;
use serde_json::Value;
use tokio_util::io::ReaderStream;
use tower::ServiceExt;

use super::models::choose;
use super::part::beside;
use crate::config::{Command, Program, RowsConfig, ServeConfig};
use crate::http::{AppState, app};
use crate::serving::Registry;

/// Media types by the ends of names.
const ENDINGS: [(&str, &str); 9] = [
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/tab-separated-values"),
    ("json", "application/json"),
    ("ndjson", "application/x-ndjson"),
    ("jsonl", "application/x-ndjson"),
    ("fa", "text/x-fasta"),
    ("fasta", "text/x-fasta"),
    ("fna", "text/x-fasta"),
];

/// Answers a file's rows. `Ok(false)`: some lines could not be answered, and say why.
pub fn rows(task: Task, config: &RowsConfig) -> Result<bool> {
    let (sent, wanted) = (media_type(&config.input)?, media_type(&config.out)?);
    ensure!(!config.out.exists(), "{} exists already; remove it, or name another", config.out.display());
    let devices = config.network.open()?;
    mirador_models::device::set_threads(1);
    let dir = choose(&config.network, task, config.model.as_deref())?;
    let name = dir.config.id().to_string();
    let serving = settings(config, &name)?;
    let feeding = serving.feeding(&devices);
    let root = serving.network.weights()?;
    let state = AppState::new(serving);
    state.start(Registry::load_some(&root, std::slice::from_ref(&name), &devices, &feeding, None)?);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let opened = || config.input.display().to_string();
        let file = tokio::fs::File::open(&config.input).await.with_context(opened)?;
        let mut request = Request::post(url(task, config, &name))
            .header(header::CONTENT_TYPE, sent)
            .header(header::ACCEPT, wanted);
        if is_gzip(&config.input).with_context(opened)? {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        let response = app(state).oneshot(request.body(Body::from_stream(ReaderStream::new(file)))?).await?;
        let status = response.status();
        let mut body = response.into_body();
        if status != StatusCode::OK {
            let text = body.collect().await?.to_bytes();
            bail!("{}: {}", config.input.display(), complaint(&text));
        }
        let part = beside(&config.out, ".part");
        let mut out = File::create(&part).with_context(|| part.display().to_string())?;
        let mut bad = Bad::default();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                out.write_all(&data).with_context(|| part.display().to_string())?;
                if wanted == "application/x-ndjson" {
                    bad.look(&data);
                }
            }
        }
        out.sync_all()?;
        std::fs::rename(&part, &config.out)?;
        if bad.lines > 0 {
            eprintln!("mirador: {} line(s) of {} have errors", bad.lines, config.out.display());
        }
        Ok(bad.lines == 0)
    })
}

fn media_type(path: &Path) -> Result<&'static str> {
    let plain = if path.extension().is_some_and(|end| end == "gz" || end == "bgz") {
        path.with_extension("")
    } else {
        path.to_owned()
    };
    let end = plain.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    let found = ENDINGS.iter().find(|(known, _)| *known == end);
    found.map(|(_, media_type)| *media_type).with_context(|| {
        let known = ENDINGS.map(|(end, _)| end).join(", ");
        format!("{}: the end of its name says what it is: one of {known}, and .gz behind it", path.display())
    })
}

/// A server without bounds: there is one caller, who has the machine to himself.
fn settings(config: &RowsConfig, model: &str) -> Result<ServeConfig> {
    let mut flags: Vec<PathBuf> = ["mirador", "serve", "--models", model].map(PathBuf::from).into();
    for (flag, most) in [
        ("--max-rows", "100000000"),
        ("--queue-capacity", "100000000"),
        ("--max-body-bytes", "1099511627776"),
        ("--max-bodies-bytes", "4398046511104"),
        ("--drain-cap-s", "1000000"),
        ("--workers", &config.threads().to_string()),
    ] {
        flags.extend([flag, most].map(PathBuf::from));
    }
    flags.extend([PathBuf::from("--weights-dir"), config.network.weights()?]);
    match Program::try_parse_from(flags)?.command {
        Command::Serve(serve) => Ok(*serve),
        _ => bail!("the server's own flags cannot be read"),
    }
}

/// The route with what the command line says of all rows.
fn url(task: Task, config: &RowsConfig, model: &str) -> String {
    let route = match task {
        Task::PreMirna => "/v1/pre-mirnas/classify",
        Task::Expression => "/v1/expression/predict",
        Task::TargetSite | Task::Repression => "/v1/target-sites/score",
    };
    let mut query = Serializer::new(String::new());
    query.append_pair("model", model);
    config.set.iter().for_each(|(name, value)| {
        query.append_pair(name, value);
    });
    format!("{route}?{}", query.finish())
}

fn is_gzip(path: &Path) -> std::io::Result<bool> {
    let mut start = [0; 2];
    let mut file = File::open(path)?;
    Ok(file.read(&mut start)? == start.len() && start == [0x1f, 0x8b])
}

/// A problem's words, with every error below it.
fn complaint(text: &[u8]) -> String {
    let Ok(problem) = serde_json::from_slice::<Value>(text) else {
        return String::from_utf8_lossy(text).into_owned();
    };
    let mut words = problem["detail"].as_str().unwrap_or_default().to_owned();
    for error in problem["errors"].as_array().into_iter().flatten() {
        let place = match (&error["line"], error["pointer"].as_str()) {
            (Value::Number(line), _) => format!("line {line}: "),
            (_, Some(pointer)) if !pointer.is_empty() => format!("{pointer}: "),
            _ => String::new(),
        };
        let detail = error["detail"].as_str().unwrap_or_default();
        // A lone error may be all that was said.
        if detail == problem["detail"] {
            return format!("{place}{detail}");
        }
        words.push_str(&format!("\n  {place}{detail}"));
    }
    words
}

/// Counts the lines of a reply that tell of errors.
#[derive(Default)]
struct Bad {
    lines: usize,
    line: Vec<u8>,
}

impl Bad {
    fn look(&mut self, data: &[u8]) {
        for part in data.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                #[derive(serde::Deserialize)]
                struct Told {
                    errors: Option<serde::de::IgnoredAny>,
                    error: Option<serde::de::IgnoredAny>,
                }
                let told = serde_json::from_slice::<Told>(&self.line);
                self.lines += usize::from(told.is_ok_and(|told| told.errors.or(told.error).is_some()));
                self.line.clear();
            }
        }
    }
}
