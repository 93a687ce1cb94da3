//! Owns the choice of backend, adapter and engine, and opens the backend. It is the only file that
//! chooses among Burn's backends. Other modules take a `Device`.
//! Depends on `error` and `util`. Must not know how an engine computes.

mod adapters;

use std::sync::{Mutex, OnceLock, PoisonError};

use burn::tensor::{Device, DeviceKind, Tensor};
use serde::{Deserialize, Serialize};
use smallnet_kernels::flush_denormals;

use crate::error::{Error, Result};
use crate::util::notice::{Notice, give_once};
use crate::util::threads;

use adapters::DEFAULT_VARIABLE;
pub use adapters::{Adapter, AdapterKind, list_adapters};

/// Burn library that holds tensors and computes on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The CPU with vector instructions and all cores
    #[default]
    Flex,
    /// The CPU through the ndarray crate: slower, an independent check
    Ndarray,
    /// Any GPU through Vulkan, Metal, DirectX 12 or OpenGL
    Wgpu,
    /// NVIDIA GPUs through CUDA (needs a build with `--features cuda`)
    Cuda,
}

/// Way in which smallnet computes the passes of a network. Both engines give the same results up to
/// rounding. `run.json` records the engine that trained the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Burn's tensors and automatic differentiation, on every backend
    Autodiff,
    /// smallnet's own CPU kernels: faster, on the backend flex alone
    Cpu,
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Autodiff => "autodiff",
            Self::Cpu => "cpu",
        })
    }
}

impl Engine {
    /// Returns the engine of a backend in a build with all features: `cpu` on flex, `autodiff`
    /// elsewhere. Before runs recorded their engine, there was no other.
    pub(crate) fn usual(backend: Backend) -> Self {
        if backend == Backend::Flex { Self::Cpu } else { Self::Autodiff }
    }

    /// Default engine of `backend`: `cpu` on flex if this build has it, otherwise `autodiff`.
    pub fn default_of(backend: Backend) -> Self {
        if cfg!(feature = "cpu-engine") { Self::usual(backend) } else { Self::Autodiff }
    }

    /// Default engine of a network on `device`.
    pub(crate) fn default_on(device: &Device) -> Self {
        // All other backends have the same default engine. wgpu stands for them.
        let is_flex = device.clone().inner() == Device::flex();
        Self::default_of(if is_flex { Backend::Flex } else { Backend::Wgpu })
    }

    /// Checks that this build has the engine and that it computes on `backend`.
    ///
    /// # Errors
    /// The engine `cpu` on another backend than flex, or in a build without it.
    pub fn check(self, backend: Backend) -> Result<()> {
        if self == Self::Autodiff {
            return Ok(());
        }
        if !cfg!(feature = "cpu-engine") {
            return Err(Error::unsupported("the engine `cpu` is not in this build")
                .hint("build with the feature `cpu-engine`, or use `--engine autodiff`"));
        }
        if backend == Backend::Flex {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the engine `cpu` computes on the backend `flex` alone, not on `{backend}`"
        ))
        .hint("leave out `--engine`, or use `--engine autodiff`"))
    }
}

/// Returns the instructions for many numbers at once that this processor has: `avx512` or `avx2`, or
/// else the name of its architecture. The last digits of a training on the CPU depend on them.
pub fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return "avx512";
        }
        if is_x86_feature_detected!("avx2") {
            return "avx2";
        }
    }
    std::env::consts::ARCH
}

/// A backend with one of its engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compute {
    backend: Backend,
    engine: Engine,
}

impl Compute {
    /// Combines `backend` with `engine`, or with its default engine.
    ///
    /// # Errors
    /// The same as those of [`Engine::check`].
    pub fn new(backend: Backend, engine: Option<Engine>) -> Result<Self> {
        let engine = engine.unwrap_or(Engine::default_of(backend));
        engine.check(backend).map(|()| Self { backend, engine })
    }

    /// The backend.
    pub fn backend(self) -> Backend {
        self.backend
    }

    /// The engine.
    pub fn engine(self) -> Engine {
        self.engine
    }

    /// Opens the backend. The handle has the engine of this value.
    ///
    /// # Errors
    /// The same as those of [`Backend::open`].
    pub fn open(self) -> Result<BackendHandle> {
        Ok(BackendHandle { engine: self.engine, ..self.backend.open()? })
    }
}

impl From<Backend> for Compute {
    fn from(backend: Backend) -> Self {
        Self { backend, engine: Engine::default_of(backend) }
    }
}

impl std::fmt::Display for Compute {
    /// Writes only the backend if the engine is its usual one (`flex`), otherwise both (such as
    /// `flex, engine autodiff`). The keys of trials are made from this text. So trials from before
    /// there were two engines keep their keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.engine == Engine::usual(self.backend) {
            true => write!(f, "{}", self.backend),
            false => write!(f, "{}, engine {}", self.backend, self.engine),
        }
    }
}

/// An open backend.
#[derive(Debug, Clone)]
pub struct BackendHandle {
    /// Device for evaluation. `device.clone().autodiff()` is the device for training.
    pub device: Device,
    /// Engine of networks on this backend.
    pub engine: Engine,
    /// Name of the GPU or its driver, or of the CPU backend.
    pub adapter: String,
    /// True if the backend compiles its kernels on first use. This can take a while, in which a
    /// training makes no visible progress.
    pub compiles_kernels: bool,
}

/// Number of the adapter that the user chose for wgpu or cuda.
static CHOSEN_DEVICE: OnceLock<usize> = OnceLock::new();

/// Chooses the adapter that this process uses with the backends wgpu and cuda: for wgpu by its number
/// in [`list_adapters`], for cuda by its number in `nvidia-smi`. The first call counts.
pub fn choose_device(number: usize) {
    let _ = CHOSEN_DEVICE.set(number);
}

/// Returns the number that [`choose_device`] was called with.
pub fn chosen_device() -> Option<usize> {
    CHOSEN_DEVICE.get().copied()
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        })
    }
}

impl Backend {
    /// Returns whether the backend computes on a GPU. There, the order of additions may differ
    /// between runs, and so may the last digits of results.
    pub fn is_gpu(self) -> bool {
        matches!(self, Self::Wgpu | Self::Cuda)
    }

    /// Returns whether this build has the backend.
    pub fn is_built(self) -> bool {
        self != Self::Cuda || cfg!(feature = "cuda")
    }

    /// Opens the backend. Never opens another backend instead.
    ///
    /// # Errors
    /// A GPU backend without a usable GPU or without the chosen adapter, a backend that this build
    /// does not have, or a system that refuses to start a thread.
    pub fn open(self) -> Result<BackendHandle> {
        start_threads(None)?;
        match self {
            Self::Flex => Ok(cpu(Device::flex(), Engine::default_of(self), "CPU (flex)")),
            // Burn has deprecated ndarray. It stays as an independent check of the other backends.
            #[allow(deprecated)]
            Self::Ndarray => Ok(cpu(Device::ndarray(), Engine::Autodiff, "CPU (ndarray)")),
            Self::Wgpu => open_wgpu(),
            Self::Cuda => open_cuda(),
        }
    }
}

/// Returns whether `device`, which must not be an autodiff device, is one of the CPU backends.
pub(crate) fn is_cpu(device: &Device) -> bool {
    #[allow(deprecated)]
    let backends = [Device::flex(), Device::ndarray()];
    backends.contains(device)
}

/// Replaces every denormal number in `tensor` by 0 if the tensor is on a CPU, where arithmetic on
/// denormal numbers is slow (see `smallnet_kernels::flush_denormals`). Returns a tensor on a GPU unchanged.
pub(crate) fn without_denormals<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let device = tensor.device();
    if !is_cpu(&device) {
        return tensor;
    }
    // The values are changed in place: the tensor's memory is moved, not copied.
    let mut data = tensor.into_data();
    if let Ok(values) = data.as_mut_slice() {
        flush_denormals(values);
    }
    Tensor::from_data(data, &device)
}

/// Starts the threads of the CPU backends, and returns their number. They are `wanted` threads, or
/// by default one per core, or fewer if the system refuses some. They are started once, by the
/// first call or by [`Backend::open`].
///
/// # Errors
/// A system that refuses to start even one thread.
pub fn start_threads(wanted: Option<usize>) -> Result<usize> {
    threads::start(wanted).map_err(Error::thread)
}

/// Number of threads of the CPU backends. Starts them if they are not started yet.
pub fn num_threads() -> usize {
    threads::count()
}

/// Handle of a CPU backend, which compiles nothing on first use.
fn cpu(device: Device, engine: Engine, adapter: &str) -> BackendHandle {
    BackendHandle { device, engine, adapter: adapter.to_owned(), compiles_kernels: false }
}

/// Handle of the GPU after it was opened. A process can set up wgpu only once, but opens it several
/// times: a study opens it again for its best configuration.
static WGPU: Mutex<Option<BackendHandle>> = Mutex::new(None);

/// Opens the chosen or the default adapter through wgpu, or returns the handle of an earlier call.
fn open_wgpu() -> Result<BackendHandle> {
    let mut open = WGPU.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(opened) = &*open {
        return Ok(opened.clone());
    }
    let kind = chosen_device().map_or(Ok(DeviceKind::DefaultDevice), find_adapter)?;
    let opened = Device::wgpu_options().device_kind(kind).init_with_setup();
    let (device, setup) = opened.map_err(|error| explain(&error))?;
    let info = setup.adapter.get_info();
    let adapter = format!("{} ({:?})", info.name, info.backend);
    if AdapterKind::from(info.device_type) == AdapterKind::Cpu {
        let text = format!("{adapter} computes on the CPU, not on a GPU; `--backend flex` is faster");
        give_once("software driver", Notice::Note(&text));
    }
    Ok(open
        .insert(BackendHandle { device, engine: Engine::Autodiff, adapter, compiles_kernels: true })
        .clone())
}

/// Error of an adapter that cannot be opened. `reason` is the library's own.
fn explain(reason: &dyn std::fmt::Display) -> Error {
    let adapters = list_adapters();
    let default = std::env::var(DEFAULT_VARIABLE).ok();
    match default.filter(|_| chosen_device().is_none()) {
        _ if adapters.is_empty() => no_gpu(&"this machine has no adapter"),
        Some(name) if !adapters.iter().any(|adapter| adapter.is_default) => Error::backend(format!(
            "`{DEFAULT_VARIABLE}` is `{name}`, which is none of this machine's adapters"
        ))
        .hint(format!(
            "remove the variable, or use `--device` with one of these numbers:{}",
            lines(&adapters)
        )),
        _ => no_gpu(reason),
    }
}

/// Lists adapters, one per line.
fn lines(adapters: &[Adapter]) -> String {
    adapters.iter().map(|adapter| format!("\n  {adapter}")).collect()
}

/// Error of a machine without an adapter, or with one that cannot be opened.
fn no_gpu(reason: &dyn std::fmt::Display) -> Error {
    Error::backend(format!("the backend `wgpu` found no usable GPU: {reason}")).hint(
        "install a graphics driver (Vulkan; on Debian or Ubuntu the package mesa-vulkan-drivers even computes \
         without a GPU), or use a CPU backend: `--backend flex`",
    )
}

/// Returns the adapter with this number.
///
/// # Errors
/// There is none with this number, or none at all.
fn find_adapter(number: usize) -> Result<DeviceKind> {
    let adapters = list_adapters();
    if adapters.is_empty() {
        return Err(no_gpu(&"this machine has no adapter"));
    }
    adapters.get(number).map(Adapter::device_kind).ok_or_else(|| {
        Error::usage(format!("this machine has no adapter {number}"))
            .hint(format!("`--device` takes the number of one of these adapters:{}", lines(&adapters)))
    })
}

#[cfg(feature = "cuda")]
fn open_cuda() -> Result<BackendHandle> {
    // Burn has no function that opens CUDA and returns an error. Without a driver or a device of this
    // number, the first tensor panics. So a tensor is created to find out.
    let number = chosen_device().unwrap_or(0);
    let probe = || burn::tensor::Tensor::<1>::zeros([1], &Device::cuda(number)).try_into_data().is_ok();
    if std::panic::catch_unwind(probe).unwrap_or(false) {
        return Ok(BackendHandle {
            device: Device::cuda(number),
            engine: Engine::Autodiff,
            adapter: format!("CUDA device {number}"),
            compiles_kernels: true,
        });
    }
    Err(Error::backend(format!("the backend `cuda` found no usable NVIDIA GPU with the number {number}")).hint(
        "`nvidia-smi` lists the GPUs; install NVIDIA's driver and the CUDA toolkit, or use a CPU backend: \
         `--backend flex`",
    ))
}

#[cfg(not(feature = "cuda"))]
fn open_cuda() -> Result<BackendHandle> {
    Err(Error::backend("the backend `cuda` is not in this build")
        .hint("build it in with `cargo run --release --features cuda -- --backend cuda`"))
}
