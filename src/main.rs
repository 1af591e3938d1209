//! The server program: a table of contents.

// What a subcommand prints is its result.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use mirador::config::{Command, Program, RowsConfig, ServeConfig};
use mirador::{http, offline, telemetry};
use mirador_models::device;
use mirador_models::tasks::Task;

/// Also libtorch's, by the feature `override`: with glibc's own, every large tensor is memory fresh from the kernel, and
/// a batch of 512 takes half as long again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    // Some lines may say what is wrong with theirs: then the program ends with 2.
    let mut rows = |task, config: &RowsConfig| {
        offline::rows(task, config).map(|all| code = if all { ExitCode::SUCCESS } else { ExitCode::from(2) })
    };
    let done = match Program::from_arguments().command {
        Command::Serve(config) => serve(*config),
        Command::Scan(config) => offline::scan(&config),
        Command::Score(config) => rows(Task::TargetSite, &config),
        Command::Classify(config) => rows(Task::PreMirna, &config),
        Command::Predict(config) => rows(Task::Expression, &config),
        Command::Check(config) => offline::check(&config),
        Command::Health(config) => http::probe(&config).map(|said| println!("{said}")),
        Command::Openapi => {
            http::openapi().to_pretty_json().map(|text| println!("{text}")).map_err(Into::into)
        }
        Command::Key { name, scopes } => {
            http::new_key(&name, &scopes).map(|text| println!("{text}")).map_err(anyhow::Error::msg)
        }
    };
    match done {
        Ok(()) => code,
        Err(error) => {
            eprintln!("mirador: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: ServeConfig) -> anyhow::Result<()> {
    // Before any other thread is there.
    let devices = config.network.open()?;
    device::set_threads(config.threads_per_worker.get());
    let telemetry = telemetry::start(config.log_format, config.otlp_endpoint.as_deref())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let served = async { http::serve(http::bind(&config).await?, config, devices).await };
    match runtime.block_on(served) {
        Ok(http::Outcome::Answered) => telemetry.leave(0, None),
        Ok(http::Outcome::Dropped) => telemetry.leave(3, None),
        // Each says its whole cause itself.
        Err(error) => telemetry.leave(1, Some(error.to_string())),
    }
}
