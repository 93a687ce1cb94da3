//! Owns the choice of where to compute. The only file that names a Burn backend; everything else takes a
//! `Device`.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, DeviceKind, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::util::denormal::flush_denormals;
use crate::util::threads;

/// Where tensors live and what computes on them.
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

/// How the passes of a network are computed. Both engines give the same results up to rounding; `run.json` records which
/// one a run was trained with.
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
    /// Engine of a backend if nobody chooses another one: `cpu` on flex, if this build has it, else `autodiff`.
    pub fn default_of(backend: Backend) -> Self {
        if backend == Backend::Flex && cfg!(feature = "cpu-engine") { Self::Cpu } else { Self::Autodiff }
    }

    /// Engine of a network on `device` if nobody chooses another one.
    pub(crate) fn default_on(device: &Device) -> Self {
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

/// Where and how a network is computed: a backend with one of its engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compute {
    backend: Backend,
    engine: Engine,
}

impl Compute {
    /// The backend with `engine`, or with its default engine.
    ///
    /// # Errors
    /// As [`Engine::check`]'s.
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

    /// Opens the backend.
    ///
    /// # Errors
    /// As [`Backend::open`]'s.
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
    /// The backend alone with its usual engine (`flex`, which has been the key of trials before there were two engines),
    /// else both (`flex, engine autodiff`).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let usual = if self.backend == Backend::Flex { Engine::Cpu } else { Engine::Autodiff };
        match self.engine == usual {
            true => write!(f, "{}", self.backend),
            false => write!(f, "{}, engine {}", self.backend, self.engine),
        }
    }
}

/// A backend ready to compute.
#[derive(Debug, Clone)]
pub struct BackendHandle {
    /// The device for inference; `device.clone().autodiff()` is the one for training.
    pub device: Device,
    /// Engine of networks on this backend if nobody chooses another one.
    pub engine: Engine,
    /// What computes: the GPU's or driver's name, or the CPU backend's.
    pub adapter: String,
    /// Whether kernels are compiled on first use, which can take a while without a word.
    pub warms_up: bool,
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
    /// Whether it computes on a GPU, where the order of sums, and so the last digits, may differ between runs.
    pub fn is_gpu(self) -> bool {
        matches!(self, Self::Wgpu | Self::Cuda)
    }

    /// Opens the backend.
    ///
    /// # Errors
    /// A GPU backend with no GPU, or a backend that this build does not have: it never falls back to another. A system that
    /// gives no thread to compute with.
    pub fn open(self) -> Result<BackendHandle> {
        start_threads(None)?;
        match self {
            Self::Flex => Ok(cpu(Device::flex(), Engine::default_of(self), "CPU (flex)")),
            // Deprecated upstream; kept as an independent check of the others.
            #[allow(deprecated)]
            Self::Ndarray => Ok(cpu(Device::ndarray(), Engine::Autodiff, "CPU (ndarray)")),
            Self::Wgpu => open_wgpu(),
            Self::Cuda => open_cuda(),
        }
    }
}

/// Returns `tensor` with 0 in place of every denormal number if it is on a CPU, where arithmetic on denormal numbers is
/// slow. On a GPU it returns the tensor itself.
pub(crate) fn without_denormals<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let device = tensor.device();
    #[allow(deprecated)]
    let is_cpu = device == Device::flex() || device == Device::ndarray();
    if !is_cpu {
        return tensor;
    }
    // The tensor's memory changes hands and is not copied.
    let mut data = tensor.into_data();
    if let Ok(values) = data.as_mut_slice() {
        flush_denormals(values);
    }
    Tensor::from_data(data, &device)
}

/// Starts the threads of the CPU backends: `wanted`, or one for each core, or as many as the system gives. Says how many there
/// are. They are started once, by the first call or by [`Backend::open`].
///
/// # Errors
/// A system that gives not even one.
pub fn start_threads(wanted: Option<usize>) -> Result<usize> {
    threads::start(wanted).map_err(Error::thread)
}

/// The threads that the CPU backends compute with.
pub fn num_threads() -> usize {
    threads::count()
}

fn cpu(device: Device, engine: Engine, adapter: &str) -> BackendHandle {
    BackendHandle { device, engine, adapter: adapter.to_owned(), warms_up: false }
}

/// The GPU once it is open: wgpu can be set up once in a process, and a study opens it again for its winner.
static WGPU: Mutex<Option<BackendHandle>> = Mutex::new(None);

fn open_wgpu() -> Result<BackendHandle> {
    let mut open = WGPU.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(opened) = &*open {
        return Ok(opened.clone());
    }
    let (device, setup) =
        Device::wgpu_options().device_kind(DeviceKind::DefaultDevice).init_with_setup().map_err(|error| {
            Error::backend(format!("the backend `wgpu` found no usable GPU: {error}")).hint(
                "install a graphics driver (Vulkan; on Debian or Ubuntu the package mesa-vulkan-drivers even \
                 computes without a GPU), or use a CPU backend: `--backend flex`",
            )
        })?;
    let info = setup.adapter.get_info();
    let adapter = format!("{} ({:?})", info.name, info.backend);
    Ok(open.insert(BackendHandle { device, engine: Engine::Autodiff, adapter, warms_up: true }).clone())
}

#[cfg(feature = "cuda")]
fn open_cuda() -> Result<BackendHandle> {
    // Burn has no fallible way to open CUDA: without a driver, the first tensor panics.
    let probe = || burn::tensor::Tensor::<1>::zeros([1], &Device::cuda(0)).try_into_data().is_ok();
    if std::panic::catch_unwind(probe).unwrap_or(false) {
        return Ok(BackendHandle {
            device: Device::cuda(0),
            adapter: "CUDA device 0".to_owned(),
            warms_up: true,
        });
    }
    Err(Error::backend("the backend `cuda` found no usable NVIDIA GPU")
        .hint("install NVIDIA's driver and the CUDA toolkit, or use a CPU backend: `--backend flex`"))
}

#[cfg(not(feature = "cuda"))]
fn open_cuda() -> Result<BackendHandle> {
    Err(Error::backend("the backend `cuda` is not in this build")
        .hint("build it in with `cargo run --release --features cuda -- --backend cuda`"))
}
