//! What packages rely on: where an installed program finds its weights, and what it tells the service manager.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{get, refuse, serve};
use crate::weights;

/// A program in a package's layout, with its weights beside it or not.
#[test]
fn weights_are_looked_for_here_and_beside_the_program() {
    let package = TempDir::new().unwrap();
    let (programs, beside) = (package.path().join("bin"), package.path().join("share/mirador/weights"));
    fs::create_dir_all(&programs).unwrap();
    let program = programs.join("mirador");
    fs::copy(env!("CARGO_BIN_EXE_mirador"), &program).unwrap();
    let folder = TempDir::new().unwrap();
    let check = || {
        let mut check = Command::new(&program);
        check.current_dir(folder.path()).args(["check", "--device", "cpu"]);
        check
    };

    let expected = format!(
        "mirador: there are no weights in ./weights, nor in {}; name their folder with --weights-dir or MIRADOR_WEIGHTS_DIR\n",
        beside.display()
    );
    assert_eq!(refuse(&mut check()), expected);
    let mut serve = Command::new(&program);
    serve.current_dir(folder.path()).args(["serve", "--bind", "127.0.0.1:0"]);
    let message = refuse(&mut serve);
    assert_eq!(message.matches("there are no weights").count(), 1, "{message}");

    weights::write(&beside, "balanced", true);
    let found = |check: &mut Command| String::from_utf8(check.output().unwrap().stdout).unwrap();
    assert!(found(&mut check()).starts_with("dmiso@balanced: golden outputs reproduced"));
    weights::write(&folder.path().join("weights"), "paper", true);
    let here = found(&mut check());
    assert!(here.starts_with("dmiso@paper: ") && here.lines().count() == 1, "{here}");
    let message = refuse(check().args(["--weights-dir", "nowhere"]));
    assert!(message.starts_with("mirador: nowhere: No such file"), "{message}");
}

#[test]
fn a_service_manager_is_told_when_the_models_answer_and_when_they_leave() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let told = || {
        let mut words = [0; 100];
        let length = manager.recv(&mut words).unwrap();
        String::from_utf8_lossy(&words[..length]).trim().to_owned()
    };
    let port_file = folder.path().join("address");
    let mut server = serve(weights::root(), &port_file).env("NOTIFY_SOCKET", &socket).spawn().unwrap();
    assert_eq!(told(), "READY=1");
    let address = fs::read_to_string(&port_file).unwrap();
    assert!(get(&address, "/health/ready").starts_with("HTTP/1.1 200"));
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    assert_eq!(told(), "STOPPING=1");
    assert_eq!(server.wait().unwrap().code(), Some(0));
}
