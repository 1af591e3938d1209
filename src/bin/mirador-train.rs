//! `mirador-train`: prepare → train → evaluate, audit; import. Offline.

use clap::Parser;
use mirador::training::commands::Cli;

fn main() -> anyhow::Result<()> {
    Cli::parse().run()
}
