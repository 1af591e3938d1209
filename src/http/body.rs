//! The bytes of a request, up to the limit.

use axum::extract::Request;
use bytes::Bytes;
use http_body_util::BodyExt;

use super::problem::{ErrorCode, FieldError, Problem};

/// A body over the limit is read on up to so many times the limit, so that the caller, who may read only after
/// writing all, gets the answer instead of a broken connection.
const PATIENCE: usize = 2;

/// All of them. A compressed body counts as what it is decompressed to.
pub async fn read(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let mut body = request.into_body();
    let (mut bytes, mut total) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let broken = |_| {
            let detail = "the body ended early, or is not compressed as Content-Encoding says".into();
            Problem::from(FieldError::whole(ErrorCode::Syntax, detail))
        };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        total += data.len();
        if total <= limit {
            bytes.extend_from_slice(&data);
        } else if total > limit.saturating_mul(PATIENCE) {
            break;
        }
    }
    if total > limit { Err(Problem::BodyTooLarge(limit)) } else { Ok(bytes.into()) }
}
