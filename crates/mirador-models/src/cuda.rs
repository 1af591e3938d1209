//! What CUDA's runtime says of a device. Its functions are looked up in the process, which holds them once
//! `libtorch_cuda.so` is open ([`crate::device`]); without CUDA nobody answers.

use std::ffi::c_int;
use std::sync::OnceLock;

use libloading::os::unix::Library;
use tch::Device;

/// `cudaErrorMemoryAllocation`: some may be free again.
const NO_MEMORY: c_int = 2;

/// How a device does after something on it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It works: what failed was the request.
    Sound,
    /// It has no memory left at the moment.
    NoMemory,
    /// Whatever is asked of it fails from now on, with this number of CUDA's.
    Broken(i32),
    /// Nobody answers.
    Unknown,
}

#[derive(Clone, Copy)]
struct Runtime {
    set_device: unsafe extern "C" fn(c_int) -> c_int,
    synchronize: unsafe extern "C" fn() -> c_int,
    last_error: unsafe extern "C" fn() -> c_int,
    memory: unsafe extern "C" fn(*mut usize, *mut usize) -> c_int,
}

#[allow(unsafe_code)] // the signatures are those of CUDA's header cuda_runtime_api.h
fn runtime() -> Option<Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    *RUNTIME.get_or_init(|| {
        let process = Library::this();
        unsafe {
            Some(Runtime {
                set_device: *process.get(b"cudaSetDevice").ok()?,
                synchronize: *process.get(b"cudaDeviceSynchronize").ok()?,
                last_error: *process.get(b"cudaGetLastError").ok()?,
                memory: *process.get(b"cudaMemGetInfo").ok()?,
            })
        }
    })
}

impl Runtime {
    /// What a call says that is made of this device; what choosing the device says, where that fails.
    #[allow(unsafe_code)] // a function of CUDA's runtime without pointers
    fn of(self, index: usize, call: impl FnOnce(Self) -> c_int) -> c_int {
        match unsafe { (self.set_device)(index as c_int) } {
            0 => call(self),
            error => error,
        }
    }
}

/// Asks a device how it does. An error that goes with the call that made it is taken away first; one that stays breaks
/// every later call.
#[allow(unsafe_code)] // functions of CUDA's runtime without pointers
pub fn condition(device: Device) -> Condition {
    let (Device::Cuda(index), Some(runtime)) = (device, runtime()) else { return Condition::Unknown };
    unsafe { (runtime.last_error)() };
    match runtime.of(index, |runtime| unsafe { (runtime.synchronize)() }) {
        0 => Condition::Sound,
        NO_MEMORY => Condition::NoMemory,
        error => Condition::Broken(error),
    }
}

/// Free bytes of a device; `None` where nobody answers.
#[allow(unsafe_code)] // two numbers that live through the call
pub fn free_memory(device: Device) -> Option<usize> {
    let (Device::Cuda(index), Some(runtime)) = (device, runtime()) else { return None };
    let (mut free, mut total) = (0, 0);
    let said = runtime.of(index, |runtime| unsafe { (runtime.memory)(&raw mut free, &raw mut total) });
    (said == 0).then_some(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_cuda_nobody_answers() {
        assert_eq!(condition(Device::Cpu), Condition::Unknown);
        assert_eq!(free_memory(Device::Cpu), None);
    }
}
