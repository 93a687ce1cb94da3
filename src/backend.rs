//! Owns the choice of where to compute. The only file that names a Burn backend; everything else takes a
//! `Device`.

use std::sync::{Mutex, PoisonError};

use burn::backend::Flex;
use burn::tensor::{DType, Device, DeviceKind, Tensor, TensorData};
use burn_flex::FlexTensor;
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

/// A backend ready to compute.
#[derive(Debug, Clone)]
pub struct BackendHandle {
    /// The device for inference; `device.clone().autodiff()` is the one for training.
    pub device: Device,
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
            Self::Flex => Ok(cpu(Device::flex(), "CPU (flex)")),
            // Deprecated upstream; kept as an independent check of the others.
            #[allow(deprecated)]
            Self::Ndarray => Ok(cpu(Device::ndarray(), "CPU (ndarray)")),
            Self::Wgpu => open_wgpu(),
            Self::Cuda => open_cuda(),
        }
    }
}

/// A tensor in the memory of the CPU: single precision, row-major and without gaps.
#[derive(Debug, Clone)]
pub(crate) struct FlexBuffer(FlexTensor);

impl FlexBuffer {
    /// `tensor` without a copy; what its gradient would be does not matter.
    ///
    /// # Errors
    /// The tensor itself where it is not on flex or not in single precision.
    #[allow(clippy::result_large_err)]
    pub(crate) fn of<const D: usize>(tensor: Tensor<D>) -> std::result::Result<Self, Tensor<D>> {
        let flex: FlexTensor = match tensor.clone().inner().try_into_primitive::<Flex>() {
            Ok(flex) => flex,
            Err(_) => return Err(tensor),
        };
        let has_gaps = !flex.is_contiguous() || flex.bytes().len() != 4 * flex.layout().num_elements();
        match flex.dtype() {
            DType::F32 if has_gaps => Ok(Self(flex.to_contiguous())),
            DType::F32 => Ok(Self(flex)),
            _ => Err(tensor),
        }
    }

    /// A tensor of `values`, which become its memory.
    pub(crate) fn new<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape)))
    }

    /// Zeros of the same shape.
    pub(crate) fn zeros(&self) -> Self {
        Self(FlexTensor::zeros(self.0.layout().shape().clone(), DType::F32))
    }

    /// `tensor`, of the same shape and wherever it is, or zeros.
    pub(crate) fn or_zeros<const D: usize>(&self, tensor: Option<Tensor<D>>) -> Self {
        let Some(tensor) = tensor else { return self.zeros() };
        Self::of(tensor).unwrap_or_else(|tensor| {
            let shape = tensor.dims();
            Self::new(tensor.into_data().iter::<f32>().collect(), shape)
        })
    }

    /// Its numbers.
    pub(crate) fn values(&self) -> &[f32] {
        self.0.storage()
    }

    /// Its numbers, to be changed: a copy of them where others hold the tensor too.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    /// The tensor.
    pub(crate) fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.0)
    }
}

/// `tensor` with 0 in the place of every denormal number, where they are slow: on a CPU. No GPU minds them.
pub(crate) fn without_denormals<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let device = tensor.device();
    #[allow(deprecated)]
    let is_ndarray = device == Device::ndarray();
    match FlexBuffer::of(tensor) {
        Ok(mut host) => {
            flush_denormals(host.values_mut());
            host.into_tensor()
        }
        Err(tensor) if is_ndarray => {
            // Its memory changes hands and is not copied.
            let mut data = tensor.into_data();
            if let Ok(values) = data.as_mut_slice() {
                flush_denormals(values);
            }
            Tensor::from_data(data, &device)
        }
        Err(tensor) => tensor,
    }
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

fn cpu(device: Device, adapter: &str) -> BackendHandle {
    BackendHandle { device, adapter: adapter.to_owned(), warms_up: false }
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
    Ok(open.insert(BackendHandle { device, adapter, warms_up: true }).clone())
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
