//! `smallnet devices`

use std::process::ExitCode;

use serde::Serialize;

use crate::backend;
use crate::backend::{Adapter, AdapterKind, Backend};
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::error::Result;
use crate::util::format::counted;

/// All backends, in the order in which they are listed.
const BACKENDS: [Backend; 4] = [Backend::Flex, Backend::Ndarray, Backend::Wgpu, Backend::Cuda];

/// Record of one backend in `--json`.
#[derive(Serialize)]
struct Record {
    backend: Backend,
    #[serde(rename = "default")]
    is_default: bool,
    /// False if the backend is not in this build.
    #[serde(rename = "in_build")]
    is_built: bool,
    /// The adapters that `--device` can choose. Empty for backends other than wgpu.
    adapters: Vec<Adapter>,
}

/// Runs the command.
pub(super) fn run(output: &Output) -> Result<ExitCode> {
    let num_threads = backend::start_threads(None)?;
    let adapters = backend::list_adapters();
    output.line(&backends(&adapters, num_threads).lines());
    if !adapters.is_empty() {
        output.line("");
        output.line("adapters of wgpu; `--backend wgpu --device N` chooses one:");
        output.line("");
        output.line(&table(&adapters).lines());
    }
    let record = |backend: Backend| Record {
        backend,
        is_default: backend == Backend::default(),
        is_built: backend.is_built(),
        adapters: if backend == Backend::Wgpu { adapters.clone() } else { Vec::new() },
    };
    output.record(&BACKENDS.map(record))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the table of the backends.
fn backends(adapters: &[Adapter], num_threads: usize) -> Table {
    let mut table = Table::new(["backend", "computes on"], 2);
    let threads = counted(num_threads, "thread", "threads");
    for backend in BACKENDS {
        let place = match backend {
            Backend::Flex => format!("the CPU, {threads}"),
            Backend::Ndarray => format!("the CPU, {threads}; slower, an independent check"),
            Backend::Wgpu => wgpu_place(adapters),
            Backend::Cuda if backend.is_built() => {
                "NVIDIA GPUs; `nvidia-smi` lists them, `--device N` chooses one".to_owned()
            }
            Backend::Cuda => "not in this build (`--features cuda`)".to_owned(),
        };
        let name =
            if backend == Backend::default() { format!("{backend} (default)") } else { backend.to_string() };
        table.add_row([name, place]);
    }
    table
}

/// Says where wgpu computes if no adapter is chosen.
fn wgpu_place(adapters: &[Adapter]) -> String {
    let default = adapters.iter().find(|adapter| adapter.is_default).or(adapters.first());
    match default {
        None => "nothing: there is no GPU and no graphics driver".to_owned(),
        Some(Adapter { name, kind: AdapterKind::Cpu, .. }) => {
            format!("the CPU, through the driver {name}; flex is faster")
        }
        Some(Adapter { name, .. }) => name.clone(),
    }
}

/// Returns the table of wgpu's adapters.
fn table(adapters: &[Adapter]) -> Table {
    let mut table = Table::new(["device", "name", "kind", "API", "default"], 5);
    for adapter in adapters {
        let default = if adapter.is_default { "yes" } else { "" };
        table.add_row([
            adapter.number.to_string(),
            adapter.name.clone(),
            adapter.kind.to_string(),
            adapter.api.clone(),
            default.to_owned(),
        ]);
    }
    table
}
