//! The Open Inference Protocol: what clients of KServe and Triton send and read. CI also runs Triton's own client.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use mirador_models::networks::{pairmap, premirna_cnn_lstm, xpresso};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, SITE, assert_near, pair};
use crate::weights;

const INFER: &str = "/v2/models/dmiso/infer";

fn tensor(name: &str, values: &[&str]) -> Value {
    json!({"name": name, "datatype": "BYTES", "shape": [values.len()], "data": values})
}

#[tokio::test]
async fn what_is_served_is_described() {
    let app = App::ready(&[]);
    assert_eq!(app.get("/v2").await.body["name"], "mirador");
    for path in [
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/dmiso/ready",
        "/v2/models/dmiso/versions/paper/ready",
    ] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    for path in ["/v2/models/dmiso", "/v2/models/dmiso/versions/paper"] {
        let model = app.get(path).await.body;
        assert_eq!((&model["name"], &model["versions"]), (&json!("dmiso"), &json!(["balanced", "paper"])));
        let input = |name| json!({"name": name, "datatype": "BYTES", "shape": [-1]});
        assert_eq!(model["inputs"], json!([input("mirna"), input("site")]));
        assert_eq!(model["outputs"][1], json!({"name": "probability", "datatype": "FP32", "shape": [-1]}));
    }
    for path in ["/v2/models/nope", "/v2/models/dmiso/versions/nope/ready"] {
        let reply = app.get(path).await;
        assert_eq!((reply.status, reply.body["error"].as_str()), (404, reply.body["detail"].as_str()));
    }
}

#[tokio::test]
async fn tensors_carry_the_same_answers() {
    let app = App::ready(&[]);
    let whole = app.score(&[pair(), json!({"mirna": MIRNA, "site": "GAUUACA"})]).await;
    let body =
        json!({"id": "7", "inputs": [tensor("site", &[SITE, "GAUUACA"]), tensor("mirna", &[MIRNA, MIRNA])]});
    let reply = app.post_to(INFER, &body).await;
    assert_eq!((reply.status, &reply.body["id"]), (200, &json!("7")), "{}", reply.body);
    assert_eq!(
        (&reply.body["model_name"], &reply.body["model_version"]),
        (&json!("dmiso"), &json!("balanced"))
    );
    for output in reply.body["outputs"].as_array().unwrap() {
        let name = output["name"].as_str().unwrap();
        assert_eq!(output["shape"], json!([2]));
        for (row, value) in output["data"].as_array().unwrap().iter().enumerate() {
            match &whole.body["results"][row][name] {
                Value::Null | Value::Array(_) => assert_eq!(value, ""),
                expected => assert_near(value, expected),
            }
        }
    }
    let outputs = json!([{"name": "site_type"}, {"name": "interacts"}]);
    let body = json!({"inputs": [tensor("mirna", &[MIRNA]), tensor("site", &[SITE])], "outputs": outputs});
    let reply = app.post_to("/v2/models/dmiso/versions/paper/infer", &body).await;
    assert_eq!(reply.body["model_version"], "paper");
    let names: Vec<&Value> =
        reply.body["outputs"].as_array().unwrap().iter().map(|output| &output["name"]).collect();
    assert_eq!(names, ["site_type", "interacts"]);
}

/// A request whose tensors stand behind the JSON.
fn binary(url: &str, head: &str, bytes: &[u8]) -> Request<Body> {
    let request = Request::post(url).header("inference-header-content-length", head.len());
    request.body(Body::from([head.as_bytes(), bytes].concat())).unwrap()
}

#[tokio::test]
async fn tensors_may_stand_behind_the_json() {
    let app = App::ready(&[]);
    let bytes = |texts: &[&str]| {
        texts
            .iter()
            .flat_map(|text| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat())
            .collect::<Vec<u8>>()
    };
    let (mirnas, sites) = (bytes(&[MIRNA, MIRNA]), bytes(&[SITE, "GAUUACA"]));
    let tensor = |name: &str, size: usize| json!({"name": name, "datatype": "BYTES", "shape": [2, 1], "parameters": {"binary_data_size": size}});
    let head = json!({
        "inputs": [tensor("mirna", mirnas.len()), tensor("site", sites.len())],
        "outputs": [{"name": "probability", "parameters": {"binary_data": true}}, {"name": "site_type"}],
    });
    let head = head.to_string();
    let send = async |length: usize, parts: &[&[u8]]| {
        let request = Request::post(INFER).header("inference-header-content-length", length);
        let response = app.open(request.body(Body::from(parts.concat())).unwrap()).await;
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    };
    let (reply, body) = send(head.len(), &[head.as_bytes(), &mirnas, &sites]).await;
    assert_eq!(reply.status, 200, "{body:?}");
    let length: usize = reply.headers["inference-header-content-length"].to_str().unwrap().parse().unwrap();
    let json: Value = serde_json::from_slice(&body[..length]).unwrap();
    assert_eq!(json["outputs"][0]["parameters"], json!({"binary_data_size": 8}));
    assert_eq!(json["outputs"][1]["data"][0], "8mer");
    let probability = f32::from_le_bytes(body[length..length + 4].try_into().unwrap());
    let whole = app.score(&[pair()]).await.probabilities()[0];
    assert!((f64::from(probability) - whole).abs() < 1e-5);

    for (length, parts) in [
        (head.len() + 10_000, vec![head.as_bytes(), &mirnas, &sites]),
        (head.len(), vec![head.as_bytes(), &mirnas]),
        (head.len(), vec![head.as_bytes(), &sites, &mirnas]),
        (head.len(), vec![head.as_bytes(), &mirnas, &sites, b"and more"]),
    ] {
        let (reply, body) = send(length, &parts).await;
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert!(reply.status == 400 && problem["error"].is_string(), "{problem}");
    }
}

#[tokio::test]
async fn other_questions_have_their_own_tensors() {
    let root = TempDir::new().unwrap();
    weights::write_model(&premirna_cnn_lstm::MODEL, root.path(), "grouped", true);
    weights::write_model(&xpresso::MODEL, root.path(), "public", true);
    let app = App::serving(root.path(), &[]);
    let hairpin = "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG";
    let body = json!({"inputs": [tensor("sequence", &[hairpin])]});
    let reply = app.post_to("/v2/models/premirna_cnn_lstm/infer", &body).await;
    let class = reply.body["outputs"][1]["data"][0].as_str().unwrap();
    assert!(["mirtron", "canonical"].contains(&class), "{}", reply.body);

    let value = |name: &str, datatype: &str, value: Value| json!({"name": name, "datatype": datatype, "shape": [1], "data": [value]});
    let inputs = [
        tensor("promoter", &["ACGTACGTAC"]),
        value("tss", "INT64", 4.into()),
        value("half_life_features.cds_gc", "FP64", 0.5.into()),
    ];
    let reply = app.post_to("/v2/models/xpresso/infer", &json!({"inputs": inputs})).await;
    assert_eq!(
        (reply.status, &reply.body["outputs"][1]["name"]),
        (200, &json!("log10_expression")),
        "{}",
        reply.body
    );
    let halves = [tensor("promoter", &["ACGTACGTAC"]), value("tss", "INT64", 4.5.into())];
    let reply = app.post_to("/v2/models/xpresso/infer", &json!({"inputs": halves})).await;
    assert_eq!(
        (reply.status, &reply.body["errors"][0]["pointer"]),
        (400, &json!("/inputs/1")),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn whether_pairs_are_wanted_is_a_tensor_too() {
    let root = TempDir::new().unwrap();
    weights::write_model(&pairmap::MODEL, root.path(), "balanced", true);
    let app = App::serving(root.path(), &[]);
    // As a client writes who leaves no field out.
    let flag = |parameters: Value, data: Value| json!({"name": "pairing", "datatype": "BOOL", "shape": [1], "parameters": parameters, "data": data});
    let asks = |flag: Value| {
        let inputs = json!([tensor("mirna", &[MIRNA]), tensor("site", &[SITE]), flag]);
        json!({"id": null, "parameters": null, "outputs": null, "inputs": inputs}).to_string()
    };
    let plain = [(Value::Null, json!([true])), (Value::Null, json!([false]))];
    let plain = plain.map(|(parameters, data)| (asks(flag(parameters, data)), None));
    let sized = asks(flag(json!({"binary_data_size": 1}), Value::Null));
    let sized = [1, 0, 2].map(|byte| (sized.clone(), Some(byte)));
    let mut found = Vec::new();
    for (head, byte) in plain.into_iter().chain(sized) {
        let reply = app.send(binary("/v2/models/pairmap/infer", &head, byte.as_slice())).await;
        found.push((reply.status, reply.body.to_string().contains("((((&))))")));
    }
    assert_eq!(found, [(200, true), (200, false), (200, true), (200, false), (400, false)]);
}

#[tokio::test]
async fn a_bad_tensor_is_named() {
    let app = App::ready(&[]);
    let (mirna, site) = (tensor("mirna", &[MIRNA]), tensor("site", &[SITE]));
    let with = |field: &str, value: Value| {
        let mut tensor = tensor("mirna", &[MIRNA]);
        tensor[field] = value;
        tensor
    };
    for (inputs, status, pointer) in [
        (json!([mirna]), 400, "/pairs/0"),
        (json!([]), 422, "/pairs"),
        (json!([mirna, tensor("site", &[SITE, SITE])]), 400, "/inputs/1"),
        (json!([with("shape", json!([2])), site]), 400, "/inputs/0"),
        (json!([with("shape", json!([1, 1, 1])), site]), 400, "/inputs/0"),
        (json!([mirna, site, tensor("gene", &["x"])]), 400, "/inputs/2"),
        (json!([with("data", json!([3])), site]), 400, "/inputs/0"),
        (json!([with("data", json!([true])), site]), 400, "/inputs/0"),
        (json!([with("datatype", json!("FP32")), site]), 400, "/inputs/0"),
        (json!([with("datatype", json!("TEXT")), site]), 400, "/inputs/0"),
        (json!([{"name": "mirna", "shape": [1], "data": [MIRNA]}, site]), 400, "/inputs/0"),
        (json!([with("data", json!(["GAXT"])), site]), 422, "/pairs/0/mirna"),
    ] {
        let reply = app.post_to(INFER, &json!({ "inputs": inputs })).await;
        assert_eq!(
            (reply.status, reply.body["errors"][0]["pointer"].as_str()),
            (status, Some(pointer)),
            "{}",
            reply.body
        );
        assert!(reply.body["error"].as_str().unwrap().contains(pointer));
    }
    for at in ["parameters", "inputs"] {
        let panel = json!({"panel": [{"mirna": MIRNA, "level": 1}]});
        let body = match at {
            "parameters" => json!({"inputs": [mirna, site], "parameters": panel}),
            _ => json!({"inputs": [with("parameters", panel), site]}),
        };
        let reply = app.post_to(INFER, &body).await;
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert!(reply.body["error"].as_str().unwrap().contains("no panel"), "{}", reply.body);
    }
    let body = json!({"inputs": [mirna, site], "outputs": [{"name": "energy"}]});
    assert!(app.post_to(INFER, &body).await.body["error"].as_str().unwrap().contains("no output \"energy\""));
}

#[tokio::test]
async fn an_output_is_given_once() {
    let app = App::ready(&[]);
    for (outputs, code) in [
        (json!([{"name": "site_type"}, {"name": "site_type"}]), "duplicate_field"),
        (json!(vec![json!({"name": "probability"}); 200]), "duplicate_field"),
        (json!([{"name": "site_type"}, {"name": "energy"}]), "unknown_field"),
        (json!(vec![json!({"name": "probability"}); 20_000]), "wrong_type"),
    ] {
        let body =
            json!({"inputs": [tensor("mirna", &[MIRNA]), tensor("site", &[SITE])], "outputs": outputs});
        let reply = app.post_to(INFER, &body).await;
        assert_eq!(
            (reply.status, reply.body["errors"][0]["code"].as_str()),
            (400, Some(code)),
            "{}",
            reply.body
        );
    }
}

#[tokio::test]
async fn tensors_are_read_up_to_one_value_too_many() {
    let app = App::ready(&["--max-rows", "2"]);
    // What stands behind is never read, so that it may be broken.
    for data in ["\"A\",\"A\",\"A\", !", "[],[],[], !", "[\"A\"],[\"A\"],[\"A\"], !", "0,0,0, !"] {
        let body =
            format!(r#"{{"inputs": [{{"name": "mirna", "datatype": "BYTES", "shape": [1], "data": [{data}"#);
        let request = Request::post(INFER).body(Body::from(body)).unwrap();
        assert_eq!(app.send(request).await.status, 413, "{data}");
    }
    let long = json!({"name": "mirna", "datatype": "BYTES", "shape": vec![1; 100_000], "data": []});
    let reply = app.post_to(INFER, &json!({"inputs": [long]})).await;
    assert_eq!((reply.status, reply.body.to_string().len() < 2000), (400, true), "{}", reply.body);
    assert!(reply.body["detail"].as_str().unwrap().contains("100000"), "{}", reply.body);
    let huge = json!({"name": "mirna", "datatype": "BYTES", "shape": [3], "data": []});
    assert_eq!(app.post_to(INFER, &json!({"inputs": [huge]})).await.status, 413);
}

#[tokio::test]
async fn what_stands_there_twice_is_refused() {
    let app = App::ready(&[]);
    let whole = json!({
        "id": "a", "outputs": [{"name": "probability"}],
        "inputs": [tensor("mirna", &[MIRNA]), tensor("site", &[SITE])],
    });
    let whole = whole.to_string();
    for field in [
        r#""id":"a""#,
        r#""name":"mirna""#,
        r#""datatype":"BYTES""#,
        r#""shape":[1]"#,
        r#""name":"probability""#,
    ] {
        let twice = whole.replacen(field, &format!("{field},{field}"), 1);
        assert_ne!(twice, whole);
        let reply = app.send(Request::post(INFER).body(Body::from(twice)).unwrap()).await;
        assert!(
            reply.status == 400 && reply.body["errors"][0]["code"] == "duplicate_field",
            "{field}: {}",
            reply.body
        );
    }
}

#[tokio::test]
async fn a_number_without_bound_is_no_missing_one() {
    let root = TempDir::new().unwrap();
    weights::write_model(&xpresso::MODEL, root.path(), "public", true);
    let app = App::serving(root.path(), &[]);
    for (number, status) in [(f64::INFINITY, 422), (f64::NEG_INFINITY, 422), (f64::NAN, 200), (0.5, 200)] {
        let number = number.to_le_bytes();
        let feature = json!({"name": "half_life_features.cds_gc", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": 8}});
        let tss = json!({"name": "tss", "datatype": "INT64", "shape": [1], "data": [4]});
        let head = json!({"inputs": [tensor("promoter", &["ACGTACGTAC"]), tss, feature]}).to_string();
        let reply = app.send(binary("/v2/models/xpresso/infer", &head, &number)).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
}

#[tokio::test]
async fn what_stands_beyond_the_shape_is_not_read() {
    let app = App::ready(&["--max-rows", "3"]);
    let deep = (0..9).fold(json!("A"), |inner, _| json!([inner]));
    let reply = app.post_to(INFER, &json!({"inputs": [{"name": "mirna", "data": deep}]})).await;
    let error = reply.body["errors"][0]["detail"].as_str().unwrap_or_default();
    assert!(reply.status == 400 && error.starts_with("data has to be a list"), "{}", reply.body);
    // One text too many, and then nonsense.
    let texts = [&1_u32.to_le_bytes()[..], b"A", &1_u32.to_le_bytes(), b"A", &[0xFF; 9]].concat();
    let tensor = json!({"name": "mirna", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": texts.len()}});
    let head = json!({"inputs": [tensor]}).to_string();
    let reply = app.send(binary(INFER, &head, &texts)).await;
    assert!(reply.body.to_string().contains("2 values for a shape of 1 rows"), "{}", reply.body);
}
