//! `mirador health`: what a container is told about the server in it.

use std::net::TcpListener;
use std::process::{Command, Output};

use rcgen::CertifiedKey;
use tempfile::TempDir;

use crate::process::Server;

/// Asks with these settings and no others.
fn health(settings: &[(&str, &str)], flags: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
    for name in ["MIRADOR_BIND", "MIRADOR_OPS_BIND", "MIRADOR_TLS_CERT"] {
        command.env_remove(name);
    }
    // A proxy must not be asked for loopback.
    command.env("HTTP_PROXY", "http://127.0.0.1:9").envs(settings.iter().copied());
    let Output { status, stdout, stderr } = command.arg("health").args(flags).output().unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').unwrap().1
}

#[test]
fn a_server_is_ready_by_its_own_settings_and_needs_no_key() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    let made = Command::new(env!("CARGO_BIN_EXE_mirador")).args(["key", "somebody"]).output().unwrap();
    let printed = String::from_utf8(made.stdout).unwrap();
    std::fs::write(&keys, printed.lines().last().unwrap()).unwrap();
    let mut server = Server::start(&["--bind", "[::]:0", "--key-file", keys.to_str().unwrap()]);
    let port = port(&server.address).to_owned();
    server.address = format!("127.0.0.1:{port}");
    server.until_ready();
    for everywhere in ["0.0.0.0", "[::]", "127.0.0.1", "[::1]", "localhost"] {
        let bind = format!("{everywhere}:{port}");
        assert_eq!(health(&[("MIRADOR_BIND", &bind)], &[]), (Some(0), "ready\n".to_owned()), "{bind}");
    }
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(health(&[("MIRADOR_BIND", "127.0.0.1:1")], &["--url", &url]).0, Some(0));
}

#[test]
fn a_server_that_drains_is_not_ready_and_one_that_is_gone_does_not_answer() {
    let mut server = Server::start(&["--drain-pause-ms", "20000"]);
    server.until_ready();
    let flags = ["--bind", &server.address.clone()];
    server.terminate();
    server.wait_until(|_| health(&[], &flags).0 == Some(1));
    let (_, said) = health(&[], &flags);
    assert!(said.contains("answers 503") && said.contains("shutting down"), "{said}");

    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (code, said) = health(&[], &["--bind", &gone]);
    assert!(code == Some(1) && said.contains("does not answer"), "{said}");
}

#[test]
fn https_is_asked_whatever_name_the_certificate_has_and_the_second_address_first() {
    let folder = TempDir::new().unwrap();
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["mirador.example".into()]).unwrap();
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&chain, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());
    let mut server = Server::start(&["--tls-cert", chain, "--tls-key", key, "--ops-bind", "127.0.0.1:0"]);
    let (main, ops) = (server.address.clone(), server.ops.clone());
    server.wait_until(|_| health(&[("MIRADOR_OPS_BIND", &ops)], &["--bind", "127.0.0.1:1"]).0 == Some(0));
    assert_eq!(health(&[("MIRADOR_TLS_CERT", chain)], &["--bind", &main]).0, Some(0));
    let (code, said) = health(&[], &["--bind", &main]);
    assert!(code == Some(1) && said.contains("does not answer"), "{said}");
}

#[test]
fn what_cannot_be_asked_is_told_before_anything_is_sent() {
    for (flags, words) in [
        (["--bind", "127.0.0.1:0"], "give --url"),
        (["--ops-bind", "nowhere"], "--ops-bind nowhere"),
        (["--url", "localhost:8080"], "expected http://HOST:PORT"),
    ] {
        let (code, said) = health(&[], &flags);
        assert!(code == Some(1) && said.contains(words), "{said}");
    }
}
