//! `mirador check`: does every network do here what it did where it was trained?

// What it prints is its result.
#![allow(clippy::print_stdout)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, ensure};
use mirador_models::{WeightsDir, device};

use super::models;
use crate::config::{LogFormat, NetworkConfig};
use crate::telemetry;

/// Loads every weights folder and reproduces its golden outputs.
pub fn check(config: &NetworkConfig) -> Result<()> {
    let devices = config.open()?;
    device::set_threads(1);
    let _telemetry = telemetry::start(LogFormat::Text, None)?;
    let mut failed = 0;
    for path in WeightsDir::folders_of(&config.weights()?, &config.models)? {
        let dir = WeightsDir::open(&path)?;
        let name = dir.config.id();
        for device in &devices {
            // libtorch panics, with its reason on the screen, where it finds no memory or no kernel.
            let checked = catch_unwind(AssertUnwindSafe(|| {
                dir.load(*device).and_then(|replica| models::check(&dir, &replica))
            }));
            let Ok(checked) = checked else {
                println!("{name}: libtorch cannot run it on {device:?}");
                failed += 1;
                continue;
            };
            match checked {
                Ok(most) => {
                    println!(
                        "{name}: golden outputs reproduced on {device:?}, largest difference {most:.1e}"
                    );
                }
                Err(error) => {
                    println!("{name}: {error}");
                    failed += 1;
                }
            }
        }
    }
    ensure!(failed == 0, "{failed} weights folder(s) cannot be served");
    Ok(())
}
