//! A job that ends the process again and again is not begun for ever.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::app::pair;
use crate::jobs::{JOBS, gated_on};

/// What a kill at this moment would leave.
fn copy(folder: &Path) -> TempDir {
    let left = TempDir::new().unwrap();
    copy_below(folder, left.path());
    left
}

fn copy_below(folder: &Path, to: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_below(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn three_ends_at_the_same_row_are_enough() {
    let (kept, _go, sizes) = gated_on(TempDir::new().unwrap(), &[]);
    let reply = kept.submit(JOBS, &[("content-type", "application/x-ndjson")], pair().to_string()).await;
    let place = reply.header("location").to_owned();
    let (mut servers, mut left) = (vec![(kept, _go)], None);
    let mut sizes = Some(sizes);
    for end in 1..=3 {
        let begun = sizes.take().unwrap();
        let begun = tokio::task::spawn_blocking(move || begun.recv_timeout(Duration::from_secs(60)));
        assert_eq!(begun.await.unwrap(), Ok(1), "begun for the {end}. time");
        let (kept, _) = servers.last().unwrap();
        assert_eq!(kept.app.get(&place).await.body["state"], "RUNNING");
        left = Some(copy(kept.folder.path()));
        if end < 3 {
            let (kept, go, next) = gated_on(left.take().unwrap(), &[]);
            servers.push((kept, go));
            sizes = Some(next);
        }
    }
    let (last, _go, sizes) = gated_on(left.unwrap(), &[]);
    let job = last.ended(&place).await;
    assert_eq!(job["state"], "SYSTEM_ERROR", "{job}");
    assert!(job["problem"]["detail"].as_str().unwrap().contains("at the same rows"), "{job}");
    assert!(sizes.try_recv().is_err(), "it is not begun for a fourth time");
}
