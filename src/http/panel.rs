//! A caller's own panel: the miRNAs that compete with a pair's for its site, and how much there is of each.

use std::ops::RangeInclusive;
use std::sync::Arc;

use mirador_models::Competition;
use mirador_models::tasks::target_site::Competitor;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::problem::{ErrorCode, Errors, FieldError, Problem, shown};
use super::rows::{Answerer, RowReader, Settings};

/// Levels in any unit; what lies beyond adds up to infinity, or is nothing beside others.
const LEVELS: RangeInclusive<f64> = 1e-12..=1e12;

/// Most entries.
const MOST: usize = 200;

/// A miRNA of a panel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PanelEntry {
    /// Letters 5'→3', 15 to 30 nt, or, where the server has miRBase's names, a name or an accession.
    mirna: String,
    /// How much of it there is beside the others, in any unit: reads per million, for example.
    #[schema(minimum = 1e-12, maximum = 1e12)]
    level: f64,
}

/// What a request says of its panel, and what the model makes of it.
#[derive(Clone, Default)]
pub(super) struct OwnPanel {
    said: Value,
    competition: Option<Arc<Competition>>,
    notes: Vec<String>,
}

impl Settings for OwnPanel {
    const NAMES: &'static [&'static str] = &["panel"];

    fn take(&mut self, _: &str, value: &Value) -> Result<(), String> {
        self.said = match value.as_str() {
            Some(text) => of_url(text)?,
            None => value.clone(),
        };
        Ok(())
    }

    fn settle(&mut self, answerer: &Answerer) -> Result<(), Problem> {
        if self.said.is_null() {
            return Ok(());
        }
        let refuse = |code, detail| Err(FieldError::new("/panel".into(), code, detail).into());
        let Value::Array(entries) = self.said.take() else {
            return refuse(ErrorCode::WrongType, "panel has to be a list of {\"mirna\", \"level\"}".into());
        };
        if entries.is_empty() || entries.len() > MOST {
            let detail = format!("a panel has 1 to {MOST} miRNAs; this one has {}", entries.len());
            return refuse(ErrorCode::InvalidLength, detail);
        }
        let Some(served) = &answerer.served else { return Ok(()) };
        let Some(panels) = &served.panels else {
            let detail = format!(
                "{} compares a miRNA with no others; name a version that does, like pairmap@panel, or leave panel out",
                served.full_name()
            );
            return refuse(ErrorCode::Unsupported, detail);
        };
        let panel = self.read(&entries, answerer)?;
        self.competition = Some(Arc::new(panels(&panel)));
        Ok(())
    }

    fn competition(&self) -> Option<&Arc<Competition>> {
        self.competition.as_ref()
    }
}

impl OwnPanel {
    /// What the reader of each row should know of it.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    fn read(&mut self, entries: &[Value], answerer: &Answerer) -> Result<Vec<Competitor>, Problem> {
        let (mut panel, mut errors) = (Vec::with_capacity(entries.len()), Errors::default());
        for (index, entry) in entries.iter().enumerate() {
            let mut reader = RowReader::at(format!("/panel/{index}"), answerer);
            let (competitor, is_name) = competitor(entry, &mut reader);
            match reader.finish() {
                // Which letters a name stands for is not said again of every row.
                Ok(warnings) if !is_name => {
                    self.notes.extend(
                        warnings.into_iter().map(|warning| format!("panel, entry {}: {warning}", index + 1)),
                    );
                }
                Ok(_) => {}
                Err(found) => errors.merge(found),
            }
            panel.extend(competitor);
        }
        errors.into_result().map(|()| panel)
    }
}

/// An entry, and whether it names its miRNA.
fn competitor(entry: &Value, reader: &mut RowReader<'_>) -> (Option<Competitor>, bool) {
    let PanelEntry { mirna, level } = match PanelEntry::deserialize(entry) {
        Ok(entry) => entry,
        Err(_) => {
            let detail =
                "an entry of a panel has mirna, a text, and level, a number, and nothing else".into();
            reader.error_of_row(ErrorCode::WrongType, detail);
            return (None, false);
        }
    };
    let is_name = reader.answerer.mirbase.as_ref().is_some_and(|names| names.find(&mirna).is_some());
    let mirna = reader.mirna("mirna", &mirna, false);
    if !LEVELS.contains(&level) {
        let [least, most] = [LEVELS.start(), LEVELS.end()];
        let detail = format!("level has to be a number from {least:e} to {most:e}; this is {level}");
        reader.error("level", ErrorCode::OutOfRange, detail);
    }
    (mirna.map(|mirna| Competitor { mirna, level }), is_name)
}

/// In a URL: `mirna:level` between commas.
fn of_url(text: &str) -> Result<Value, String> {
    let entry = |entry: &str| {
        let (mirna, level) = entry.rsplit_once(':')?;
        let level: f64 = level.trim().parse().ok()?;
        Some(serde_json::json!({ "mirna": mirna.trim(), "level": level }))
    };
    let entries = text.split(',').map(|text| {
        let wrong = || format!("panel in a URL is mirna:level between commas; this is {}", shown(text));
        entry(text).ok_or_else(wrong)
    });
    entries.collect::<Result<Vec<Value>, String>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_levels_behind_colons() {
        let panel = of_url("hsa-let-7a-5p:12.5, UAGCUUAUCAGACUGAUGUUGA:3").unwrap();
        assert_eq!(panel[0]["mirna"], "hsa-let-7a-5p");
        assert_eq!(panel[0]["level"], 12.5);
        assert_eq!(panel[1]["mirna"], "UAGCUUAUCAGACUGAUGUUGA");
        for wrong in ["", "hsa-let-7a-5p", "hsa-let-7a-5p:many"] {
            assert!(of_url(wrong).unwrap_err().contains("mirna:level"), "{wrong:?}");
        }
    }
}
