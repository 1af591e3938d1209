//! `mirador score`, `classify` and `predict`: a file of rows, answered as the server would. It is the server that answers,
//! in this process and with no socket, so that formats, checks and messages are the same.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use clap::Parser;
use form_urlencoded::Serializer;
use http_body_util::BodyExt;
use mirador_models::tasks::Task;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;
use tower::ServiceExt;

use super::models::choose;
use super::part::{beside, check_name, is_named_gzip, open_part};
use crate::config::{Command, Program, RowsConfig, ServeConfig};
use crate::http::{AppState, app};
use crate::serving::Registry;

const LINES: &str = "application/x-ndjson";
const FASTA: &str = "text/x-fasta";
/// Media types by the ends of names.
const ENDINGS: [(&str, &str); 9] = [
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/tab-separated-values"),
    ("json", "application/json"),
    ("ndjson", LINES),
    ("jsonl", LINES),
    ("fa", FASTA),
    ("fasta", FASTA),
    ("fna", FASTA),
];

/// Answers a file's rows. `Ok(false)`: some lines could not be answered, and say why.
pub fn rows(task: Task, config: &RowsConfig) -> Result<bool> {
    let (sent, wanted) = (media_type(&config.input)?, media_type(&config.out)?);
    let (input, out) = (config.input.display(), config.out.display());
    check_name(&config.out)?;
    ensure!(wanted != FASTA, "{out}: answers are no sequences; end the name in .csv, .tsv, .json or .ndjson");
    ensure!(
        sent != LINES || wanted == LINES,
        "{input} holds lines of JSON, which are answered as lines: end the name of {out} in .ndjson"
    );
    ensure!(
        sent != FASTA || task != Task::TargetSite,
        "{input} is a FASTA file, which holds no pairs: put miRNAs and sites into the columns of a table"
    );
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
        // Opened once: what comes through a pipe comes once.
        let mut file = tokio::fs::File::open(&config.input).await.with_context(opened)?;
        let mut start = Vec::new();
        (&mut file).take(2).read_to_end(&mut start).await.with_context(opened)?;
        let mut request = Request::post(url(task, config, &name))
            .header(header::CONTENT_TYPE, sent)
            .header(header::ACCEPT, wanted);
        if start == [0x1f, 0x8b] {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        let response = app(state)
            .oneshot(request.body(Body::from_stream(ReaderStream::new(Cursor::new(start).chain(file))))?)
            .await?;
        let status = response.status();
        let mut body = response.into_body();
        if status != StatusCode::OK {
            let text = body.collect().await?.to_bytes();
            bail!("{}: {}", config.input.display(), complaint(&text));
        }
        let part = beside(&config.out, ".part");
        let mut out = open_part(&config.out)?;
        out.set_len(0)?;
        let mut bad = Bad::default();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                out.write_all(&data).with_context(|| part.display().to_string())?;
                if wanted == LINES {
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
    let plain = if is_named_gzip(path) { path.with_extension("") } else { path.to_owned() };
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

/// A problem's words, with every error below it.
fn complaint(text: &[u8]) -> String {
    let Ok(problem) = serde_json::from_slice::<Value>(text) else {
        return String::from_utf8_lossy(text).into_owned();
    };
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let more = problem["more_errors"].as_u64().unwrap_or(0);
    let each: Vec<String> = errors.iter().map(of_error).collect();
    let words = match &each[..] {
        [] => problem["detail"].as_str().unwrap_or_default().to_owned(),
        [only] if more == 0 => only.clone(),
        _ => format!("{} values are not acceptable:\n  {}", each.len() as u64 + more, each.join("\n  ")),
    };
    let words = for_a_command_line(&words);
    if more > 0 { format!("{words}\n  and {more} more") } else { words }
}

/// An error, with its line and field, or where it is in a JSON body.
fn of_error(error: &Value) -> String {
    let pointer = error["pointer"].as_str().unwrap_or_default();
    let detail = error["detail"].as_str().unwrap_or_default();
    // Behind the list and the row: lines have neither.
    let field = pointer.splitn(4, '/').nth(3).unwrap_or_default();
    match (error["line"].as_u64(), pointer, field) {
        (Some(line), _, "") => format!("line {line}: {detail}"),
        (Some(line), _, field) => format!("line {line}, {field}: {detail}"),
        (None, "", _) => detail.to_owned(),
        (None, pointer, _) => format!("{pointer}: {detail}"),
    }
}

/// What a URL would say, as this command takes it: `?tss=N` is `--set tss=N`.
fn for_a_command_line(words: &str) -> String {
    let mut parts = words.split('?');
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.split('=').next().filter(|name| name.len() < part.len()).unwrap_or_default();
        let is_setting = name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
        said.push_str(if is_setting { "--set " } else { "?" });
        said.push_str(part);
    }
    said
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_complaint_names_line_field_and_remedy() {
        let error = |pointer: &str, line: Option<u64>, detail: &str| json!({"pointer": pointer, "line": line, "detail": detail});
        for (problem, expected) in [
            (json!({"detail": "busy"}), "busy"),
            (json!({"detail": "x", "errors": [error("", None, "this is gzip")]}), "this is gzip"),
            (
                json!({"detail": "2 values; `errors` names each", "errors": [
                    error("/pairs/0/site", Some(2), "letter 'X'"), error("/pairs/1", Some(3), "the row has 1 cell")]}),
                "2 values are not acceptable:\n  line 2, site: letter 'X'\n  line 3: the row has 1 cell",
            ),
            (
                json!({"errors": [error("/genes/0/tss", None, "add ?tss=N; did you mean it? yes=no")]}),
                "/genes/0/tss: add --set tss=N; did you mean it? yes=no",
            ),
            (
                json!({"errors": [error("/pairs/0/site", Some(2), "a"), error("/pairs/1/site", Some(3), "b")], "more_errors": 7}),
                "9 values are not acceptable:\n  line 2, site: a\n  line 3, site: b\n  and 7 more",
            ),
        ] {
            assert_eq!(complaint(problem.to_string().as_bytes()), expected);
        }
    }
}
