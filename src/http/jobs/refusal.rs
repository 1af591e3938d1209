//! Why a job is not taken or shown, as an answer.

use crate::http::body;
use crate::http::problem::{ErrorCode, FieldError, Problem, ProblemKind};
use crate::jobs::Refusal;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let job = |kind| Self::Job(kind, detail.clone());
        match refusal {
            Refusal::Unknown => job(ProblemKind::UnknownJob),
            Refusal::Expired => job(ProblemKind::ExpiredJob),
            Refusal::Conflict | Refusal::Gone => job(ProblemKind::Conflict),
            Refusal::Waiting(_) => job(ProblemKind::TooManyJobs),
            Refusal::Quota(_) | Refusal::Full => job(ProblemKind::InsufficientStorage),
            Refusal::TooLarge(_) => job(ProblemKind::BodyTooLarge),
            Refusal::Slow => Self::SlowBody,
            Refusal::Broken(error) => {
                let detail = body::reason(&*error).unwrap_or_else(|| "the body ended early".into());
                FieldError::whole(ErrorCode::Syntax, detail).into()
            }
            Refusal::Store(_) | Refusal::Io(_) => {
                tracing::error!(error = %detail, "the jobs cannot be kept");
                Self::Internal
            }
        }
    }
}
