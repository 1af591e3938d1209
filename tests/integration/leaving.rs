//! Clients who leave before their answer: nobody works for them any more, whatever they speak.

use axum::http::Request;
use h2::Reason;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::app::{SCORE, pair};
use crate::process::{Server, get};

/// Enough to keep a worker that takes one row at a time busy for seconds.
fn body() -> String {
    json!({"pairs": vec![pair(); 10_000]}).to_string()
}

fn slow() -> Server {
    let mut server = Server::start(&["--max-batch-size", "1"]);
    server.until_ready();
    server
}

fn metric(server: &Server, start: &str) -> u64 {
    let metrics = get(&server.address, "/metrics");
    let values = metrics.lines().filter(|line| line.starts_with(start) && line.contains("dmiso"));
    values.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn until_work_has_begun(server: &mut Server) {
    server.wait_until(|server| metric(server, "mirador_inputs_answered_total") > 0);
}

fn nobody_works(server: &mut Server) {
    server.wait_until(|server| metric(server, "mirador_inputs_in_flight") == 0);
    let answered = metric(server, "mirador_inputs_answered_total");
    assert!(answered < 9000, "{answered} rows were run");
    assert!(metric(server, "mirador_inputs_dropped_total") > 1000);
}

#[tokio::test]
async fn by_closing_a_connection_of_http_1() {
    let mut server = slow();
    let body = body();
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    until_work_has_begun(&mut server);
    drop(stream);
    nobody_works(&mut server);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_resetting_a_stream_of_http_2() {
    let mut server = slow();
    let stream = TcpStream::connect(&server.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{}{SCORE}", server.address))
        .header("content-type", "application/json")
        .body(())
        .unwrap();
    let (_answer, mut upload) = client.send_request(request, false).unwrap();
    upload.send_data(body().into(), true).unwrap();
    until_work_has_begun(&mut server);
    upload.send_reset(Reason::CANCEL);
    nobody_works(&mut server);
}
