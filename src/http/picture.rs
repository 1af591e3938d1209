//! Pictures of one row: a duplex, and what each letter does to a score. Letters and numbers only, nothing of the caller's
//! text.

use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Text, Title};

/// Width of a letter's column.
const COLUMN: f32 = 13.0;
/// Letters begin here.
const LEFT: f32 = 84.0;
/// Height of the largest bar.
const BAR: f32 = 56.0;
/// Height of a row of letters.
const ROW: f32 = 18.0;
const SUPPORTS: &str = "#1f6fb4";
const OPPOSES: &str = "#c8511b";

/// A strand in a picture.
pub(super) struct Strand<'a> {
    /// The strand's name.
    pub name: &'a str,
    /// What stands at its left and right end.
    pub ends: [&'static str; 2],
    /// Letters from left to right, each with its position from 1; `None` where the other strand has a letter.
    pub letters: Vec<Option<(char, usize)>>,
    /// The effect of each letter by its position from 1, where effects are shown.
    pub effects: Option<&'a [f32]>,
}

/// The strands below each other, the bonds between the first two, bars where there are effects, and what it shows. All bars
/// have one scale.
pub(super) fn picture(strands: &[Strand<'_>], bonds: &[char], caption: &str) -> String {
    let columns = strands.iter().map(|strand| strand.letters.len()).max().unwrap_or_default();
    let largest = strands
        .iter()
        .filter_map(|strand| strand.effects)
        .flatten()
        .fold(0.0_f32, |most, effect| most.max(effect.abs()));
    let (mut y, mut drawing) = (8.0, Group::new());
    for (place, strand) in strands.iter().enumerate() {
        // Above the first strand, below the others, so that bonds lie between letters.
        let above = place == 0;
        if above && let Some(effects) = strand.effects {
            drawing = drawing.add(bars(strand, effects, y, largest));
            y += 2.0 * BAR + 8.0;
        }
        drawing = drawing.add(letters(strand, y));
        y += ROW;
        if above && !bonds.is_empty() {
            drawing = drawing.add(row(bonds.iter().map(|bond| Some(*bond)), y));
            y += ROW;
        }
        if !above && let Some(effects) = strand.effects {
            drawing = drawing.add(bars(strand, effects, y + 4.0, largest));
            y += 2.0 * BAR + 8.0;
        }
    }
    let told = Text::new(caption).set("x", LEFT).set("y", y + 16.0).set("fill", "#555555");
    let width = (LEFT + COLUMN * columns as f32 + 32.0).max(LEFT + 8.0 * caption.len() as f32);
    let height = y + 26.0;
    let background = Rectangle::new().set("width", "100%").set("height", "100%").set("fill", "#ffffff");
    Document::new()
        .set("viewBox", (0, 0, width.ceil() as u32, height.ceil() as u32))
        .set("width", width.ceil() as u32)
        .set("height", height.ceil() as u32)
        .set("font-family", "ui-monospace, Menlo, Consolas, monospace")
        .set("font-size", 13)
        .set("role", "img")
        .add(background)
        .add(drawing)
        .add(told)
        .to_string()
}

fn letters(strand: &Strand<'_>, y: f32) -> Group {
    let [left, right] = strand.ends;
    let label = |text: &str, x: f32, anchor: &str| {
        Text::new(text).set("x", x).set("y", y + 13.0).set("text-anchor", anchor).set("fill", "#555555")
    };
    let end = LEFT + COLUMN * strand.letters.len() as f32 + 4.0;
    row(strand.letters.iter().map(|letter| letter.map(|(letter, _)| letter)), y)
        .add(label(&format!("{} {left}", strand.name), LEFT - 6.0, "end"))
        .add(label(right, end, "start"))
}

fn row(letters: impl Iterator<Item = Option<char>>, y: f32) -> Group {
    letters.enumerate().filter_map(|(column, letter)| Some((column, letter?))).fold(
        Group::new(),
        |group, (column, letter)| {
            let x = LEFT + COLUMN * (column as f32 + 0.5);
            group.add(
                Text::new(letter.to_string()).set("x", x).set("y", y + 13.0).set("text-anchor", "middle"),
            )
        },
    )
}

/// A bar for each letter, from a line in the middle: up where it supports the score, down where it opposes it.
fn bars(strand: &Strand<'_>, effects: &[f32], y: f32, largest: f32) -> Group {
    let middle = y + BAR;
    let end = LEFT + COLUMN * strand.letters.len() as f32;
    let line = Line::new()
        .set("x1", LEFT)
        .set("x2", end)
        .set("y1", middle)
        .set("y2", middle)
        .set("stroke", "#999999");
    let scale =
        Text::new(if largest < 0.01 { format!("±{largest:.1e}") } else { format!("±{largest:.2}") })
            .set("x", LEFT - 6.0)
            .set("y", middle + 4.0)
            .set("text-anchor", "end")
            .set("fill", "#555555");
    let of_letters =
        strand.letters.iter().enumerate().filter_map(|(column, letter)| Some((column, (*letter)?)));
    let bars = of_letters.filter_map(|(column, (letter, position))| {
        let effect = *effects.get(position.checked_sub(1)?)?;
        let height = BAR * (effect.abs() / largest.max(f32::MIN_POSITIVE)).min(1.0);
        let (top, colour) = if effect >= 0.0 { (middle - height, SUPPORTS) } else { (middle, OPPOSES) };
        let told = Title::new(format!("{} {position} {letter}: {effect:+.4}", strand.name));
        let bar = Rectangle::new()
            .set("x", LEFT + COLUMN * column as f32 + 2.0)
            .set("y", top)
            .set("width", COLUMN - 4.0)
            .set("height", height)
            .set("fill", colour);
        Some(bar.add(told))
    });
    bars.fold(Group::new().add(line).add(scale), Group::add)
}

/// A strand that stands alone, 5'→3'.
pub(super) fn alone<'a>(name: &'a str, letters: &str, effects: Option<&'a [f32]>) -> Strand<'a> {
    let letters = letters.chars().zip(1..).map(Some).collect();
    Strand { name, ends: ["5'", "3'"], letters, effects }
}

/// The miRNA 3'→5' over the site 5'→3', paired letters below each other, and the bonds. `pairs` are positions from 1.
pub(super) fn aligned<'a>(
    [mirna, site]: [&str; 2],
    pairs: &[[usize; 2]],
    [of_mirna, of_site]: [Option<&'a [f32]>; 2],
) -> ([Strand<'a>; 2], Vec<char>) {
    let (mirna, site): (Vec<char>, Vec<char>) = (mirna.chars().collect(), site.chars().collect());
    let (mut above, mut below, mut bonds) = (Vec::new(), Vec::new(), Vec::new());
    let from = |letters: &[char], positions: &mut dyn Iterator<Item = usize>| -> Vec<Option<(char, usize)>> {
        positions.map(|position| Some((letters[position - 1], position))).collect()
    };
    // Left to right along the site; the miRNA runs backwards.
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable_by_key(|[_, site]| *site);
    let (mut next_mirna, mut next_site) = (mirna.len(), 1);
    for (place, [one, other]) in pairs.iter().copied().enumerate() {
        let mut unpaired =
            [from(&mirna, &mut (one + 1..=next_mirna).rev()), from(&site, &mut (next_site..other))];
        let width = unpaired[0].len().max(unpaired[1].len());
        for letters in &mut unpaired {
            let missing = vec![None; width - letters.len()];
            // Before the first pair both strands end where the duplex begins.
            let at = if place == 0 { 0 } else { letters.len() };
            letters.splice(at..at, missing);
        }
        let [ours, theirs] = unpaired;
        above.extend(ours);
        below.extend(theirs);
        bonds.extend(vec![' '; width]);
        let (first, second) = (mirna[one - 1], site[other - 1]);
        above.push(Some((first, one)));
        below.push(Some((second, other)));
        bonds.push(if matches!((first, second), ('G', 'U') | ('U', 'G')) { ':' } else { '|' });
        (next_mirna, next_site) = (one - 1, other + 1);
    }
    above.extend(from(&mirna, &mut (1..=next_mirna).rev()));
    below.extend(from(&site, &mut (next_site..=site.len())));
    (
        [
            Strand { name: "miRNA", ends: ["3'", "5'"], letters: above, effects: of_mirna },
            Strand { name: "site", ends: ["5'", "3'"], letters: below, effects: of_site },
        ],
        bonds,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(strand: &Strand<'_>) -> String {
        strand.letters.iter().map(|letter| letter.map_or('-', |(letter, _)| letter)).collect()
    }

    #[test]
    fn paired_letters_stand_below_each_other() {
        // 3' CGUUA-CAU 5' over 5' AGCAGUGGUAA 3'.
        let (strands, bonds) =
            aligned(["UACAUUGC", "AGCAGUGGUAA"], &[[8, 2], [7, 3], [3, 8], [2, 9], [1, 10]], [None, None]);
        assert_eq!(text(&strands[0]), "-CGUUA-CAU");
        assert_eq!(text(&strands[1]), "AGCAGUGGUAA");
        assert_eq!(bonds.iter().collect::<String>(), " ||    |||");
        let (strands, _) = aligned(["UAC", "GGG"], &[], [None, None]);
        assert_eq!((text(&strands[0]), text(&strands[1])), ("CAU".into(), "GGG".into()));
    }

    #[test]
    fn every_effect_has_a_bar_on_one_scale() {
        let effects = [0.5, -0.25, 0.0];
        let drawn = picture(&[alone("hairpin", "ACG", Some(&effects))], &[], "bars");
        assert!(drawn.starts_with("<svg"), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 1 + 3);
        assert!(
            drawn.contains("hairpin 2 C: -0.2500") && drawn.contains("±0.50") && drawn.contains("bars"),
            "{drawn}"
        );
        assert!(drawn.contains("height=\"56\"") && drawn.contains("height=\"28\""));
    }
}
