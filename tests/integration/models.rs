//! What the service says of itself and its models.

use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use mirador::serving::{PredictorConfig, Registry};
use mirador_models::LoadError;
use mirador_models::device::Device;
use serde_json::json;
use tempfile::TempDir;

use crate::app::App;
use crate::weights;

#[tokio::test]
async fn the_list_names_every_version() {
    let mut list = App::ready(&[]).get("/v1/models").await.body;
    assert_eq!(list["models"].as_array().unwrap().len(), 2);
    list["models"][0]["description"].take();
    insta::assert_json_snapshot!(list["models"][0], @r#"
    {
      "name": "dmiso",
      "version": "balanced",
      "task": "target_site",
      "default": true,
      "default_version": true,
      "description": null,
      "limits": {
        "mirna_nt": {
          "min": 15,
          "max": 30
        },
        "rows": {
          "min": 1,
          "max": 10000
        },
        "site_nt": {
          "min": 6,
          "max": 100
        }
      },
      "decision_threshold": 0.5
    }
    "#);
    assert_eq!(list["models"][1]["version"], "paper");
    assert_eq!(list["models"][1]["default"], false);
}

#[tokio::test]
async fn a_card_tells_all() {
    let app = App::ready(&[]);
    let card = app.get("/v1/models/dmiso").await.body;
    assert_eq!(card, app.get("/v1/models/dmiso@balanced").await.body);
    assert_eq!(card["name"], "dmiso");
    assert_eq!(card["card"], "# dmiso@balanced\n\nRandom, for tests.\n");
    assert_eq!(card["metrics"]["test"]["auroc"], 0.5);
    assert_eq!(card["weights_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(card["split"], json!({"description": null, "sets": []}), "nothing is made up");
    assert_eq!(app.get("/v1/models/dmiso@paper").await.body["version"], "paper");
}

/// Training data, split, metrics, audit and digest, as fields of the reply.
#[tokio::test]
async fn the_card_of_a_shipped_version_says_how_it_was_trained() {
    let app = App::serving(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/weights")), &[]);
    let list = app.get("/v1/models").await.body;
    for row in list["models"].as_array().unwrap() {
        let name = format!("{}@{}", row["name"].as_str().unwrap(), row["version"].as_str().unwrap());
        let card = app.get(&format!("/v1/models/{name}")).await.body;
        assert_eq!(card["training_data"]["dataset_sha256"].as_str().unwrap().len(), 64, "{name}");
        assert!(!card["training_data"]["preparation"].as_array().unwrap().is_empty(), "{name}");
        let split = &card["split"];
        assert!(split["description"].as_str().unwrap().len() > 80, "{name}");
        assert!(card["card"].as_str().unwrap().contains(split["description"].as_str().unwrap()));
        if row["task"] == "repression" {
            // Nothing is chosen by a set of its own.
            assert_eq!(split["sets"], json!([]), "{name}");
            continue;
        }
        assert_eq!(split["sets"][0]["name"], "validation", "{name}");
        let positives = split["sets"][0]["positives"].as_u64();
        assert_eq!(positives.is_some(), row["task"] != "expression", "{name}");
        assert!(positives.unwrap_or_default() < split["sets"][0]["rows"].as_u64().unwrap(), "{name}");
        assert!(card["audit"][0]["name"].is_string(), "{name}");
        if name.starts_with("mirex@") {
            assert_eq!(card["options"]["mirnas"].as_array().unwrap().len(), 10, "{name}");
            assert!(row["options"]["window"].is_array(), "{name}: {row}");
        }
    }
}

#[tokio::test]
async fn the_service_describes_itself() {
    let app = App::starting(&["--organization-name", "Lab", "--organization-url", "https://lab.example/"]);
    let info = app.get("/service-info").await.body;
    assert_eq!(info["type"]["artifact"], "mirador");
    assert_eq!(info["organization"]["url"], "https://lab.example/");
    let home = app.get("/").await;
    assert!(home.header("content-type").starts_with("text/html"));
    let page = home.body.as_str().unwrap();
    assert!(page.contains("page/page.js") && !page.contains("https://"), "no outside assets");
    let policy = home.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(
        !page.contains("<style") && !page.contains("<script>") && !page.contains(" style="),
        "the policy forbids it"
    );
    let docs = app.get("/docs/").await;
    assert_eq!(docs.status, 200);
    assert!(!docs.body.as_str().unwrap().contains("https://"), "works with no internet");
    assert!(page.contains("rel=\"icon\""), "browsers need not ask for one");
}

/// Behind a proxy the service may stand below a path: no address in the documents starts at the root.
#[tokio::test]
async fn the_documents_work_below_any_path() {
    let app = App::starting(&[]);
    let redirect = app.get("/docs").await;
    assert_eq!((redirect.status, redirect.header("location")), (308, "docs/"));
    let settings = app.get("/docs/swagger-initializer.js").await;
    assert!(settings.body.as_str().unwrap().contains(r#""../openapi.json""#), "{}", settings.body);
    for page in ["/", "/docs/"] {
        let page = app.get(page).await.body.as_str().unwrap().to_owned();
        assert!(!page.contains("href=\"/") && !page.contains("src=\"/"), "{page}");
    }
    let mut asked = vec!["/".to_owned()];
    let mut known: Vec<String> = Vec::new();
    while let Some(path) = asked.pop() {
        let file = app.get(&path).await;
        assert_eq!(file.status, 200, "{path}");
        let text = file.body.as_str().unwrap_or_default();
        // What a file names is there: the page's own files by their folder, a module by its neighbours.
        for end in ["href=\"page/", "src=\"page/", "from \"./"] {
            let names = text.split(end).skip(1).filter_map(|rest| rest.split('"').next());
            for name in names.map(|name| format!("/page/{name}")) {
                if !known.contains(&name) {
                    known.push(name.clone());
                    asked.push(name);
                }
            }
        }
    }
    assert!(known.len() >= 20, "{known:?}");
    assert_eq!(app.get("/page/no-such-file.js").await.status, 404);
    let first = app.get("/page/page.css").await;
    assert_eq!(first.header("content-type"), "text/css; charset=utf-8");
    let tag = first.header("etag");
    for (sent, status) in [
        (tag.to_owned(), 304),
        (tag.trim_start_matches("W/").to_owned(), 304),
        (format!("\"a\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"a\"".to_owned(), 200),
    ] {
        let request = Request::get("/page/page.css").header("if-none-match", &sent);
        assert_eq!(app.send(request.body(Body::empty()).unwrap()).await.status, status, "{sent}");
    }
    let script = app.get("/docs/swagger-ui-bundle.js").await;
    assert!(script.header("content-type").contains("javascript"), "{}", script.header("content-type"));
    for page in ["/", "/docs/"] {
        let reply = app.get(page).await;
        assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"), "{page}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{page}");
    }
    assert_eq!(app.get("/docs/no-such-file").await.status, 404);
    assert_eq!(app.get("/openapi.json").await.body["servers"], json!([{"url": "."}]));
}

#[tokio::test]
async fn the_service_names_the_address_that_it_was_asked_by() {
    let url = async |flags: &[&str], headers: &[(&str, &str)]| {
        let mut request = Request::get("/service-info");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let info = App::starting(flags).send(request.body(Body::empty()).unwrap()).await.body;
        info["organization"]["url"].as_str().unwrap().to_owned()
    };
    let anywhere = ["--bind", "0.0.0.0:8080"];
    let behind = ["--bind", "0.0.0.0:8080", "--forwarded-for"];
    let tls = ["--bind", "0.0.0.0:8080", "--tls-cert", "chain.pem", "--tls-key", "key.pem"];
    let host = ("host", "lab.example:8443");
    assert_eq!(url(&anywhere, &[host]).await, "http://lab.example:8443/");
    assert_eq!(url(&tls, &[host]).await, "https://lab.example:8443/");
    let forwarded = [host, ("x-forwarded-host", "public.example"), ("x-forwarded-proto", "https")];
    assert_eq!(url(&behind, &forwarded).await, "https://public.example/");
    let ported = [&forwarded[..], &[("x-forwarded-port", "9443")]].concat();
    assert_eq!(url(&behind, &ported).await, "https://public.example:9443/");
    assert_eq!(url(&tls, &[("host", "lab.example:443")]).await, "https://lab.example/");
    assert_eq!(url(&anywhere, &forwarded).await, "http://lab.example:8443/");
    assert_eq!(url(&behind, &[host]).await, "http://lab.example:8443/");
    for nonsense in ["", "a b", "<script>", "evil/path"] {
        assert_eq!(url(&anywhere, &[("host", nonsense)]).await, "http://0.0.0.0:8080/", "{nonsense}");
    }
}

#[test]
fn defaults_must_be_clear() {
    let load = |versions: &[(&str, bool)]| {
        let root = TempDir::new().unwrap();
        versions.iter().for_each(|(version, default)| weights::write(root.path(), version, *default));
        Registry::load(root.path(), &[Device::Cpu], &PredictorConfig::default(), None)
            .map(|registry| registry.entries().iter().map(|entry| entry.default).collect::<Vec<_>>())
    };
    assert_eq!(load(&[("only", false)]).unwrap(), [true], "an only version needs no flag");
    let message = |result: Result<_, LoadError>| result.unwrap_err().to_string();
    insta::assert_snapshot!(message(load(&[("a", false), ("b", false)])),
        @r#"no version answers to the name "dmiso" (default_version); there is: dmiso@a, dmiso@b"#);
    insta::assert_snapshot!(message(load(&[("a", true), ("b", true)])),
        @r#"more than one version answers to the name "dmiso" (default_version): dmiso@a, dmiso@b"#);
}
