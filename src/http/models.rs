//! `GET /v1/models` and `GET /v1/models/{name}`: what is served, and the cards.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::model_ref::ModelRef;
use super::openapi::{LookupProblems, ReadinessProblems};
use super::problem::Problem;
use super::state::{AppState, Models};
use crate::serving::{Entry, ServedModel};

/// What is served.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelList {
    /// One row for each version.
    models: Vec<ModelRow>,
}

/// One version of one model.
#[derive(Debug, Serialize, ToSchema)]
struct ModelRow {
    #[serde(flatten)]
    model: ModelRef,
    /// The question that it answers.
    #[schema(example = "target_site")]
    task: &'static str,
    /// Whether it answers when a request names no model.
    default: bool,
    /// Whether it answers when a request names the model without a version.
    default_version: bool,
    /// One sentence, with the paper.
    description: &'static str,
    /// What each of its answers depends on and does not show; said in every reply's `warnings` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    caution: Option<&'static str>,
    /// What one request may hold: `rows`, and the nt of each sequence.
    limits: BTreeMap<&'static str, Range>,
    /// The version's own switches, where it has some: of expression the `window` that is read before and after the start of
    /// transcription (nt), the half-life `features`, and the `mirnas` by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    options: Map<String, Value>,
    /// A probability from here on is a yes; `null` for a task whose answer is a number.
    #[schema(minimum = 0, maximum = 1)]
    decision_threshold: Option<f32>,
}

/// Both ends are accepted.
#[derive(Debug, Serialize, ToSchema)]
struct Range {
    min: usize,
    max: usize,
}

/// One version of one model, with all that is known about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelCard {
    #[serde(flatten)]
    row: ModelRow,
    /// SHA-256 of the weights file.
    weights_sha256: String,
    /// What it was trained on.
    training_data: TrainingData,
    /// What it was trained on and what it was chosen and measured on, kept apart.
    split: Split,
    /// What the labels of the training rows give away without a network: each floor, fitted and scored on them.
    #[schema(value_type = Vec<Object>)]
    audit: Value,
    /// Figures of training and evaluation, as the weights folder's `metrics.json` has them.
    #[schema(value_type = Object)]
    metrics: Map<String, Value>,
    /// The card in Markdown: training data, split, metrics, audit, known limits.
    card: String,
}

/// The rows that a version was trained on.
#[derive(Debug, Serialize, ToSchema)]
struct TrainingData {
    /// SHA-256 of the table that `mirador-train prepare` wrote; `null` where the weights folder names none.
    dataset_sha256: Option<String>,
    /// What `prepare` read, repaired and dropped.
    preparation: Vec<String>,
}

/// How the rows were split.
#[derive(Debug, Serialize, ToSchema)]
struct Split {
    /// The card's words on data and split; `null` where it has none.
    description: Option<String>,
    /// The sets that are not trained on.
    sets: Vec<HeldOut>,
}

/// Rows that are not trained on: validation, which chooses the epoch, and tests.
#[derive(Debug, Serialize, ToSchema)]
struct HeldOut {
    #[schema(example = "validation")]
    name: String,
    rows: u64,
    /// Rows of the positive class; `null` for a task whose answer is a number.
    positives: Option<u64>,
}

/// List the models
#[utoipa::path(
    get, path = "/v1/models", tag = "models", operation_id = "list_models",
    responses((status = 200, body = ModelList, description = "One row for each version"), ReadinessProblems),
)]
pub(super) async fn list(State(state): State<AppState>, Models(registry): Models) -> Json<ModelList> {
    let models = registry.entries().iter().map(|entry| ModelRow::of(entry, &state));
    Json(ModelList { models: models.collect() })
}

/// Read a model's card
#[utoipa::path(
    get, path = "/v1/models/{name}", tag = "models", operation_id = "read_model_card",
    params(("name" = String, Path, description = "`name` or `name@version`", example = "dmiso@balanced")),
    responses((status = 200, body = ModelCard, description = "The row of the list and the card"), LookupProblems),
)]
pub(super) async fn card(
    State(state): State<AppState>,
    Models(registry): Models,
    Path(name): Path<String>,
) -> Result<Json<ModelCard>, Problem> {
    let entry = registry.get(&name)?;
    let served = &entry.served;
    Ok(Json(ModelCard {
        row: ModelRow::of(entry, &state),
        weights_sha256: served.config.sha256.clone(),
        training_data: TrainingData::of(&served.metrics),
        split: Split::of(served),
        audit: served.metrics.get("training_audit").cloned().unwrap_or_else(|| Value::Array(Vec::new())),
        metrics: served.metrics.clone(),
        card: served.card.clone(),
    }))
}

impl TrainingData {
    fn of(metrics: &Map<String, Value>) -> Self {
        let lines = metrics.get("preparation").and_then(Value::as_array).into_iter().flatten();
        Self {
            dataset_sha256: metrics.get("dataset_sha256").and_then(Value::as_str).map(str::to_owned),
            preparation: lines.filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }
}

impl Split {
    fn of(served: &ServedModel) -> Self {
        // The trainer writes them behind the number of parameters, in front of what the recipe notes.
        let mut paragraphs = served.card.split("\n\n");
        let description = paragraphs
            .find(|paragraph| paragraph.ends_with(" trainable parameters."))
            .and_then(|_| paragraphs.next())
            .map(|paragraph| paragraph.trim_start_matches("**Data.** ").trim().to_owned());
        let sets = served.metrics.get("sets").and_then(Value::as_array).into_iter().flatten();
        Self { description, sets: sets.filter_map(HeldOut::of).collect() }
    }
}

impl HeldOut {
    fn of(set: &Value) -> Option<Self> {
        let (name, model) = (set["name"].as_str()?.to_owned(), &set["model"]);
        Some(Self { name, rows: model["rows"].as_u64()?, positives: model["classes"]["positives"].as_u64() })
    }
}

impl ModelRow {
    fn of(Entry { served, default, default_version }: &Entry, state: &AppState) -> Self {
        // A slow model takes fewer than the server: what it can score before a drain is over.
        let rows = served.predictor.most_inputs_of_request() / served.model.task.inputs_asked();
        let rows = state.config().max_rows.get().min(rows);
        let mut limits = BTreeMap::from([("rows", Range { min: 1, max: rows })]);
        for (name, lengths) in served.model.task.input_lengths() {
            limits.insert(name, Range { min: *lengths.start(), max: *lengths.end() });
        }
        Self {
            model: ModelRef::of(served),
            task: served.model.task.name(),
            default: *default,
            default_version: *default_version,
            description: served.model.description,
            caution: served.model.caution,
            limits,
            options: served.config.options.clone(),
            decision_threshold: served.config.decision_threshold,
        }
    }
}
