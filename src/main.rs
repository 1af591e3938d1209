//! The server program: a table of contents.

// What a subcommand prints is its result.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use mirador::config::{Command, LogFormat, NetworkConfig, Program, RowsConfig, ServeConfig};
use mirador::{http, offline, telemetry};
use mirador_models::tasks::Task;
use mirador_models::{WeightsDir, device};

/// Also libtorch's, by the feature `override`: with glibc's own, every large tensor is memory fresh from the kernel, and
/// a batch of 512 takes half as long again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = match Program::from_arguments().command {
        Command::Serve(config) => serve(*config),
        Command::Scan(config) => offline::scan(&config),
        Command::Score(config) => rows(Task::TargetSite, &config),
        Command::Classify(config) => rows(Task::PreMirna, &config),
        Command::Predict(config) => rows(Task::Expression, &config),
        Command::Check(config) => check(&config),
        Command::Openapi => {
            http::openapi().to_pretty_json().map(|text| println!("{text}")).map_err(Into::into)
        }
        Command::Key { name, scopes } => {
            http::new_key(&name, &scopes).map(|text| println!("{text}")).map_err(anyhow::Error::msg)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mirador: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: ServeConfig) -> anyhow::Result<()> {
    // Before any other thread is there.
    let device = config.network.device.open()?;
    device::set_threads(config.threads_per_worker.get());
    let telemetry = telemetry::start(config.log_format, config.otlp_endpoint.as_deref())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let served = async { http::serve(http::bind(&config).await?, config, device).await };
    match runtime.block_on(served) {
        Ok(http::Outcome::Answered) => telemetry.leave(0, None),
        Ok(http::Outcome::Dropped) => telemetry.leave(3, None),
        Err(error) => telemetry.leave(1, Some(format!("{:#}", anyhow::Error::from(error)))),
    }
}

/// Answers a file of rows. Some lines may say what is wrong with theirs: then the program ends with 2.
fn rows(task: Task, config: &RowsConfig) -> anyhow::Result<()> {
    if !offline::rows(task, config)? {
        std::process::exit(2);
    }
    Ok(())
}

/// Loads every weights folder and reproduces its golden outputs.
fn check(config: &NetworkConfig) -> anyhow::Result<()> {
    let device = config.device.open()?;
    device::set_threads(1);
    let _telemetry = telemetry::start(LogFormat::Text, None)?;
    let mut failed = 0;
    for path in WeightsDir::folders_of(&config.weights_dir, &config.models)? {
        let dir = WeightsDir::open(&path)?;
        let name = dir.config.id();
        match dir.load(device).and_then(|replica| dir.golden()?.verify(&replica)) {
            Ok(()) => println!("{name}: golden outputs reproduced on {device:?}"),
            Err(error) => {
                println!("{name}: {error}");
                failed += 1;
            }
        }
    }
    anyhow::ensure!(failed == 0, "{failed} weights folder(s) cannot be served");
    Ok(())
}
