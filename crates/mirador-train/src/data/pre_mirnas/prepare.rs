//! Public files → one dataset file: letters repaired, families and the published split assigned, every step counted.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use mirador_models::sha256;
use mirador_models::tasks::pre_mirna::PreMirna;
use mirna::Rna;

use super::dataset::{Hairpin, Split, write};
use super::families::families;
use crate::data::sources::{self, Tally};

/// Writes `out` from the public files below `data`; returns what was done, in words.
pub fn pre_mirnas(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let published = sources::pre_mirnas(data, &mut tally)?;
    let sequences: Vec<&Rna> = published.iter().map(|hairpin| &hairpin.sequence).collect();
    let families = families(&sequences);
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    families.iter().for_each(|&family| *sizes.entry(family).or_default() += 1);
    let related: usize = sizes.values().filter(|&&size| size > 1).sum();
    tally.count(
        sizes.len(),
        format!("families (shared 22-mer, or more than half of the 8-mers); {related} rows have relatives"),
    );
    let rows = published.into_iter().zip(families).map(|(hairpin, family)| Hairpin {
        id: hairpin.id,
        source: hairpin.source.to_owned(),
        split: if hairpin.test { Split::Test } else { Split::Train },
        family,
        pre_mirna: PreMirna { sequence: hairpin.sequence },
        mature5p: hairpin.mature5p,
        mature3p: hairpin.mature3p,
        mirtron: hairpin.mirtron,
    });
    let rows: Vec<Hairpin> = rows.collect();
    for (split, name) in [(Split::Train, "training"), (Split::Test, "test")] {
        let of_split = rows.iter().filter(|row| row.split == split);
        let mirtrons = of_split.clone().filter(|row| row.mirtron).count();
        tally.count(
            of_split.count(),
            format!("rows in the published {name} part, {mirtrons} of them mirtrons"),
        );
    }
    write(out, &rows)?;
    tally.0.push(format!("{} rows, SHA-256 {}", rows.len(), sha256(out)?));
    Ok(tally.0)
}
