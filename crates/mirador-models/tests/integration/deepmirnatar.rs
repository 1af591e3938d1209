//! DeepmiRNATar: its size, its ablations, and that a row's number is its own.

use mirador_models::networks::deepmirnatar;
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Options, Replica};
use serde_json::{Value, json};
use tch::{Device, Tensor};

fn replica(options: Value) -> Replica {
    tch::manual_seed(7);
    let options: Options = serde_json::from_value(options).unwrap();
    Replica::new(&deepmirnatar::MODEL, &options, Device::Cpu).unwrap()
}

fn pair(mirna: &str, site: &str) -> Input {
    Pair { mirna: mirna.parse().unwrap(), site: site.parse().unwrap() }.into()
}

/// From the shortest pair to the longest: 100 nt are read in five windows.
fn pairs() -> Vec<Input> {
    let site = "ACGUUGCANGGCUAUCCGAUUAGC".repeat(5);
    let mirna = "UGAGGUAGUAGGUUGUAUAGUUNAGCUCAA";
    [(15, 6), (22, 40), (30, 53), (17, 7), (30, 100), (22, 41)]
        .map(|(letters, of_site)| pair(&mirna[..letters], &site[..of_site]))
        .to_vec()
}

fn every_variant() -> [(Value, usize); 8] {
    [
        (json!({}), 516_742),
        (json!({"attention": "standard"}), 467_330),
        (json!({"text_cnn": false}), 325_382),
        (json!({"recurrent": "none"}), 466_566),
        (json!({"recurrent": "gru"}), 504_198),
        (json!({"plain_transformer": true}), 492_546),
        (json!({"bert": {"layers": 2}}), 516_742),
        (json!({"dropout": 0.3}), 516_742),
    ]
}

#[test]
fn every_variant_has_the_specified_number_of_parameters() {
    for (options, expected) in every_variant() {
        let replica = replica(options.clone());
        assert_eq!(replica.trainable_parameters(), expected, "{options}");
        let frozen = |part: &str| -> usize {
            let variables = replica.store.variables();
            let frozen =
                variables.iter().filter(|(name, values)| name.starts_with(part) && !values.requires_grad());
            frozen.map(|(_, values)| values.numel()).sum()
        };
        assert_eq!(frozen("word2vec"), 8_704);
        let layers = options["bert"]["layers"].as_u64().unwrap_or(6);
        assert_eq!(frozen("bert."), 30_240 + 111_840 * layers as usize);
    }
    assert!(replica_fails(json!({"recurrent": "rnn"})) && replica_fails(json!({"depth": 3})));
    assert!(replica_fails(json!({"dropout": 1.0})) && replica_fails(json!({"dropout": -0.1})));
}

fn replica_fails(options: Value) -> bool {
    let options: Options = serde_json::from_value(options).unwrap();
    Replica::new(&deepmirnatar::MODEL, &options, Device::Cpu).is_err()
}

#[test]
fn dropout_is_an_option() {
    let inputs = |replica: &Replica| {
        let values: Vec<f32> = replica.encoder.encode(&pairs()[1]).values;
        Tensor::from_slice(&values).view([-1, replica.encoder.width as i64])
    };
    for (dropout, is_steady) in [(0.0, true), (0.3, false)] {
        let replica = replica(json!({ "dropout": dropout }));
        let logits = [0, 1].map(|_| replica.network.forward_t(&inputs(&replica), true).double_value(&[0, 0]));
        assert_eq!(logits[0] == logits[1], is_steady, "{dropout}");
    }
}

#[test]
fn a_row_has_the_same_number_alone_and_in_any_batch() {
    for (options, _) in every_variant() {
        let replica = replica(options.clone());
        let pairs = pairs();
        let together = replica.score(&pairs);
        let mut backwards = replica.score(&pairs.iter().rev().cloned().collect::<Vec<_>>());
        backwards.reverse();
        for (index, pair) in pairs.iter().enumerate() {
            let alone = replica.score(std::slice::from_ref(pair))[0];
            assert!((alone - together[index]).abs() < 1e-5, "{options}, row {index}: {alone} {together:?}");
            assert!((alone - backwards[index]).abs() < 1e-5, "{options}, row {index}: {alone} {backwards:?}");
        }
        assert!(together[0] != together[3], "the letters are read");
    }
}

#[test]
fn every_word_of_both_sequences_counts() {
    let replica = replica(json!({}));
    let (mirna, site) = ("UGAGGUAGUAGGUUGUAUAGUU", "ACGUUGCAAGGCUAUCCGAUUAGCAAGCUACG");
    let score = |mirna: &str, site: &str| replica.score(&[pair(mirna, site)])[0];
    let before = score(mirna, site);
    assert_ne!(score("AGAGGUAGUAGGUUGUAUAGUU", site), before);
    assert_ne!(score("UGAGGUAGUAGGUUGUAUAGUA", site), before);
    assert_ne!(score(mirna, "CCGUUGCAAGGCUAUCCGAUUAGCAAGCUACG"), before);
    assert_ne!(score(mirna, "ACGUUGCAAGGCUAUCCGAUUAGCAAGCUACA"), before);
}

#[test]
fn a_long_site_is_read_in_windows() {
    let replica = replica(json!({}));
    let pairs = pairs();
    let encoded = replica.encoder.encode(&pairs[4]);
    assert_eq!(encoded.windows, [0..53, 15..68, 30..83, 45..98, 47..100]);
    assert_eq!(encoded.values.len(), 5 * replica.encoder.width);
    assert!(encoded.inputs() <= replica.encoder.most_inputs);
    let of_windows = replica.forward(&encoded.values);
    assert_eq!(replica.score(&pairs[4..5])[0], of_windows.into_iter().fold(f32::MIN, f32::max));
}

#[test]
fn what_training_remembers_of_a_site_changes_no_number() {
    let replica = replica(json!({}));
    let pairs = pairs();
    let before = replica.score(&pairs);
    let inputs: Vec<f32> = pairs.iter().flat_map(|pair| replica.encoder.encode(pair).values).collect();
    let inputs = Tensor::from_slice(&inputs).view([-1, replica.encoder.width as i64]);
    replica.network.remember_frozen();
    for _ in 0..2 {
        let logits = replica.network.forward_t(&inputs, true);
        logits.square().mean(tch::Kind::Float).backward();
    }
    for (name, variable) in replica.store.variables() {
        assert_eq!(variable.grad().defined(), variable.requires_grad(), "{name}");
    }
    for (before, after) in before.into_iter().zip(replica.score(&pairs)) {
        assert!((before - after).abs() < 1e-5, "{before} {after}");
    }
}
