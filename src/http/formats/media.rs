//! Media types: what a body is, and what its reply may be.

use axum::http::{HeaderMap, header};

use crate::http::problem::Problem;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A request or a reply as one object.
    Json,
    /// One JSON object a line.
    Lines,
    /// Values between commas or tabs.
    Table(u8),
    /// Records of a name and a sequence; of requests only.
    Fasta,
    /// A picture of one row; of replies only.
    Svg,
}

/// Media types; the first of a format is its own name.
const NAMES: [(&str, Format); 13] = [
    ("application/json", Format::Json),
    ("application/x-ndjson", Format::Lines),
    ("application/ndjson", Format::Lines),
    ("application/jsonl", Format::Lines),
    ("application/x-jsonlines", Format::Lines),
    ("text/csv", Format::Table(b',')),
    ("text/tab-separated-values", Format::Table(b'\t')),
    ("text/tsv", Format::Table(b'\t')),
    ("text/x-fasta", Format::Fasta),
    ("text/fasta", Format::Fasta),
    ("application/x-fasta", Format::Fasta),
    ("application/fasta", Format::Fasta),
    ("image/svg+xml", Format::Svg),
];

impl Format {
    /// What a reply to a body of this format may be; its own first, lines for those who name them. Some routes draw.
    fn replies(self, draws: bool) -> Vec<&'static str> {
        let may = |reply: Self| match (self, reply) {
            (_, Self::Fasta) => false,
            (sent, Self::Svg) => draws && sent != Self::Lines,
            // Lines are answered while they come, a request as a whole.
            (Self::Lines, reply) => reply == Self::Lines,
            (Self::Json | Self::Table(_) | Self::Fasta, _) => true,
            (Self::Svg, _) => false,
        };
        let mut names: Vec<_> = NAMES.iter().filter(|(_, format)| may(*format)).collect();
        // Lines in place of an object are sent to whoever names them.
        let surprises = |format| self == Self::Json && format == Self::Lines;
        names.sort_by_key(|(_, format)| (*format != self, surprises(*format)));
        names.into_iter().map(|(name, _)| *name).collect()
    }

    fn of(essence: &str) -> Option<Self> {
        NAMES.iter().find(|(name, _)| essence.eq_ignore_ascii_case(name)).map(|&(_, format)| format)
    }
}

/// What a body is.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// How it is to be read.
    pub format: Format,
    /// The character set, where `Content-Type` names it.
    pub charset: Option<String>,
}

/// What the body is, and the media type that its reply is to have.
pub(super) fn of_request(headers: &HeaderMap, draws: bool) -> Result<(Sent, Format, &'static str), Problem> {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let sent = parts.next().unwrap_or_default();
    let format = Format::of(sent).filter(|format| *format != Format::Svg);
    let format = format.ok_or_else(|| Problem::MediaType(sent.to_owned()))?;
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    let wanted = negotiate(headers, &format.replies(draws)).ok_or(Problem::NotAcceptable)?;
    let reply = Format::of(wanted).ok_or(Problem::NotAcceptable)?;
    Ok((Sent { format, charset }, reply, wanted))
}

/// A range of media types that `Accept` names.
struct Accepted {
    range: String,
    /// In thousandths.
    weight: u32,
}

/// What the caller likes best of what we have (RFC 9110, 12.5.1): by weight; of equals, what is named before what only a
/// `*` covers, and the earlier named first.
pub(crate) fn negotiate(headers: &HeaderMap, have: &[&'static str]) -> Option<&'static str> {
    let lines: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    let accepted: Vec<Accepted> =
        lines.iter().flat_map(|line| line.split(',')).filter_map(accepted).collect();
    if accepted.is_empty() {
        return have.first().copied();
    }
    let rated = have.iter().enumerate().filter_map(|(ours, name)| {
        let best = |found: &(usize, &Accepted)| (specificity(&found.1.range), std::cmp::Reverse(found.0));
        let covering = accepted.iter().enumerate().filter(|(_, accepted)| covers(&accepted.range, name));
        let (place, Accepted { range, weight }) = covering.max_by_key(best)?;
        let named = specificity(range);
        // By what only a `*` covers, our own order decides.
        let place = if named == 2 { place } else { ours };
        (*weight > 0).then_some(((*weight, named, std::cmp::Reverse(place)), *name))
    });
    rated.max_by_key(|(rating, _)| *rating).map(|(_, name)| name)
}

fn accepted(element: &str) -> Option<Accepted> {
    let (range, parameters) = element.split_once(';').unwrap_or((element, ""));
    let range = Some(range.trim()).filter(|range| range.contains('/'))?.to_ascii_lowercase();
    Some(Accepted { range, weight: (weight(parameters) * 1000.0) as u32 })
}

/// The weight among the parameters of what a caller accepts (RFC 9110, 12.4.2).
pub(crate) fn weight(parameters: &str) -> f32 {
    let given = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
    });
    given.unwrap_or(1.0).clamp(0.0, 1.0)
}

fn covers(range: &str, name: &str) -> bool {
    match range.split_once('/') {
        Some(("*", "*")) => true,
        Some((kind, "*")) => name.split('/').next() == Some(kind),
        _ => range == name,
    }
}

fn specificity(range: &str) -> u8 {
    match range.split_once('/') {
        Some(("*", _)) => 0,
        Some((_, "*")) => 1,
        _ => 2,
    }
}
