//! The server program: a table of contents.

use std::process::ExitCode;

use mirador::config::{Command, LogFormat, NetworkConfig, Program, ServeConfig};
use mirador::models::{WeightsDir, device};
use mirador::{http, telemetry};

fn main() -> ExitCode {
    let done = match Program::from_arguments().command {
        Command::Serve(config) => serve(*config),
        Command::Check(config) => check(&config),
        Command::Openapi => openapi(),
        Command::Key { name, scopes } => http::print_new_key(&name, &scopes).map_err(anyhow::Error::msg),
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
    let _telemetry = telemetry::start(config.log_format, config.otlp_endpoint.as_deref())?;
    let device = config.network.device.open()?;
    // Before any other thread touches libtorch.
    device::set_threads(config.threads_per_worker.get());
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = http::bind(&config).await?;
        Ok(http::serve(listener, config, device).await?)
    })
}

/// Loads every weights folder and reproduces its golden outputs.
fn check(config: &NetworkConfig) -> anyhow::Result<()> {
    let _telemetry = telemetry::start(LogFormat::Text, None)?;
    let device = config.device.open()?;
    let mut failed = 0;
    for dir in WeightsDir::scan(&config.weights_dir)? {
        let name = format!("{}@{}", dir.config.model, dir.config.version);
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

fn openapi() -> anyhow::Result<()> {
    println!("{}", http::openapi().to_pretty_json()?);
    Ok(())
}
