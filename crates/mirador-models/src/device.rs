//! Which device runs the networks, and libtorch's global switches.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Where a network runs. Plain data, so that those who only pass it on need no libtorch.
pub use tch::Device;

/// What the user asked for: `auto`, `cpu`, `cuda:N` or `cuda:N,M`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first CUDA device where there is one, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// These CUDA devices, or an error.
    Cuda(Vec<usize>),
}

/// How float32 products are computed on CUDA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    #[default]
    Fp32,
    /// With factors rounded to 10 bits of mantissa.
    Tf32,
}

/// The device cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Not one of the forms.
    #[error("unknown device {0:?}; use auto, cpu, cuda:N, or cuda:N,M with each number once")]
    Unknown(String),
    /// Neither of the two.
    #[error("unknown precision {0:?}; use fp32 or tf32")]
    UnknownPrecision(String),
    /// A program that uses one device got several.
    #[error("device {0} names several devices, and this command uses one")]
    Several(String),
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
            "cuda" => Ok(Self::Cuda(vec![0])),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|numbers| numbers.split(',').map(|number| number.parse().ok()).collect())
                .filter(|numbers: &Vec<usize>| numbers.iter().collect::<BTreeSet<_>>().len() == numbers.len())
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
            Self::Cuda(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
                write!(f, "cuda:{}", numbers.join(","))
            }
        }
    }
}

impl DeviceChoice {
    /// Opens CUDA where it is wanted and says which devices to use, at least one. Call first thing in `main`, before
    /// other threads start.
    pub fn open(&self, precision: Precision) -> Result<Vec<Device>, DeviceError> {
        let _ = PRECISION.set(precision);
        let named = |index: usize| match cuda_devices() {
            Ok(count) if index < count => Ok(Device::Cuda(index)),
            Ok(count) => Err(DeviceError::NoCuda {
                index,
                reason: format!("this machine has {count} CUDA device(s), numbered from 0"),
            }),
            Err(reason) => Err(DeviceError::NoCuda { index, reason }),
        };
        match self {
            Self::Cpu => Ok(vec![Device::Cpu]),
            Self::Auto => Ok(vec![cuda_devices().map_or(Device::Cpu, |_| Device::Cuda(0))]),
            Self::Cuda(numbers) => numbers.iter().map(|index| named(*index)).collect(),
        }
    }

    /// Opens the one device of a program that uses one.
    pub fn open_one(&self, precision: Precision) -> Result<Device, DeviceError> {
        match self.open(precision)?.as_slice() {
            [device] => Ok(*device),
            _ => Err(DeviceError::Several(self.to_string())),
        }
    }
}

impl FromStr for Precision {
    type Err = DeviceError;
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "fp32" => Ok(Self::Fp32),
            "tf32" => Ok(Self::Tf32),
            _ => Err(DeviceError::UnknownPrecision(text.to_owned())),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
        })
    }
}

/// libtorch's switches are the process's.
static PRECISION: OnceLock<Precision> = OnceLock::new();

/// Whether this device rounds the factors of products: ten bits of mantissa, through several layers.
pub(crate) fn rounds(device: Device) -> bool {
    device.is_cuda() && PRECISION.get() == Some(&Precision::Tf32)
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
    // TF32 rounds the factors of float32 products to 10 bits of mantissa. tch has no switch for it. cuBLAS and cuDNN read
    // the first of these when they are loaded; libtorch, which rounds in cuDNN only by itself, the second. A user's own
    // setting stays.
    let (name, value) = match PRECISION.get().copied().unwrap_or_default() {
        Precision::Fp32 => ("NVIDIA_TF32_OVERRIDE", "0"),
        Precision::Tf32 => ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "1"),
    };
    if std::env::var_os(name).is_none() {
        unsafe { std::env::set_var(name, value) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_devices_are_numbers_between_commas() {
        for text in ["auto", "cpu", "cuda:0", "cuda:1,0,3"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(vec![0]));
        for text in ["gpu", "cuda:", "cuda:a", "cuda:0,", "cuda:1,1", "cuda:-1", "CUDA:0"] {
            assert!(matches!(text.parse::<DeviceChoice>(), Err(DeviceError::Unknown(_))), "{text}");
        }
        let two = DeviceChoice::Cuda(vec![0, 1]);
        assert!(matches!(two.open(Precision::Fp32), Ok(_) | Err(DeviceError::NoCuda { .. })));
        assert_eq!(DeviceChoice::Cpu.open(Precision::Fp32).unwrap(), [Device::Cpu]);
    }

    #[test]
    fn a_precision_has_a_name() {
        for text in ["fp32", "tf32"] {
            assert_eq!(text.parse::<Precision>().unwrap().to_string(), text);
        }
        assert!("bf16".parse::<Precision>().is_err());
    }
}
