//! pairmap: a score that does not depend on its neighbours or on empty space.

use mirador_models::networks::pairmap;
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Options, Replica};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor};

/// Rows of all lengths, letters at random, N among them.
fn made_up(rows: usize) -> Vec<Input> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut letters = |length: usize| -> String {
        (0..length).map(|_| char::from(b"ACGUACGUACGUN"[rng.random_range(0..13)])).collect()
    };
    let row = |index: usize| {
        let (mirna, site) = (letters(15 + index % 16), letters(6 + index % 95));
        Pair { mirna: mirna.parse().unwrap(), site: site.parse().unwrap() }.into()
    };
    (0..rows).map(row).collect()
}

#[test]
fn a_score_does_not_depend_on_the_rows_beside_it() {
    for options in ["{}", r#"{"panel": 8}"#] {
        tch::manual_seed(1);
        let options: Options = serde_json::from_str(options).unwrap();
        let replica = Replica::new(&pairmap::MODEL, &options, Device::Cpu).unwrap();
        let rows = made_up(200);
        let values: Vec<f32> = rows.iter().flat_map(|row| replica.encoder.encode(row).values).collect();
        let inputs = Tensor::from_slice(&values).view([rows.len() as i64, -1]);
        (pairmap::MODEL.adapt.unwrap())(&replica.store, &inputs, &inputs);
        let together = replica.score(&rows);
        for (row, together) in rows.chunks(1).zip(together) {
            let alone = replica.score(row)[0];
            assert!((alone - together).abs() < 1e-5, "{row:?}: {alone} and {together}");
        }
    }
}
