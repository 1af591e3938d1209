//! A result in the making: `OUT.part`, and beside it how far it is, so that a run that was killed goes on there.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// `OUT.part.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    /// Tells this scan of these files with these models from others.
    fingerprint: String,
    /// Blocks whose lines are in the file.
    blocks: usize,
    /// Bytes of them.
    bytes: u64,
}

/// The file in the making.
pub(super) struct Part {
    out: PathBuf,
    file: File,
    manifest: Manifest,
}

impl Part {
    /// Begins a file, or goes on with what was begun for the same scan.
    pub(super) fn open(out: &Path, fingerprint: String) -> Result<Self> {
        let path = beside(out, ".part");
        let mut file = open_part(out)?;
        let written = file.metadata()?.len();
        let begun = fs::read(beside(out, ".part.json"))
            .ok()
            .and_then(|text| serde_json::from_slice::<Manifest>(&text).ok())
            // A file that holds less than was said of it begins anew.
            .filter(|manifest| manifest.bytes <= written);
        let manifest = match begun {
            Some(manifest) => {
                ensure!(
                    manifest.fingerprint == fingerprint,
                    "{} was begun with other files, models or settings; remove it to start again",
                    path.display()
                );
                manifest
            }
            None => Manifest { fingerprint, blocks: 0, bytes: 0 },
        };
        // What was written behind the last block that is known to be whole.
        file.set_len(manifest.bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { out: out.to_owned(), file, manifest })
    }

    /// Blocks that need not be scanned again.
    pub(super) fn done(&self) -> usize {
        self.manifest.blocks
    }

    /// Whether nothing stands in it yet.
    pub(super) fn is_empty(&self) -> bool {
        self.manifest.bytes == 0
    }

    /// Adds what stands before all blocks.
    pub(super) fn head(&mut self, text: &[u8]) -> Result<()> {
        self.write(text, 0)
    }

    /// Adds a block's lines.
    pub(super) fn block(&mut self, text: &[u8]) -> Result<()> {
        self.write(text, 1)
    }

    fn write(&mut self, text: &[u8], blocks: usize) -> Result<()> {
        let name = || self.out.display().to_string();
        self.file.write_all(text).with_context(name)?;
        self.manifest.blocks += blocks;
        self.manifest.bytes += text.len() as u64;
        // The manifest names no byte that is not in the file.
        let (manifest, new) = (beside(&self.out, ".part.json"), beside(&self.out, ".part.json.new"));
        fs::write(&new, serde_json::to_vec(&self.manifest)?).with_context(name)?;
        Ok(fs::rename(new, manifest)?)
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<()> {
        self.file.sync_all()?;
        fs::rename(beside(&self.out, ".part"), &self.out)?;
        match fs::remove_file(beside(&self.out, ".part.json")) {
            // An empty shard has nothing to say.
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// `OUT.part`, which one run alone may write.
pub(super) fn open_part(out: &Path) -> Result<File> {
    let path = beside(out, ".part");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| path.display().to_string())?;
    file.try_lock().with_context(|| format!("{}: another run is writing it", path.display()))?;
    // Looked at only now: the run that had the lock may have ended.
    if out.exists() {
        fs::remove_file(&path)?;
        bail!("{} exists already; remove it, or name another", out.display());
    }
    Ok(file)
}

/// Whether a result may get this name.
pub(super) fn check_name(out: &Path) -> Result<()> {
    let name = out.display();
    ensure!(!out.exists(), "{name} exists already; remove it, or name another");
    ensure!(out != Path::new("-"), "results go to a file: name one in place of -");
    ensure!(!is_named_gzip(out), "{name}: results are written plain; leave the .gz out");
    Ok(())
}

/// Whether the name says that the file is compressed.
pub(super) fn is_named_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["gz", "bgz"].iter().any(|gzip| end.eq_ignore_ascii_case(gzip)))
}

/// The name with an ending more.
pub(super) fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
