//! Which device runs the networks, and libtorch's global switches.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Where a network runs. Plain data, so that those who only pass it on need no libtorch.
pub use tch::Device;

/// What the user asked for: `auto`, `cpu` or `cuda:N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first CUDA device where there is one, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// This CUDA device, or an error.
    Cuda(usize),
}

/// The device cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Not one of the three forms.
    #[error("unknown device {0:?}; use auto, cpu or cuda:N")]
    Unknown(String),
    /// CUDA was asked for by name and is not there.
    #[error("device cuda:{index} was asked for, but {reason}; use --device cpu or --device auto")]
    NoCuda {
        /// The device's number.
        index: usize,
        /// Why not.
        reason: String,
    },
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| DeviceError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => write!(f, "auto"),
            Self::Cpu => write!(f, "cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl DeviceChoice {
    /// Opens CUDA where it is wanted and says which device to use. Call first thing in `main`, before other threads start.
    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Auto => Ok(cuda_devices().map_or(Device::Cpu, |_| Device::Cuda(0))),
            Self::Cuda(index) => match cuda_devices() {
                Ok(count) if index < count => Ok(Device::Cuda(index)),
                Ok(count) => Err(DeviceError::NoCuda {
                    index,
                    reason: format!("this machine has {count} CUDA device(s), numbered from 0"),
                }),
                Err(reason) => Err(DeviceError::NoCuda { index, reason }),
            },
        }
    }
}

/// The number of usable CUDA devices, or why there is none.
///
/// The linker drops `libtorch_cuda.so` because nothing names its symbols. Opened at run time, it registers itself
/// with libtorch, and one binary serves both kinds of machine.
fn cuda_devices() -> Result<usize, String> {
    static OPENED: OnceLock<Result<(), String>> = OnceLock::new();
    OPENED.get_or_init(open_libtorch_cuda).clone()?;
    match usize::try_from(tch::Cuda::device_count()) {
        Ok(count) if count > 0 && tch::Cuda::is_available() => Ok(count),
        _ => Err("the driver shows no CUDA device".to_owned()),
    }
}

/// Call before other threads start: it sets an environment variable.
#[allow(unsafe_code)] // set_var wants a process of one thread: programs open their device first; dlopen runs initialisers of libtorch's own
fn open_libtorch_cuda() -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // TF32 rounds the factors of float32 products to 10 bits of mantissa. tch has no switch for it; cuBLAS and cuDNN
    // read this one when they are loaded. A user's own setting stays.
    if std::env::var_os("NVIDIA_TF32_OVERRIDE").is_none() {
        unsafe { std::env::set_var("NVIDIA_TF32_OVERRIDE", "0") };
    }
    match unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) } {
        Ok(library) => {
            // Closing it would pull the code from under libtorch's registries.
            std::mem::forget(library);
            Ok(())
        }
        Err(error) => {
            // Its own text says only that it failed; the loader's reason stands behind it.
            let reason =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Err(format!("libtorch_cuda.so cannot be opened ({reason})"))
        }
    }
}

/// Sets libtorch's threads for one operation. Call once, first thing in `main`: the setting between operations is
/// fixed at first use.
pub fn set_threads(intra_op: usize) {
    tch::set_num_interop_threads(1);
    set_threads_here(intra_op);
}

/// Sets them for this thread: OpenMP keeps the setting for each thread apart.
pub fn set_threads_here(intra_op: usize) {
    tch::set_num_threads(i32::try_from(intra_op).unwrap_or(1));
}
