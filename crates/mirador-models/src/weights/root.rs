//! Where both programs look for the weights.

use std::path::{Path, PathBuf};

use crate::LoadError;

/// Where a developer and whoever unpacked an archive have them.
const HERE: &str = "weights";

/// The folder that was named and no other, else the first there is of `./weights` and `../share/mirador/weights` from the
/// program's own folder, where packages put them.
///
/// # Errors
/// [`LoadError::Nowhere`] where none was named and neither is a folder.
pub fn weights_root(named: Option<&Path>) -> Result<PathBuf, LoadError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let here = PathBuf::from(HERE);
    // Links are followed: a package manager may link a program from elsewhere.
    let installed = std::env::current_exe().ok().and_then(|program| installed_with(&program));
    let found = [Some(&here), installed.as_ref()].into_iter().flatten().find(|folder| folder.is_dir());
    found.cloned().ok_or(LoadError::Nowhere { installed })
}

/// Where weights are written if no folder is named: never into a package's.
pub fn own_weights_root(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| HERE.into())
}

fn installed_with(program: &Path) -> Option<PathBuf> {
    Some(program.parent()?.parent()?.join("share/mirador/weights"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_its_weights_beside_its_programs_folder() {
        let of = |program: &str| installed_with(Path::new(program)).map(|root| root.display().to_string());
        assert_eq!(of("/usr/bin/mirador").as_deref(), Some("/usr/share/mirador/weights"));
        assert_eq!(of("/lab/env/bin/mirador").as_deref(), Some("/lab/env/share/mirador/weights"));
        assert_eq!(of("/mirador"), None);
    }

    #[test]
    fn a_named_folder_is_taken_whether_it_is_there_or_not() {
        assert_eq!(weights_root(Some(Path::new("/nowhere"))).unwrap(), Path::new("/nowhere"));
        assert_eq!(own_weights_root(Some("/nowhere".into())), Path::new("/nowhere"));
        assert_eq!(own_weights_root(None), Path::new("weights"));
    }
}
