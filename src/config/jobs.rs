//! Settings of jobs: where they are kept, how much of it there may be, and whom their ends are told.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;

use super::Origin;

/// Jobs, which are off without a folder.
#[derive(Args, Clone, Debug)]
pub struct JobsConfig {
    /// Folder that jobs are kept in, of this process alone: turns /v1/jobs on
    #[arg(long, env = "MIRADOR_JOBS_DIR", value_name = "DIR")]
    pub jobs_dir: Option<PathBuf>,
    /// Most bytes of one job's body, decompressed; of a table, a FASTA file or JSON also half of --max-bodies-bytes
    #[arg(long, env = "MIRADOR_JOB_MAX_BYTES", default_value = "1073741824")]
    pub job_max_bytes: NonZeroU64,
    /// Most bytes of the bodies and results of all jobs
    #[arg(long, env = "MIRADOR_JOBS_MAX_BYTES", default_value = "21474836480")]
    pub jobs_max_bytes: NonZeroU64,
    /// Most bytes of the bodies and results of one key's jobs
    #[arg(long, env = "MIRADOR_JOBS_MAX_BYTES_OF_KEY", default_value = "5368709120")]
    pub jobs_max_bytes_of_key: NonZeroU64,
    /// Most jobs of one key that have not ended
    #[arg(long, env = "MIRADOR_JOBS_MAX_WAITING", default_value = "100")]
    pub jobs_max_waiting: NonZeroU32,
    /// Bytes of the disk that jobs leave free
    #[arg(long, env = "MIRADOR_JOBS_KEEP_FREE_BYTES", default_value = "1073741824")]
    pub jobs_keep_free_bytes: u64,
    /// Seconds for which a job that has ended is kept
    #[arg(long, env = "MIRADOR_JOBS_TTL_S", default_value = "259200")]
    pub jobs_ttl_s: NonZeroU32,
    /// Origin that may be told of the ends of jobs, https only, e.g. `https://lims.example`; repeatable [default: none]
    #[arg(
        long,
        env = "MIRADOR_CALLBACK_ORIGIN",
        value_delimiter = ',',
        value_name = "ORIGIN",
        requires = "callback_secret_file"
    )]
    pub callback_origin: Vec<Origin>,
    /// Private addresses that such an origin may have, e.g. 10.1.0.0/16; repeatable [default: public ones only]
    #[arg(long, env = "MIRADOR_CALLBACK_NETWORK", value_delimiter = ',', value_name = "NETWORK")]
    pub callback_network: Vec<IpNet>,
    /// File of the secret that callbacks are signed with: `whsec_` and base64, as Standard Webhooks has it
    #[arg(long, env = "MIRADOR_CALLBACK_SECRET_FILE", value_name = "FILE")]
    pub callback_secret_file: Option<PathBuf>,
    /// File that tells who had which job done, a JSON object a line; opened anew on SIGHUP [default: audit.ndjson in
    /// the folder of jobs]
    #[arg(long, env = "MIRADOR_AUDIT_LOG", value_name = "FILE")]
    pub audit_log: Option<PathBuf>,
}
