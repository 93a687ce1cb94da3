//! Owns the list of wgpu's adapters: GPUs, and drivers that compute on the CPU. They have numbers,
//! by which a user chooses one. Depends on Burn's wgpu. Must not know what an adapter computes.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use burn::tensor::DeviceKind;
use burn::tensor::wgpu::wgpu;
use serde::Serialize;

/// Kind of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AdapterKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU in the processor, with the computer's memory.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// A driver that computes on the CPU, such as llvmpipe, SwiftShader or WARP.
    Cpu,
    /// An adapter of which the driver does not say what it is, as is usual with OpenGL.
    Other,
}

impl std::fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Cpu => "CPU driver",
            Self::Other => "unknown",
        })
    }
}

impl From<wgpu::DeviceType> for AdapterKind {
    fn from(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Cpu => Self::Cpu,
            wgpu::DeviceType::Other => Self::Other,
        }
    }
}

/// One of wgpu's adapters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// The number by which a user chooses the adapter, from 0.
    pub number: usize,
    /// The name that the driver states.
    pub name: String,
    /// The kind.
    pub kind: AdapterKind,
    /// The interface through which it is used: `Vulkan`, `Metal`, `Dx12` or `Gl`.
    pub api: String,
    /// True for the adapter that computes if a user chooses none.
    #[serde(rename = "default")]
    pub is_default: bool,
    /// Burn's name of the adapter.
    #[serde(skip)]
    device_kind: DeviceKind,
}

impl Adapter {
    /// Burn's name of the adapter.
    pub(super) fn device_kind(&self) -> DeviceKind {
        self.device_kind.clone()
    }
}

impl std::fmt::Display for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, name, kind, api, .. } = self;
        let default = if self.is_default { ", the default" } else { "" };
        write!(f, "{number}: {name}, {kind}, {api}{default}")
    }
}

/// Interfaces to adapters in the order in which Burn tries them.
const APIS: &[wgpu::Backend] = match cfg!(target_os = "macos") {
    true => &[wgpu::Backend::Metal],
    false => &[wgpu::Backend::Vulkan, wgpu::Backend::Dx12, wgpu::Backend::Gl],
};

/// The environment variable with which Burn's users choose the default adapter, such as
/// `IntegratedGpu(0)`.
pub(super) const DEFAULT_VARIABLE: &str = "CUBECL_WGPU_DEFAULT_DEVICE";

/// Returns the adapters that Burn can use on this machine. As in Burn, they are those of the first
/// interface with a GPU, or of the first one with any adapter.
///
/// Opens no adapter. Not for two threads at once: some Vulkan drivers do not survive that.
pub fn list_adapters() -> Vec<Adapter> {
    let mut software = Vec::new();
    for &api in APIS {
        let adapters = adapters_of(api);
        if adapters.iter().any(|adapter| adapter.kind != AdapterKind::Cpu) {
            return adapters;
        }
        if software.is_empty() {
            software = adapters;
        }
    }
    software
}

/// Lists the adapters of one interface.
fn adapters_of(api: wgpu::Backend) -> Vec<Adapter> {
    if !wgpu::Instance::enabled_backend_features().contains(api.into()) {
        return Vec::new();
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: api.into(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let found = wait(instance.enumerate_adapters(api.into()));
    let infos: Vec<_> = found.iter().map(wgpu::Adapter::get_info).collect();
    let fastest = wait(instance.request_adapter(&wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..wgpu::RequestAdapterOptions::default()
    }));
    let fastest = fastest.ok().map(|adapter| adapter.get_info());
    let kinds = infos.iter().map(|info| (info.name.clone(), AdapterKind::from(info.device_type)));
    let default = infos.iter().position(|info| Some(info) == fastest.as_ref());
    let chosen = std::env::var(DEFAULT_VARIABLE).ok();
    number(kinds.collect(), &format!("{api:?}"), default, chosen.as_deref())
}

/// Numbers the adapters with these names and kinds. `default` is the position of the default one,
/// unless `chosen` names it in Burn's words, such as `IntegratedGpu(0)`.
///
/// Burn can open only the first adapter that computes on the CPU, and one of an unknown kind only as
/// the default. All others of these kinds are left out.
fn number(
    found: Vec<(String, AdapterKind)>,
    api: &str,
    default: Option<usize>,
    chosen: Option<&str>,
) -> Vec<Adapter> {
    let mut adapters: Vec<Adapter> = Vec::new();
    for (position, (name, kind)) in found.iter().enumerate() {
        let index = found[..position].iter().filter(|(_, other)| other == kind).count();
        let is_default = match chosen {
            Some(chosen) => burn_name(*kind, index) == chosen,
            None => default == Some(position),
        };
        let device_kind = match kind {
            AdapterKind::Discrete => DeviceKind::DiscreteGpu(index),
            AdapterKind::Integrated => DeviceKind::IntegratedGpu(index),
            AdapterKind::Virtual => DeviceKind::VirtualGpu(index),
            AdapterKind::Cpu if index == 0 => DeviceKind::Cpu,
            AdapterKind::Other if is_default => DeviceKind::DefaultDevice,
            AdapterKind::Cpu | AdapterKind::Other => continue,
        };
        let (number, name, api) = (adapters.len(), name.clone(), api.to_owned());
        adapters.push(Adapter { number, name, kind: *kind, api, is_default, device_kind });
    }
    adapters
}

/// Name of an adapter in the environment variable. `index` is its number among those of its kind.
fn burn_name(kind: AdapterKind, index: usize) -> String {
    match kind {
        AdapterKind::Discrete => format!("DiscreteGpu({index})"),
        AdapterKind::Integrated => format!("IntegratedGpu({index})"),
        AdapterKind::Virtual => format!("VirtualGpu({index})"),
        AdapterKind::Cpu => "Cpu".to_owned(),
        AdapterKind::Other => format!("Other({index})"),
    }
}

/// Waits for the result of wgpu's functions, which are ready at once outside of browsers.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::yield_now(),
        }
    }
}

#[cfg(test)]
mod tests;
