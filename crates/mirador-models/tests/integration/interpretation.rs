//! What letters do: by hand on a score that is simple to follow, and with the published weights as they were analysed.

use std::fs;

use mirador_models::interpret::{Change, Changes, GeneChanges, Method, Scale, rescue, variants};
use mirador_models::networks::{dmiso, mitar};
use mirador_models::tasks::expression::{Gene, HalfLifeFeature};
use mirador_models::tasks::target_site::Pair;
use mirador_models::tasks::{Input, Task, probability};
use mirador_models::{Model, Options, Replica, Tensors};
use mirna::{Base, Rna};
use serde_json::Value;
use tch::Device;

use crate::published::reference;

fn pair(mirna: &str, site: &str) -> Input {
    Pair { mirna: mirna.parse().unwrap(), site: site.parse().unwrap() }.into()
}

/// A logit: 1 for each base pair between the strands' ends, 3 more for a G at the site's third letter.
fn score(input: &Input) -> f32 {
    let Input::Pair(Pair { mirna, site }) = input else { panic!("a pair") };
    let paired = mirna.iter().zip(site.iter().rev()).filter(|(one, other)| one.pairs_with(**other)).count();
    paired as f32 + if site[2] == Base::G { 3.0 } else { 0.0 }
}

#[test]
fn effects_are_the_score_less_that_of_each_variant() {
    let input = pair("ACGUACGU", "ACGUACGU");
    let ends = |first, second| [(0, first), (1, second)];
    let (plan, changes) = Changes::new(&input, &Method::ALL, &[ends(0, 7), ends(5, 2)]);
    let outputs: Vec<f32> = variants(&input, &changes).map(|input| score(&input)).collect();
    let effects = plan.effects(Task::TargetSite, Scale::Logit, &outputs);
    let [mirna, site] = &effects.strands[..] else { panic!("two strands") };
    assert_eq!((mirna.name, site.name), ("mirna", "site"));
    assert_eq!(site.n_mask[0], [1.0, 1.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(site.n_mask[1], [1.0, 2.0, 5.0, 5.0, 2.0, 2.0, 2.0, 2.0, 1.0]);
    assert_eq!(site.n_mask.len(), 6);
    assert_eq!(site.importance, [1.0, 1.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(site.substitution[2], [Some(4.0), Some(4.0), None, Some(4.0)]);
    assert_eq!(mirna.substitution[0], [None, Some(1.0), Some(1.0), Some(1.0)]);
    assert_eq!((mirna.shuffle.len(), site.shuffle.len()), (2, 2));
    let [end, third] = &effects.double_mutants[..] else { panic!("two pairs") };
    assert_eq!((end.pair, end.letters), (ends(0, 7), [Base::U, Base::A]));
    // The third letter of the site is read for itself too: pairing alone does not bring that back.
    let before = probability(score(&input));
    let [first, second, both] = third.probabilities;
    assert!(both < before && second < first);
    assert_eq!(rescue(&effects.double_mutants).is_some(), end.rescue.is_some() || third.rescue.is_some());
}

#[test]
fn only_what_is_asked_for_is_scored() {
    let input = pair("ACGUACGU", "ACGUACGUAC");
    for (methods, expected) in [
        (vec![], 1),
        (vec![Method::Substitution, Method::Substitution], 1 + 3 * 18),
        (vec![Method::DoubleMutant], 1 + 3),
        (vec![Method::NMask], 1 + 6 * (8 + 10) + 2 * 15),
        (vec![Method::Shuffle], 1 + 20 * (2 + 4)),
    ] {
        let (plan, changes) = Changes::new(&input, &methods, &[[(0, 1), (1, 1)]]);
        assert_eq!(1 + changes.len(), expected, "{methods:?}");
        let outputs: Vec<f32> = variants(&input, &changes).map(|input| score(&input)).collect();
        let effects = plan.effects(Task::TargetSite, Scale::Probability, &outputs);
        assert_eq!(effects.strands[0].n_mask.is_empty(), !methods.contains(&Method::NMask));
    }
}

#[test]
fn a_promoter_is_read_in_parts() {
    let mut gene = Gene {
        promoter: "ACGT".repeat(30).parse().unwrap(),
        tss: 60,
        half_life: [(HalfLifeFeature::Measured, 0.5)].into_iter().collect(),
        mirnas: [("mir-1".to_owned(), 1.0)].into(),
    };
    gene.half_life[HalfLifeFeature::CdsGc] = None;
    let input = Input::from(gene.clone());
    let (plan, changes) = GeneChanges::new(&gene, 20..97, &Method::ALL);
    let level = |input: &Input| {
        let Input::Gene(gene) = input else { panic!("a gene") };
        let known = gene.promoter[20..25].iter().filter(|base| **base != Base::N).count();
        known as f32 + gene.half_life[HalfLifeFeature::Measured].unwrap_or(0.0) - gene.mirnas.len() as f32
    };
    let levels: Vec<f32> = variants(&input, &changes).map(|input| level(&input)).collect();
    let effects = plan.effects(&levels);
    assert_eq!(
        (effects.parts.len(), &effects.parts[0].letters, &effects.parts[14].letters),
        (15, &(20..25), &(90..97))
    );
    assert_eq!((effects.parts[0].n_mask, effects.parts[1].n_mask), (Some(5.0), Some(0.0)));
    assert_eq!(effects.parts[0].shuffle, Some(0.0));
    assert_eq!(effects.features, [("measured", 0.5)].into());
    assert_eq!(effects.mirnas, [("mir-1".to_owned(), -1.0)].into());
}

fn published(model: &Model, weights: &str, options: Value) -> Replica {
    let options: Options = serde_json::from_value(options).unwrap();
    let replica = Replica::new(model, &options, Device::Cpu).unwrap();
    let tensors = model.from_published.unwrap()(Tensors::read(&reference(weights)).unwrap()).unwrap();
    tensors.load_into(&replica.store).unwrap();
    replica
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-5, "{what}, {place}: {found} for {expected}");
    }
}

fn golden() -> Value {
    serde_json::from_str(&fs::read_to_string(reference("interpretation.golden.json")).unwrap()).unwrap()
}

#[test]
#[ignore = "needs the published weights"]
fn mitar_with_the_published_weights_is_masked_as_specified() {
    for (name, rows) in [("mitar1", 53), ("mitar2", 40), ("mitar", 53)] {
        let weights = format!("{name}.safetensors");
        let replica = published(&mitar::MODEL, &weights, serde_json::json!({"site_rows": rows}));
        for case in golden()["models"][name].as_array().unwrap() {
            let letters = |field: &str| case[field].as_str().unwrap();
            let input = pair(letters("mirna"), letters("site"));
            let (plan, changes) = Changes::new(&input, &[Method::NMask], &[]);
            let outputs = replica.score(&variants(&input, &changes).collect::<Vec<_>>());
            let mut effects = plan.effects(Task::TargetSite, Scale::Probability, &outputs);
            // The paper counts a site from its 3' end.
            effects.strands[1].n_mask.iter_mut().for_each(|row| row.reverse());
            effects.strands[1].importance.reverse();
            for (strand, frame) in effects.strands.iter().zip(["L", "LT"]) {
                let what = format!("{name} {} {frame}", letters("why"));
                for (row, width) in strand.n_mask.iter().zip(1..) {
                    close(
                        row,
                        &numbers(&case[frame]["e"][width.to_string()]),
                        &format!("{what}, {width} nt"),
                    );
                }
                close(&strand.importance, &numbers(&case[frame]["impact"]), &what);
            }
        }
    }
}

#[test]
#[ignore = "needs the published weights"]
fn dmiso_with_the_published_weights_is_perturbed_as_specified() {
    let replica = published(&dmiso::MODEL, "dmiso.safetensors", serde_json::json!({}));
    for case in golden()["models"]["dmiso"].as_array().unwrap() {
        let letters = |field: &str| case[field].as_str().unwrap();
        let input = pair(letters("mirna"), letters("site"));
        for (strand, field) in [(0, "mirna"), (1, "site")] {
            let length = letters(field).parse::<Rna>().unwrap().len();
            let masks = (0..=length - 4).map(|start| Change::hide(strand, start..start + 4).apply(&input));
            let rows: Vec<Input> = std::iter::once(input.clone()).chain(masks).collect();
            let scores: Vec<f32> = replica.score(&rows).into_iter().map(probability).collect();
            let effects: Vec<f32> = scores[1..].iter().map(|score| scores[0] - score).collect();
            close(&effects, &numbers(&case[format!("mask4_{field}")]), letters("why"));
        }
    }
}

#[test]
fn what_inner_layers_give_is_what_the_output_is_made_of() {
    let replica = Replica::new(&mitar::MODEL, &Options::new(), Device::Cpu).unwrap();
    let inputs = replica.encoder.encode(&pair("UGAGGUAGUAGGUUGUAUAGUU", "GCACAGCCUAUUGAACUACCUCA")).values;
    let stages = replica.stages(&inputs);
    let lengths: Vec<_> = stages.iter().map(|(name, values)| (*name, values.len())).collect();
    assert_eq!(lengths, [("maps", 320 * 68), ("states", 64), ("dense", 16)]);
    assert!(stages[0].1.iter().all(|value| *value >= 0.0), "after ReLU");
    let variables = replica.store.variables();
    let weights = variables["output.weight"].view(-1);
    let logit = weights.dot(&tch::Tensor::from_slice(&stages[2].1)) + &variables["output.bias"];
    assert!((logit.double_value(&[0]) - f64::from(replica.forward(&inputs)[0])).abs() < 1e-6);
    assert!(
        Replica::new(&dmiso::MODEL, &Options::new(), Device::Cpu).unwrap().stages(&[0.25; 360]).is_empty()
    );
}
