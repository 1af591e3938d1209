//! `mirador-train`: prepare → train → evaluate, audit; import. Offline.

use clap::Parser;
use mirador_train::commands::Cli;

/// Also libtorch's, by the feature `override`: with glibc's own, every large tensor is memory fresh from the kernel, and
/// a batch of 512 takes half as long again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    Cli::parse().run()
}
