//! Bodies that cost their sender little and a careless server much.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

const PAIR: [&str; 2] = ["UGAGGUAGUAGGUUGUAUAGUU", "AACUAUACAACCUACUACCUCA"];
/// Just below the limit of a body.
const BODY: usize = 15 << 20;

/// A request: its route, its content type, its body compressed by gzip.
pub(super) struct Packed {
    pub route: &'static str,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

fn packed(
    route: &'static str,
    content_type: &'static str,
    parts: impl IntoIterator<Item = Vec<u8>>,
) -> Packed {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    parts.into_iter().for_each(|part| encoder.write_all(&part).expect("a vector takes every byte"));
    Packed { route, content_type, body: encoder.finish().expect("a vector takes every byte") }
}

fn around(before: &str, middle: &str, after: &str) -> Vec<Vec<u8>> {
    let times = BODY / middle.len();
    [vec![before.into()], vec![middle.repeat(times).trim_end_matches(',').into()], vec![after.into()]]
        .concat()
}

/// Every attack's body.
pub(super) fn all() -> Vec<Packed> {
    const SCORE: &str = "/v1/target-sites/score";
    const INFER: &str = "/v2/models/pairmap/infer";
    const JSON: &str = "application/json";
    let genes = (r#"{"promoter":"A","tss":0},"#).repeat(10_000);
    let column = |name: &str, value: &str| {
        let data = vec![format!("{value:?}"); 10_000].join(",");
        format!(r#"{{"name":"{name}","datatype":"BYTES","shape":[10000],"data":[{data}]}}"#)
    };
    let outputs = (r#"{"name":"site_type"},"#).repeat(20_000);
    let columns = format!(r#"{{"inputs":[{},{}],"#, column("mirna", PAIR[0]), column("site", PAIR[1]));
    let tensor = r#"{"inputs":[{"name":"mirna","datatype":"BYTES","shape":[1],"data":["#;
    let levels = (0..600_000).map(|n| format!(r#""m{n}":"x","#)).collect::<String>();
    let wide = format!("{}\n{}\n", "a,".repeat(1_000_000), "1,".repeat(1_000_000));
    vec![
        packed(
            "/v1/expression/predict",
            JSON,
            [format!(r#"{{"genes":[{}]}}"#, genes.trim_end_matches(',')).into()],
        ),
        packed(
            INFER,
            JSON,
            [columns.into(), format!(r#""outputs":[{}]}}"#, outputs.trim_end_matches(',')).into()],
        ),
        packed(INFER, JSON, around(tensor, "0,", "]}]}")),
        packed(INFER, JSON, around(tensor, "[],", "]}]}")),
        packed(
            INFER,
            JSON,
            around(r#"{"inputs":[{"name":"mirna","datatype":"BYTES","data":[],"shape":["#, "1,", "]}]}"),
        ),
        packed(SCORE, JSON, around(r#"{"pairs":["#, "{},", "]}")),
        packed(SCORE, JSON, around(r#"{"pairs":"#, "[", "")),
        packed(SCORE, "text/csv", around("mirna,site\n", "A,C\n", "")),
        packed(SCORE, "text/csv", [wide.into()]),
        packed(SCORE, "text/csv", around("mirna,site\n\"", "A,C\n", "")),
        packed(SCORE, "application/x-ndjson", vec![vec![b'\n'; 1 << 20]; 128]),
        packed(SCORE, "application/x-ndjson", vec![b"{}\n".repeat(1 << 18); 16]),
        packed(SCORE, "application/x-ndjson", vec![vec![b'x'; 1 << 20]; 256]),
        packed(
            "/v1/expression/predict",
            JSON,
            [format!(
                r#"{{"genes":[{{"promoter":"ACGUACGU","tss":0,"mirnas":{{{}}}}}]}}"#,
                levels.trim_end_matches(',')
            )
            .into()],
        ),
        // More than the limit, of almost nothing.
        packed(SCORE, JSON, vec![vec![b' '; 1 << 20]; 512]),
    ]
}
