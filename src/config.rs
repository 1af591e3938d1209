//! Every setting of the server program: one field is one flag `--some-flag` and its twin `MIRADOR_SOME_FLAG`.

mod health;
mod jobs;
mod offline;
mod origin;

pub use health::HealthConfig;
pub use jobs::JobsConfig;
pub use offline::{RowsConfig, ScanConfig, ScanFormat, Shard};
pub use origin::{AllowedOrigin, Authority, Origin};

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mirador_models::device::{Device, DeviceChoice, DeviceError, Precision};
use mirador_models::{LoadError, weights_root};

use crate::serving::PredictorConfig;

/// Answers the questions of microRNA biology over HTTP.
#[derive(Debug, Parser)]
#[command(name = "mirador", version)]
pub struct Program {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Program {
    /// Reads the command line and the environment; ends the program after `--help`, `--version` or a mistake.
    pub fn from_arguments() -> Self {
        Self::try_parse().unwrap_or_else(|message| {
            // Standard error may be closed; there is nobody else to tell.
            let _ = message.print();
            // clap's own code for a mistake is 2; whoever starts us is promised 1.
            std::process::exit(i32::from(message.use_stderr()))
        })
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the models until SIGTERM or Ctrl-C; a second one ends at once.
    ///
    /// Exit codes: 0 all accepted work was answered, 1 the server cannot start or go on, 3 accepted work was dropped.
    Serve(Box<ServeConfig>),
    /// Scan a FASTA file of transcripts for the sites of miRNAs, without a server.
    Scan(Box<ScanConfig>),
    /// Score a file of miRNA–site pairs, without a server.
    Score(Box<RowsConfig>),
    /// Classify a file of pre-miRNAs, without a server.
    Classify(Box<RowsConfig>),
    /// Predict the expression of a file of genes, without a server.
    Predict(Box<RowsConfig>),
    /// Load every weights folder and reproduce its golden outputs.
    Check(NetworkConfig),
    /// Ask the server that runs here whether it is ready; no key is needed.
    ///
    /// Exit codes: 0 it is, 1 it is not or does not answer; standard error says why.
    Health(HealthConfig),
    /// Print the OpenAPI document.
    Openapi,
    /// Make an API key: prints it, and its line for --key-file.
    Key {
        /// Whose it is; one word
        name: String,
        /// What it allows: score, read, metrics, jobs
        #[arg(long, value_delimiter = ',', default_value = "score,read")]
        scopes: Vec<String>,
    },
}

/// Which networks, and where they run.
#[derive(Args, Clone, Debug)]
pub struct NetworkConfig {
    /// Folder that holds MODEL/VERSION/ for each model [default: ./weights, else ../share/mirador/weights beside the
    /// program's own folder]
    #[arg(long, env = "MIRADOR_WEIGHTS_DIR")]
    pub weights_dir: Option<PathBuf>,
    /// Only these models, `name` or `name@version`, between commas [default: all]
    #[arg(long, env = "MIRADOR_MODELS", value_delimiter = ',', value_name = "MODEL")]
    pub models: Vec<String>,
    /// auto, cpu, cuda:N, or several GPUs: cuda:N,M
    #[arg(long, env = "MIRADOR_DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// How GPUs multiply: fp32, or tf32 (faster, factors are rounded to 10 bits of mantissa)
    #[arg(long, env = "MIRADOR_PRECISION", default_value = "fp32")]
    pub precision: Precision,
}

impl NetworkConfig {
    /// Opens the devices. Call first thing in `main`, before other threads start.
    pub fn open(&self) -> Result<Vec<Device>, DeviceError> {
        self.device.open(self.precision)
    }

    /// Opens the device of a command that uses one.
    pub fn open_one(&self) -> Result<Device, DeviceError> {
        self.device.open_one(self.precision)
    }

    /// The folder of the weights: the one that is named, else the first of those where they are looked for.
    ///
    /// # Errors
    /// [`LoadError::Nowhere`].
    pub fn weights(&self) -> Result<PathBuf, LoadError> {
        weights_root(self.weights_dir.as_deref())
    }
}

/// Settings of `mirador serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// Networks and device.
    #[command(flatten)]
    pub network: NetworkConfig,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "MIRADOR_BIND", default_value = "127.0.0.1:8080")]
    pub bind: String,
    /// A second address that serves health and metrics, with no key
    #[arg(long, env = "MIRADOR_OPS_BIND")]
    pub ops_bind: Option<String>,
    /// Certificate chain (PEM): serve HTTPS; read anew on SIGHUP
    #[arg(long, env = "MIRADOR_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, env = "MIRADOR_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// File of API keys, made by `mirador key`: only their holders are answered; read anew on SIGHUP
    #[arg(long, env = "MIRADOR_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// miRBase's mature.fa: then a miRNA may be named (hsa-let-7a-5p, MIMAT0000062) in place of its letters
    #[arg(long, env = "MIRADOR_MIRBASE", value_name = "FASTA")]
    pub mirbase: Option<PathBuf>,
    /// Requests that one key, or one address, may send in a minute
    #[arg(long, env = "MIRADOR_RATE_LIMIT")]
    pub rate_limit: Option<NonZeroU32>,
    /// Leave /, /docs and /openapi.json open to everybody, keys or not
    #[arg(long, env = "MIRADOR_PUBLIC_DOCS")]
    pub public_docs: bool,
    /// Origin whose web pages may ask, e.g. `https://lab.example`, or * for all; repeatable [default: none but our own]
    #[arg(long, env = "MIRADOR_CORS_ORIGIN", value_delimiter = ',', value_name = "ORIGIN")]
    pub cors_origin: Vec<AllowedOrigin>,
    /// Host that this server answers to, any other is 421; repeatable; without a port, at any port [default: all]
    #[arg(long, env = "MIRADOR_ALLOWED_HOST", value_delimiter = ',', value_name = "HOST")]
    pub allowed_host: Vec<Authority>,
    /// Behind a proxy: believe the last X-Forwarded-For (the caller's address), -Host, -Port and -Proto
    #[arg(long, env = "MIRADOR_FORWARDED_FOR")]
    pub forwarded_for: bool,
    /// Write the bound address to this file once listening
    #[arg(long, env = "MIRADOR_PORT_FILE")]
    pub port_file: Option<PathBuf>,
    /// Replicas of each model for large requests [default: all cores but one, at most 8; one on CUDA]. Requests of up to
    /// 16 rows have half as many of their own
    #[arg(long, env = "MIRADOR_WORKERS")]
    pub workers: Option<NonZeroUsize>,
    /// Cores that one replica may use for one batch; for small networks more replicas gain more
    #[arg(long, env = "MIRADOR_THREADS_PER_WORKER", default_value = "1")]
    pub threads_per_worker: NonZeroUsize,
    /// Most rows that a network sees at once
    #[arg(long, env = "MIRADOR_MAX_BATCH_SIZE", default_value = "512")]
    pub max_batch_size: NonZeroUsize,
    /// Most rows of large requests of each model that wait or run, and no more than can be answered while draining;
    /// beyond it requests are answered 503. Lines have half as much beside it, requests of up to 16 rows an eighth
    #[arg(long, env = "MIRADOR_QUEUE_CAPACITY", default_value = "20000")]
    pub queue_capacity: NonZeroUsize,
    /// Most rows of one request
    #[arg(long, env = "MIRADOR_MAX_ROWS", default_value = "10000")]
    pub max_rows: NonZeroUsize,
    /// Most bytes of one request's body
    #[arg(long, env = "MIRADOR_MAX_BODY_BYTES", default_value = "16777216")]
    pub max_body_bytes: NonZeroUsize,
    /// Most bytes of all bodies larger than 4 KiB, with the rows and replies that come of them; one caller has half
    #[arg(long, env = "MIRADOR_MAX_BODIES_BYTES", default_value = "134217728")]
    pub max_bodies_bytes: NonZeroUsize,
    /// Most bytes of encoded rows of all models
    #[arg(long, env = "MIRADOR_MAX_QUEUED_BYTES", default_value = "134217728")]
    pub max_queued_bytes: NonZeroUsize,
    /// Most lines of one stream [default: no bound]
    #[arg(long, env = "MIRADOR_MAX_LINES")]
    pub max_lines: Option<NonZeroUsize>,
    /// Most connections; beyond them those whose refused bodies still come and those that wait for a request are closed, the
    /// longest waiting first. Fewer where the system allows fewer open files
    #[arg(long, env = "MIRADOR_MAX_CONNECTIONS", default_value = "1024")]
    pub max_connections: NonZeroUsize,
    /// Most seconds for a TLS handshake, and for the head of a request
    #[arg(long, env = "MIRADOR_HEAD_TIMEOUT_S", default_value = "10")]
    pub head_timeout_s: NonZeroU32,
    /// Most seconds for which a connection is kept without a request
    #[arg(long, env = "MIRADOR_IDLE_TIMEOUT_S", default_value = "75")]
    pub idle_timeout_s: NonZeroU32,
    /// Most seconds without a byte of a request's body, and for all of one that is refused; past them a body also has to
    /// bring 16 KiB/s on average, lines excepted that are answered while they come
    #[arg(long, env = "MIRADOR_READ_TIMEOUT_S", default_value = "30")]
    pub read_timeout_s: NonZeroU32,
    /// Most seconds for which a caller may take no byte of a reply
    #[arg(long, env = "MIRADOR_WRITE_TIMEOUT_S", default_value = "30")]
    pub write_timeout_s: NonZeroU32,
    /// After SIGTERM: keep accepting for so many ms, so that balancers see /health/ready turn
    #[arg(long, env = "MIRADOR_DRAIN_PAUSE_MS", default_value = "500")]
    pub drain_pause_ms: u64,
    /// After SIGTERM and the pause: finish accepted work within so many seconds
    #[arg(long, env = "MIRADOR_DRAIN_CAP_S", default_value = "25")]
    pub drain_cap_s: u64,
    /// Jobs.
    #[command(flatten)]
    pub jobs: JobsConfig,
    /// Shape of the log lines on standard error; RUST_LOG picks what is logged
    #[arg(long, env = "MIRADOR_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// OpenTelemetry collector (OTLP over HTTP, e.g. http://127.0.0.1:4318) that spans of requests are sent to
    #[arg(long, env = "MIRADOR_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Who runs this service, for /service-info
    #[arg(long, env = "MIRADOR_ORGANIZATION_NAME", default_value = "mirador")]
    pub organization_name: String,
    /// Their address [default: this service's home page, by the host that was asked for]
    #[arg(long, env = "MIRADOR_ORGANIZATION_URL")]
    pub organization_url: Option<String>,
}

/// Shapes of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For eyes.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// The settings contradict each other.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A request that is allowed could never be admitted.
    #[error(
        "--queue-capacity {capacity} is less than --max-rows {rows}: such a request would never find room"
    )]
    QueueTooSmall {
        /// `--queue-capacity`.
        capacity: NonZeroUsize,
        /// `--max-rows`.
        rows: NonZeroUsize,
    },
    /// A body that is allowed could never be read.
    #[error(
        "--max-bodies-bytes {bodies} is too little for --max-body-bytes {body} and --max-rows {rows}: one caller has half of it, and such a body would never find room; give it {least} or more"
    )]
    BodiesTooSmall {
        /// `--max-bodies-bytes`.
        bodies: NonZeroUsize,
        /// `--max-body-bytes`.
        body: NonZeroUsize,
        /// `--max-rows`.
        rows: NonZeroUsize,
        /// What `--max-bodies-bytes` would have to be.
        least: usize,
    },
}

/// Bytes that a row takes beside its letters, its result included.
const ROW_BYTES: usize = 512;

/// Bytes that a body takes: itself, its `rows` with their results, and what of it is `passed` on, which stands in the
/// rows and in the reply.
pub fn room(bytes: usize, rows: usize, passed: usize) -> usize {
    [rows.saturating_mul(ROW_BYTES), passed, passed].into_iter().fold(bytes, usize::saturating_add)
}

impl ServeConfig {
    /// What no single flag can know.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (capacity, rows) = (self.queue_capacity, self.max_rows);
        if capacity < rows {
            return Err(ConfigError::QueueTooSmall { capacity, rows });
        }
        let (bodies, body) = (self.max_bodies_bytes, self.max_body_bytes);
        let least = room(body.get(), rows.get(), body.get()).saturating_mul(2);
        if bodies.get() < least {
            return Err(ConfigError::BodiesTooSmall { bodies, body, rows, least });
        }
        Ok(())
    }

    /// Most bytes of a job's body that is read into memory, which is every one but lines.
    pub fn most_of_job(&self) -> usize {
        self.max_bodies_bytes.get() / 2
    }

    /// How the workers of a model are fed, but for what all models share.
    pub fn feeding(&self, devices: &[Device]) -> PredictorConfig {
        let [short_workers, long_workers] = self.workers(devices);
        PredictorConfig {
            max_batch_size: self.max_batch_size.get(),
            queue_capacity: self.queue_capacity.get(),
            short_workers,
            long_workers,
            threads: self.threads_per_worker.get(),
            drain: Duration::from_secs(self.drain_cap_s.max(1)),
            ..PredictorConfig::default()
        }
    }

    /// Replicas of each model: for small requests, and for large ones. By default one core (of the container, where it
    /// has a quota) is left to connections and small requests: where large batches run on every core, a small request
    /// waits for the end of a time slice. Small ones have half as many: fewer make fuller batches.
    /// Each of several devices has as many.
    pub fn workers(&self, devices: &[Device]) -> [usize; 2] {
        let on_cuda = devices.iter().any(|device| device.is_cuda());
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let fitting = (cores.saturating_sub(1) / self.threads_per_worker).clamp(1, 8);
        let long = self.workers.map_or(if on_cuda { 1 } else { fitting }, NonZeroUsize::get);
        [(long / 2).max(1), long].map(|workers| workers * devices.len())
    }
}
