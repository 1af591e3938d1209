//! `/v1/jobs`: from an order to its results, and who may see them.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use futures_util::stream;
use mirador::http::{Keys, Scope, start_jobs};
use mirador::serving::PredictorConfig;
use mirador_models::networks::dmiso;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, Reply, SCORE, SITE, assert_near, cells, pair};
use crate::contract::problem;
use crate::fake::gated;

pub(crate) const JOBS: &str = "/v1/jobs?operation=target-sites/score";

/// An application whose jobs are kept in a folder of its own.
pub(crate) struct Kept {
    pub app: App,
    pub folder: TempDir,
}

impl Kept {
    pub(crate) fn ready(flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let app = App::ready(&[&["--jobs-dir", folder.path().to_str().unwrap()], flags].concat());
        start_jobs(&app.state).unwrap();
        Self { app, folder }
    }

    pub(crate) async fn submit(&self, url: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::post(url).header("x-request-id", "test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.send(request.body(body.into()).unwrap()).await
    }

    /// Submits rows and waits for their end.
    pub(crate) async fn done(&self, url: &str, media_type: &str, body: impl Into<Body>) -> Value {
        let reply = self.submit(url, &[("content-type", media_type)], body).await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        self.ended(reply.header("location")).await
    }

    pub(crate) async fn ended(&self, place: &str) -> Value {
        let begun = Instant::now();
        loop {
            let job = self.app.get(place).await.body;
            if !["QUEUED", "RUNNING"].contains(&job["state"].as_str().unwrap_or_default()) {
                return job;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain: {job}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("x-request-id", "test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn results(&self, job: &Value, accept: &str) -> String {
        let path = format!("/v1/jobs/{}/results", job["id"].as_str().unwrap());
        let reply = self.ask("GET", &path, &[("accept", accept)]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("content-type"), accept);
        match reply.body {
            Value::String(text) => text,
            json => json.to_string(),
        }
    }

    /// Waits until so many files are kept of bodies, results and uploads: they go a moment after their job.
    pub(crate) async fn keeps(&self, files: usize) {
        let begun = Instant::now();
        let count = |name: &&str| std::fs::read_dir(self.folder.path().join(name)).unwrap().count();
        while ["uploads", "bodies", "results"].iter().map(count).sum::<usize>() != files {
            assert!(begun.elapsed() < Duration::from_secs(20), "not {files} files");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const ROWS: [(&str, &str); 4] = [("a", SITE), ("b", "ACGUXACGUACGU"), ("c", "ACGUACGUACGUACGU"), ("d", "")];

fn body(media_type: &str) -> String {
    let objects = || ROWS.map(|(id, site)| json!({"id": id, "mirna": MIRNA, "site": site}));
    let table = |sign: &str| {
        let rows = ROWS.map(|(id, site)| [id, MIRNA, site].join(sign) + "\n").concat();
        ["id", "mirna", "site"].join(sign) + "\n" + &rows
    };
    match media_type {
        "application/json" => format!("{:#}", json!({"model": "dmiso@paper", "pairs": objects()})),
        "application/x-ndjson" => objects().map(|row| format!("{row}\n")).concat(),
        "text/csv" => table(","),
        _ => table("\t"),
    }
}

#[tokio::test]
async fn every_format_is_answered_row_by_row() {
    let kept = Kept::ready(&[]);
    for media_type in ["application/json", "application/x-ndjson", "text/csv", "text/tab-separated-values"] {
        let model = if media_type == "application/json" { "" } else { "&model=dmiso@paper" };
        let job = kept.done(&format!("{JOBS}{model}"), media_type, body(media_type)).await;
        assert_eq!(job["state"], "COMPLETE", "{media_type}: {job}");
        assert_eq!(job["rows"], json!({"read": 4, "done": 4, "failed": 2}));
        assert_eq!((&job["model"]["name"], &job["model"]["version"]), (&json!("dmiso"), &json!("paper")));
        assert_eq!(job["model"]["weights_sha256"].as_str().unwrap().len(), 64);
        let found = lines(&kept.results(&job, "application/x-ndjson").await);
        assert_eq!(
            found.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(),
            ["a", "b", "c", "d"]
        );
        let query = format!("{SCORE}?model=dmiso@paper");
        let alone = kept.app.post_to(&query, &json!({"pairs": [pair()]})).await;
        assert_near(&found[0]["probability"], &alone.body["results"][0]["probability"]);
        assert_eq!(found[1]["errors"][0]["code"], "invalid_letter", "{media_type}");
        let first_line = if media_type.starts_with("text/") { 3 } else { 2 };
        assert_eq!(found[1]["line"], first_line, "{media_type}");
        let whole: Value = serde_json::from_str(&kept.results(&job, "application/json").await).unwrap();
        assert_eq!(whole["model"], json!({"name": "dmiso", "version": "paper"}));
        assert_eq!(whole["results"], json!(found));
        let table = cells(&kept.results(&job, "text/csv").await, b',');
        assert_eq!(
            table[0],
            json!(["id", "probability", "interacts", "site_type", "warnings", "pairing", "errors"])
        );
        assert_near(&table[1][1], &found[0]["probability"]);
        let detail = found[1]["errors"][0]["detail"].as_str().unwrap();
        assert_eq!(table[2][6], format!("line {first_line}: site: {detail}"));
        assert_eq!(cells(&kept.results(&job, "text/tab-separated-values").await, b'\t'), table);
    }
    let reply = kept.ask("GET", "/metrics", &[]).await;
    assert!(reply.body.as_str().unwrap().contains("mirador_jobs{state=\"COMPLETE\"} "), "{}", reply.body);
}

/// A table of results has them to the digit, as a table that is answered at once.
#[tokio::test]
async fn callers_own_values_go_back_as_they_came() {
    let kept = Kept::ready(&[]);
    let own = r#""gene_id":123456789,"far":1e400,"text":"a \"b\"","none":null,"list":[1.50,2]"#;
    let row = format!(r#"{{"mirna":"{MIRNA}","site":"{SITE}",{own}}}"#);
    let job = kept.done(&format!("{JOBS}&keep_columns=true"), "application/x-ndjson", row).await;
    let table = cells(&kept.results(&job, "text/csv").await, b',');
    let cell = |name: &str| {
        let at = table[0].as_array().unwrap().iter().position(|column| column == name);
        table[1][at.unwrap_or_else(|| panic!("no {name} in {}", table[0]))].clone()
    };
    assert_eq!(cell("input.gene_id"), "123456789");
    assert_eq!((cell("input.far"), cell("input.text")), (json!("1e400"), json!("a \"b\"")));
    assert_eq!((cell("input.none"), cell("input.list")), (json!(""), json!("[1.50,2]")));

    let many = (0..300)
        .map(|place| json!({"mirna": MIRNA, "site": SITE, format!("c{place}"): place}).to_string() + "\n");
    let job = kept
        .done(&format!("{JOBS}&keep_columns=true"), "application/x-ndjson", many.collect::<String>())
        .await;
    let path = format!("/v1/jobs/{}/results", job["id"].as_str().unwrap());
    problem(&kept.ask("GET", &path, &[("accept", "text/csv")]).await, 406, "not-acceptable");
    assert_eq!(lines(&kept.results(&job, "application/x-ndjson").await).len(), 300);
}

#[tokio::test]
async fn other_operations_are_jobs_too() {
    let kept = Kept::ready(&[]);
    let duplexes = "/v1/jobs?operation=duplexes/fold";
    let job = kept.done(duplexes, "application/json", json!({"pairs": [pair()]}).to_string()).await;
    assert_eq!(job["state"], "COMPLETE", "{job}");
    assert!(job.get("model").is_none(), "no model was asked: {job}");
    let found = lines(&kept.results(&job, "application/x-ndjson").await);
    assert!(found[0]["mfe_kcal_per_mol"].as_f64().unwrap() < -20.0, "{found:?}");
    let hairpins = format!(">one\n{}\n>two\n{}\n", "GGGGAAAACCCC", "ACGUACGUACGUACGU");
    let refused =
        kept.submit("/v1/jobs?operation=duplexes/fold", &[("content-type", "text/x-fasta")], hairpins).await;
    problem(&refused, 415, "unsupported-media-type");
}

#[tokio::test]
async fn a_body_without_rows_is_no_job_well_done() {
    let kept = Kept::ready(&[]);
    for (media_type, text) in [
        ("text/csv", ""),
        ("text/csv", "id,mirna,site\n"),
        ("application/x-ndjson", "\n\n"),
        ("application/json", r#"{"pairs":[]}"#),
    ] {
        let job = kept.done(JOBS, media_type, text.to_owned()).await;
        assert_eq!(
            (&job["state"], &job["rows"]["read"]),
            (&json!("EXECUTOR_ERROR"), &json!(0)),
            "{text:?}: {job}"
        );
        let status = job["problem"]["status"].as_u64().unwrap();
        assert!((400..500).contains(&status), "{text:?}: {job}");
    }
}

/// A stream of such lines is ended, since nobody knows how long it goes on.
#[tokio::test]
async fn a_bad_row_costs_only_itself_however_many_there_are() {
    let kept = Kept::ready(&[]);
    let job = kept
        .done(JOBS, "text/csv", format!("mirna,site\n{}{MIRNA},{MIRNA}\n", "A,C\n".repeat(100_200)))
        .await;
    assert_eq!(
        (&job["state"], &job["rows"]),
        (&json!("COMPLETE"), &json!({"read": 100_201, "done": 100_201, "failed": 100_200})),
        "{job}"
    );
}

/// What a job keeps is no longer than what a caller may be told.
#[tokio::test]
async fn a_long_name_is_repeated_in_part() {
    let kept = Kept::ready(&[]);
    let body = json!({"model": "\u{7f}".repeat(1_000_000), "pairs": [pair()]}).to_string();
    let job = kept.done(JOBS, "application/json", body.clone()).await;
    assert_eq!(job["state"], "EXECUTOR_ERROR");
    assert!(job.to_string().len() < 10_000, "{}", job.to_string().len());
    for (path, body) in [
        ("/v1/target-sites/score", body),
        ("/v1/target-sites/score", json!({"\u{7f}".repeat(1_000_000): 1, "pairs": [pair()]}).to_string()),
        ("/v1/target-sites/scan", json!({"\u{7f}".repeat(1_000_000): 1}).to_string()),
        (
            "/v2/models/dmiso/infer",
            json!({"inputs": [], "outputs": [{"name": "\u{7f}".repeat(1_000_000)}]}).to_string(),
        ),
    ] {
        let reply = kept.app.post_text(path, "application/json", body).await;
        assert!(reply.contains("urn:mirador:problem:") && reply.len() < 10_000, "{path}: {}", reply.len());
    }
    let header = "\u{7f}".repeat(1_000_000);
    let reply =
        kept.app.post_text("/v1/target-sites/score", "text/csv", format!("{header},{header},mirna\n")).await;
    assert!(reply.len() < 10_000, "{}", reply.len());
}

#[tokio::test]
async fn what_no_body_could_mend_is_refused_at_once() {
    let kept = Kept::ready(&[]);
    let csv = ("content-type", "text/csv");
    for (url, headers, status, kind) in [
        ("/v1/jobs", &[csv][..], 400, "malformed-request"),
        ("/v1/jobs?operation=target-sites", &[csv], 400, "malformed-request"),
        ("/v1/jobs?operation=../../etc/passwd", &[csv], 400, "malformed-request"),
        ("/v1/jobs?operation=target-sites/score&colour=red", &[csv], 400, "malformed-request"),
        ("/v1/jobs?operation=target-sites/score&model=demiso", &[csv], 404, "unknown-model"),
        (JOBS, &[("content-type", "text/plain")], 415, "unsupported-media-type"),
        (JOBS, &[csv, ("idempotency-key", "")], 400, "malformed-request"),
        (JOBS, &[csv, ("idempotency-key", "two words")], 400, "malformed-request"),
        ("/v1/jobs?operation=target-sites/score&callback=https://a.example", &[csv], 422, "invalid-input"),
    ] {
        problem(&kept.submit(url, headers, body("text/csv")).await, status, kind);
    }
    kept.keeps(0).await;
    let off = App::ready(&[]);
    let request = Request::post(JOBS).header("x-request-id", "test").header("content-type", "text/csv");
    problem(&off.send(request.body(Body::empty()).unwrap()).await, 404, "no-jobs");
    problem(&off.get("/v1/jobs").await, 404, "no-jobs");
    problem(&kept.app.get("/v1/jobs").await, 404, "no-jobs");
}

#[tokio::test]
async fn what_only_its_body_tells_is_told_by_the_job() {
    let kept = Kept::ready(&[]);
    for (media_type, body, status) in [
        ("text/csv", "colour,taste\nred,sweet\n".to_owned(), 400),
        ("application/json", String::new(), 400),
        ("application/json", "{\"pairs\": 3}".to_owned(), 400),
        ("application/json", json!({"model": "demiso", "pairs": [pair()]}).to_string(), 404),
        ("application/x-ndjson", "\n".repeat(100_100), 422),
    ] {
        let job = kept.done(JOBS, media_type, body).await;
        assert_eq!(
            (&job["state"], &job["problem"]["status"]),
            (&json!("EXECUTOR_ERROR"), &json!(status)),
            "{job}"
        );
        let path = format!("/v1/jobs/{}/results", job["id"].as_str().unwrap());
        problem(&kept.ask("GET", &path, &[]).await, 409, "conflict");
    }
    kept.keeps(0).await;
    // More lines than are looked at together cost none behind them.
    let late = format!("{}{}\n{}", "\n".repeat(50_000), pair(), pair());
    assert_eq!(kept.done(JOBS, "application/x-ndjson", late).await["rows"]["done"], 2);
    let huge = [pair().to_string(), "x".repeat(3 << 20), pair().to_string()].join("\n");
    let job = kept.done(JOBS, "application/x-ndjson", huge).await;
    assert_eq!(job["rows"], json!({"read": 3, "done": 3, "failed": 1}));
}

#[tokio::test]
async fn a_range_of_the_results_can_be_asked_for() {
    let kept = Kept::ready(&[]);
    let job = kept.done(JOBS, "text/csv", body("text/csv")).await;
    let all = kept.results(&job, "application/x-ndjson").await;
    let path = format!("/v1/jobs/{}/results", job["id"].as_str().unwrap());
    let part = kept.ask("GET", &path, &[("range", "bytes=5-14")]).await;
    assert_eq!((part.status, part.body.as_str()), (206, Some(&all[5..15])));
    assert_eq!(part.header("content-range"), format!("bytes 5-14/{}", all.len()));
    let rest = kept.ask("GET", &path, &[("range", "bytes=5-")]).await;
    assert_eq!(rest.header("content-length"), (all.len() - 5).to_string());
    problem(&kept.ask("GET", &path, &[("range", "bytes=1000000-")]).await, 416, "range-not-satisfiable");
    problem(&kept.ask("GET", &path, &[("accept", "image/png")]).await, 406, "not-acceptable");
    let tag = part.header("etag").to_owned();
    for (if_range, status) in [(tag.as_str(), 206), ("\"other\"", 200), (&format!("W/{tag}"), 200)] {
        let reply = kept.ask("GET", &path, &[("range", "bytes=5-14"), ("if-range", if_range)]).await;
        let length = if status == 206 { 10 } else { all.len() };
        assert_eq!((reply.status, reply.header("content-length")), (status, length.to_string().as_str()));
    }
    // What is compressed has other bytes.
    let packed = kept.ask("GET", &path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(
        (packed.header("content-encoding"), packed.header("etag")),
        ("gzip", format!("W/{tag}").as_str())
    );
    for all in ["bytes=0-1,4-5", "lines=1-2", "x"] {
        assert_eq!(kept.ask("GET", &path, &[("range", all)]).await.status, 200, "{all}");
    }
}

#[tokio::test]
async fn the_same_name_and_body_are_the_same_job() {
    let kept = Kept::ready(&[]);
    let headers = [("content-type", "text/csv"), ("idempotency-key", "plate-7")];
    let rows = || body("text/csv");
    let both = tokio::join!(kept.submit(JOBS, &headers, rows()), kept.submit(JOBS, &headers, rows()));
    assert_eq!((both.0.status, both.1.status), (202, 202));
    let place = both.0.header("location").to_owned();
    assert_eq!(both.1.header("location"), place, "two at once are one");
    kept.ended(&place).await;
    assert_eq!(kept.submit(JOBS, &headers, rows()).await.header("location"), place, "also when it has ended");
    problem(&kept.submit(JOBS, &headers, rows() + "e,A,C\n").await, 409, "conflict");
    let other = format!("{JOBS}&model=dmiso@paper");
    problem(&kept.submit(&other, &headers, rows()).await, 409, "conflict");
    kept.keeps(1).await;
    assert_eq!(kept.submit(JOBS, &headers[..1], rows()).await.status, 202);
    assert_eq!(kept.ask("DELETE", &place, &[]).await.status, 204);
    let again = kept.submit(JOBS, &headers, rows()).await;
    assert!(again.status == 202 && again.header("location") != place, "what was deleted is sent again");
}

#[tokio::test]
async fn a_job_that_has_ended_is_deleted() {
    let kept = Kept::ready(&[]);
    let job = kept.done(JOBS, "text/csv", body("text/csv")).await;
    let place = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(kept.ask("DELETE", &place, &[]).await.status, 204);
    for method in ["GET", "DELETE"] {
        problem(&kept.ask(method, &place, &[]).await, 404, "unknown-job");
    }
    problem(&kept.ask("GET", &format!("{place}/results"), &[]).await, 404, "unknown-job");
    kept.keeps(0).await;
    let audit = std::fs::read_to_string(kept.folder.path().join("audit.ndjson")).unwrap();
    let events: Vec<Value> = lines(&audit).into_iter().map(|line| line["event"].clone()).collect();
    assert_eq!(events, ["submitted", "started", "ended", "deleted"]);
    let ended = &lines(&audit)[2];
    assert_eq!(ended["rows"], json!({"read": 4, "done": 4, "failed": 2}));
    assert_eq!((&ended["key"], &ended["operation"]), (&Value::Null, &json!("target-sites/score")));
    assert!(ended["models"]["model"]["weights_sha256"].is_string());
}

#[tokio::test]
async fn a_job_expires() {
    let kept = Kept::ready(&["--jobs-ttl-s", "1"]);
    let job = kept.done(JOBS, "text/csv", body("text/csv")).await;
    let place = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    let begun = Instant::now();
    while kept.app.get(&place).await.status != 410 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (method, path) in [("GET", place.clone()), ("DELETE", place.clone()), ("GET", place + "/results")] {
        problem(&kept.ask(method, &path, &[]).await, 410, "expired-job");
    }
    kept.keeps(0).await;
}

#[tokio::test]
async fn hostile_names_are_no_jobs() {
    let kept = Kept::ready(&[]);
    let job = kept.done(JOBS, "text/csv", body("text/csv")).await;
    let id = job["id"].as_str().unwrap();
    for name in [
        "..%2f..%2fjobs.sqlite".to_owned(),
        "%00".to_owned(),
        "a".repeat(5000),
        id.to_uppercase(),
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        format!("{id}%20"),
        "' OR 1=1 --".replace(' ', "%20"),
    ] {
        for path in [format!("/v1/jobs/{name}"), format!("/v1/jobs/{name}/results")] {
            problem(&kept.app.get(&path).await, 404, "unknown-job");
        }
        assert_eq!(kept.ask("DELETE", &format!("/v1/jobs/{name}"), &[]).await.status, 404, "{name}");
    }
    assert_eq!(kept.app.get(&format!("/v1/jobs/{id}")).await.status, 200);
}

#[tokio::test]
async fn nobody_sees_the_jobs_of_another_key() {
    let kept = Kept::ready(&[]);
    let made = ["lims", "other"].map(|name| Keys::make(name, &[Scope::Jobs]));
    let (reader, line) = Keys::make("reader", &[Scope::Read, Scope::Score]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let all = made.iter().map(|made| made.1.as_str()).chain([line.as_str()]).collect::<Vec<_>>().join("\n");
    std::fs::write(file.path(), all).unwrap();
    kept.app.state.admit(Keys::read(file.path()).unwrap());
    let [(lims, _), (other, _)] = made;
    let submit = async |key: &str, name: &str| {
        let headers = [("content-type", "text/csv"), ("x-api-key", key), ("idempotency-key", name)];
        kept.submit(JOBS, &headers, body("text/csv")).await
    };
    problem(&submit(&reader, "a").await, 403, "forbidden");
    problem(&kept.submit(JOBS, &[("content-type", "text/csv")], "").await, 401, "unauthorized");
    let place = submit(&lims, "a").await.header("location").to_owned();
    let theirs = submit(&other, "a").await;
    assert!(theirs.status == 202 && theirs.header("location") != place, "names are each key's own");
    submit(&lims, "b").await;
    for (method, path) in
        [("GET", place.clone()), ("GET", format!("{place}/results")), ("DELETE", place.clone())]
    {
        problem(&kept.ask(method, &path, &[("x-api-key", &other)]).await, 404, "unknown-job");
        problem(&kept.ask(method, &path, &[("x-api-key", &reader)]).await, 403, "forbidden");
    }
    let list = async |key: &str, query: &str| {
        kept.ask("GET", &format!("/v1/jobs{query}"), &[("x-api-key", key)]).await.body
    };
    assert_eq!(list(&lims, "").await["jobs"].as_array().unwrap().len(), 2);
    let first = list(&lims, "?page_size=1").await;
    let token = first["next_page_token"].as_str().unwrap();
    let second = list(&lims, &format!("?page_size=1&page_token={token}")).await;
    let ids = [&first, &second].map(|page| page["jobs"][0]["id"].as_str().unwrap().to_owned());
    assert!(ids[0] != ids[1] && ids.iter().any(|id| place.ends_with(id.as_str())), "{ids:?}");
    assert!(second.get("next_page_token").is_none(), "that was all: {second}");
    assert_eq!(list(&other, "").await["jobs"].as_array().unwrap().len(), 1);
    for query in ["?page_size=0", "?page_size=x", "?page_token=x", "?colour=red"] {
        assert_eq!(list(&lims, query).await["status"], 400, "{query}");
    }
}

/// A network that waits for a go before each batch.
fn gated_app(flags: &[&str]) -> (Kept, std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<usize>) {
    gated_on(TempDir::new().unwrap(), flags)
}

/// The same with the jobs of this folder.
pub(crate) fn gated_on(
    folder: TempDir,
    flags: &[&str],
) -> (Kept, std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<usize>) {
    let app = App::starting(&[&["--jobs-dir", folder.path().to_str().unwrap()], flags].concat());
    let (forward, go, sizes) = gated(dmiso_width());
    let (app, _) = app.serving_with(&dmiso::MODEL, PredictorConfig::default(), forward);
    start_jobs(&app.state).unwrap();
    (Kept { app, folder }, go, sizes)
}

fn dmiso_width() -> usize {
    (dmiso::MODEL.encoder)(&mirador_models::Options::new()).unwrap().width
}

#[tokio::test]
async fn a_running_job_is_cancelled() {
    let (kept, go, sizes) = gated_app(&[]);
    let rows = format!("{}\n", pair()).repeat(5000);
    let named = [("content-type", "application/x-ndjson"), ("idempotency-key", "tonight")];
    let reply = kept.submit(JOBS, &named, rows).await;
    let place = reply.header("location").to_owned();
    let (sizes, size) = tokio::task::spawn_blocking(move || {
        let size = sizes.recv();
        (sizes, size)
    })
    .await
    .unwrap();
    assert!(size.unwrap() > 0, "it runs");
    assert_eq!(kept.app.get(&place).await.body["state"], "RUNNING");
    let reply = kept.ask("DELETE", &place, &[]).await;
    assert_eq!((reply.status, &reply.body["state"]), (200, &json!("CANCELED")));
    go.send(()).unwrap();
    kept.keeps(0).await;
    drop(sizes);
    assert_eq!(kept.app.get(&place).await.body["state"], "CANCELED");
    problem(&kept.ask("GET", &format!("{place}/results"), &[]).await, 409, "conflict");
    let again = kept.submit(JOBS, &named, pair().to_string()).await;
    assert!(again.status == 202 && again.header("location") != place, "its name is free");
    assert_eq!(kept.ask("DELETE", again.header("location"), &[]).await.status, 200);
    assert_eq!(kept.ask("DELETE", &place, &[]).await.status, 204);
    assert_eq!(kept.app.get(&place).await.status, 404);
}

#[tokio::test]
async fn jobs_and_bytes_of_one_key_are_bounded() {
    let (kept, _go, _sizes) = gated_app(&["--jobs-max-waiting", "2"]);
    let lines = [("content-type", "application/x-ndjson")];
    for expected in [202, 202, 429] {
        let reply = kept.submit(JOBS, &lines, pair().to_string()).await;
        assert_eq!(reply.status, expected);
        if expected == 429 {
            problem(&reply, 429, "too-many-jobs");
            assert_eq!(reply.header("retry-after"), "30");
        }
    }
    kept.keeps(3).await;

    let kept = Kept::ready(&["--jobs-max-bytes-of-key", "3300", "--job-max-bytes", "2000"]);
    problem(&kept.submit(JOBS, &lines, "x".repeat(2001)).await, 413, "body-too-large");
    let (named, rows) = ([lines[0], ("idempotency-key", "tonight")], format!("{}\n", pair()).repeat(20));
    let full = kept.submit(JOBS, &named, rows.clone()).await;
    let job = kept.ended(full.header("location")).await;
    assert_eq!(job["state"], "COMPLETE", "its results take the place of its body: {job}");
    problem(&kept.submit(JOBS, &lines, "x".repeat(1900)).await, 507, "insufficient-storage");
    let again = kept.submit(JOBS, &named, rows).await;
    assert_eq!((again.status, again.header("location")), (202, full.header("location")), "it needs no room");
    kept.keeps(1).await;
    let place = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(kept.ask("DELETE", &place, &[]).await.status, 204);
    assert_eq!(kept.submit(JOBS, &lines, "x".repeat(1900)).await.status, 202, "there is room again");
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_nothing_half() {
    let lines = [("content-type", "application/x-ndjson")];
    let kept = Kept::ready(&["--jobs-keep-free-bytes", "9000000000000000000"]);
    problem(&kept.submit(JOBS, &lines, pair().to_string()).await, 507, "insufficient-storage");
    kept.keeps(0).await;
    // Room for the body, and not for what comes of it.
    let rows = format!("{}\n", json!({"mirna": MIRNA, "site": "AAAAAAAAAA"})).repeat(40);
    let kept = Kept::ready(&["--jobs-max-bytes", &(rows.len() + 100).to_string()]);
    let reply = kept.submit(JOBS, &lines, rows).await;
    assert_eq!(reply.status, 202);
    let job = kept.ended(reply.header("location")).await;
    assert_eq!((&job["state"], &job["problem"]["status"]), (&json!("SYSTEM_ERROR"), &json!(507)), "{job}");
    kept.keeps(0).await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let kept = Kept::ready(&[]);
    let parts = [Ok("{}\n"), Err(std::io::Error::other("gone"))];
    let lines = [("content-type", "application/x-ndjson")];
    let reply = kept.submit(JOBS, &lines, Body::from_stream(stream::iter(parts))).await;
    problem(&reply, 400, "malformed-request");
    let gzip = [("content-type", "application/x-ndjson"), ("content-encoding", "gzip")];
    problem(&kept.submit(JOBS, &gzip, "no gzip").await, 400, "malformed-request");
    kept.keeps(0).await;
    // Whoever leaves takes his upload with him.
    let endless = Body::from_stream(stream::pending::<Result<&str, std::io::Error>>());
    let left = tokio::time::timeout(Duration::from_millis(200), kept.submit(JOBS, &lines, endless)).await;
    assert!(left.is_err());
    kept.keeps(0).await;
}

#[tokio::test]
async fn a_trickling_upload_is_given_up() {
    let kept = Kept::ready(&["--read-timeout-s", "1"]);
    let trickle = stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>("x"), ()))
    });
    let lines = [("content-type", "application/x-ndjson")];
    problem(&kept.submit(JOBS, &lines, Body::from_stream(trickle)).await, 408, "slow-body");
    kept.keeps(0).await;
}

#[test]
fn two_processes_cannot_have_one_folder() {
    let folder = TempDir::new().unwrap();
    let config = crate::app::config(&["--jobs-dir", folder.path().to_str().unwrap()]);
    let first = mirador::jobs::Jobs::open(&config.jobs).unwrap();
    let second = mirador::jobs::Jobs::open(&config.jobs).err().unwrap().to_string();
    assert!(second.contains("another process keeps its jobs there"), "{second}");
    drop(first);
    assert!(mirador::jobs::Jobs::open(&config.jobs).is_ok());
}
