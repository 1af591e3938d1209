//! Replies that are compressed: gzip or zstd, as the caller accepts, for so many at once. A compressor holds a megabyte
//! until its reply was taken, which may be never.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt;

use super::formats::weight;
use super::state::AppState;

/// Lets `CompressionLayer`, which stands within, see what the caller accepts only while there is room for a compressor.
pub(super) async fn bounded<F: Future<Output = Response>>(
    state: &AppState,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    refuse_nothing(request.headers_mut());
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return next(request).await;
    }
    let Ok(place) = state.compressors().clone().try_acquire_owned() else {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
        return next(request).await;
    };
    let mut response = next(request).await;
    if !response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    weaken(response.headers_mut());
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    })
}

/// Whoever refuses plain bytes gets them where no coding suits (RFC 9110, 12.5.3): a refusal after the work would be worth nothing to
/// anybody.
fn refuse_nothing(headers: &mut HeaderMap) {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings =
        values.flat_map(|value| value.split(',')).map(str::trim).filter(|coding| !is_plain_refused(coding));
    let codings = codings.filter(|coding| !coding.is_empty()).collect::<Vec<&str>>().join(", ");
    match HeaderValue::try_from(codings) {
        Ok(codings) if !codings.is_empty() => headers.insert(header::ACCEPT_ENCODING, codings),
        _ => headers.remove(header::ACCEPT_ENCODING),
    };
}

fn is_plain_refused(coding: &str) -> bool {
    let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
    matches!(name.trim().to_ascii_lowercase().as_str(), "identity" | "*") && weight(parameters) <= 0.0
}

/// A strong tag is of the bytes as they lie: what is compressed has the same meaning and other bytes.
fn weaken(headers: &mut HeaderMap) {
    let tag = headers.get(header::ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/"));
    if let Some(weak) = tag.and_then(|tag| HeaderValue::try_from([b"W/", tag.as_bytes()].concat()).ok()) {
        headers.insert(header::ETAG, weak);
    }
}
