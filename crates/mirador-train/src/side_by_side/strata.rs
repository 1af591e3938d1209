//! The strata of a test: seed class, miRNA seen or new, isomiR type, region of the site.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anyhow::Result;
use mirna::Rna;
use mirna::isomir::IsomirType;
use mirna::mirbase::Mirbase;
use mirna::seed::SiteType;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::data::sources::{human_mirbase, test_regions};
use crate::data::target_sites::reads::origin;
use crate::experiment::Row;

/// Seed of permuted sites.
const SEED: u64 = 7;

/// Random numbers that are the same for everybody.
pub(super) fn lot() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(SEED)
}

/// Rows that have something in common.
pub(super) struct Stratum {
    /// What it is of; empty for the whole test.
    pub kind: String,
    /// Which.
    pub name: String,
    /// Places of its rows in the test.
    pub rows: Vec<usize>,
}

/// A kind or a stratum: its place in tables and its name.
type Name = (usize, &'static str);

/// What strata are told by.
pub(super) struct Strata {
    seen: HashSet<Rna>,
    regions: HashMap<Rna, &'static str>,
    mirbase: Mirbase,
}

impl Strata {
    /// For tests of networks trained on these rows.
    pub(super) fn new(data: &Path, train: &[Row]) -> Result<Self> {
        let seen = train.iter().filter(|row| row.label()).map(|row| row.pair().mirna.clone()).collect();
        Ok(Self { seen, regions: test_regions(data)?, mirbase: human_mirbase(data)? })
    }

    /// The whole test and its strata. A kind of which the test has one stratum only is left out.
    pub(super) fn of(&self, rows: &[Row]) -> Vec<Stratum> {
        let mut of_kind: BTreeMap<Name, BTreeMap<Name, Vec<usize>>> = BTreeMap::new();
        let mut types: HashMap<&Rna, Vec<Name>> = HashMap::new();
        for (place, row) in rows.iter().enumerate() {
            let pair = row.pair();
            let mut add =
                |kind, stratum| of_kind.entry(kind).or_default().entry(stratum).or_default().push(place);
            let seed = SiteType::best(&pair.mirna, &pair.site);
            add((0, "seed class"), (seed as usize, seed.name()));
            if seed >= SiteType::SixMer {
                add((0, "seed class"), (SiteType::ALL.len(), "6mer to 8mer"));
            }
            let is_seen = self.seen.contains(&pair.mirna);
            add((1, "miRNA"), if is_seen { (0, "in training") } else { (1, "new") });
            let types = types.entry(&pair.mirna).or_insert_with(|| self.types(&pair.mirna));
            types.iter().for_each(|stratum| add((2, "isomiR"), *stratum));
            if let Some(region) = self.regions.get(&pair.site) {
                add((3, "region"), (0, *region));
            }
        }
        let whole = Stratum { kind: String::new(), name: String::new(), rows: (0..rows.len()).collect() };
        let mut strata = vec![whole];
        for ((_, kind), of_kind) in of_kind.into_iter().filter(|(_, strata)| strata.len() > 1) {
            strata.extend(of_kind.into_iter().map(|((_, name), rows)| Stratum {
                kind: kind.to_owned(),
                name: name.to_owned(),
                rows,
            }));
        }
        strata
    }

    /// miRNA or isomiR, and an isomiR's types.
    fn types(&self, mirna: &Rna) -> Vec<Name> {
        let Some((_, isomir)) = origin(mirna, &self.mirbase) else { return vec![(99, "of no miRNA")] };
        let types: Vec<IsomirType> = isomir.types().collect();
        if types.is_empty() {
            return vec![(0, "miRNA itself")];
        }
        let of_type = types.into_iter().map(|kind| (2 + kind as usize, kind.name()));
        [(1, "any isomiR")].into_iter().chain(of_type).collect()
    }
}

#[cfg(test)]
mod tests {
    use mirador_models::tasks::target_site::Pair;

    use super::*;
    use crate::data::target_sites::dataset::{Example, Split};

    fn row(mirna: &str, site: &str) -> Row {
        let pair = Pair { mirna: mirna.parse().unwrap(), site: site.parse().unwrap() };
        Example { source: "s".into(), split: Split::Test, cluster: 0, pair, label: true }.into()
    }

    #[test]
    fn rows_fall_into_strata_of_each_kind() {
        let let_7 = "UGAGGUAGUAGGUUGUAUAGUU";
        let rows = [row(let_7, "GGCUACCUCAGGGGG"), row(&let_7[..20], "GGCUACGUCAGGGGG")];
        let mirbase = Mirbase::parse(&format!(">hsa-let-7a-5p MIMAT0000062 x\n{let_7}\n")).unwrap();
        let regions = HashMap::from([(rows[0].pair().site.clone(), "3'UTR")]);
        let strata = Strata { seen: HashSet::from([rows[1].pair().mirna.clone()]), regions, mirbase };
        let strata = strata.of(&rows);
        let named: Vec<(&str, &str, &[usize])> =
            strata.iter().map(|one| (one.kind.as_str(), one.name.as_str(), one.rows.as_slice())).collect();
        assert_eq!(
            named,
            [
                ("", "", &[0, 1][..]),
                ("seed class", "none", &[1]),
                ("seed class", "8mer", &[0]),
                ("seed class", "6mer to 8mer", &[0]),
                ("miRNA", "in training", &[1]),
                ("miRNA", "new", &[0]),
                ("isomiR", "miRNA itself", &[0]),
                ("isomiR", "any isomiR", &[1]),
                ("isomiR", "3p_deletion", &[1]),
            ]
        );
    }
}
