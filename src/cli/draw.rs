//! `smallnet draw`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::backend::Backend;
use crate::cli::Global;
use crate::cli::output::Output;
use crate::data::{Source, size_text};
use crate::draw::{Comparison, DrawOptions, DrawPage, WeightBits};
use crate::error::Result;
use crate::pipeline::LoadedModel;
use crate::util::format::{counted, significant};

/// Arguments of `smallnet draw`.
#[derive(Debug, Args)]
pub(super) struct DrawArgs {
    /// A run's folder, its id, `latest`, or a checkpoint file in a run's folder
    #[arg(value_name = "RUN or CHECKPOINT")]
    model: String,
    /// The file to write, which must not exist [default: `draw.html` in the run's folder, or
    /// `epoch-3-draw.html` for the checkpoint `epoch-3`; an earlier page is replaced]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The data set of the test images in the page, if not the run's own or if it was moved: a name, a
    /// folder or a file
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    page: &'a Path,
    size_bytes: u64,
    /// Bits per weight of the hidden layers in the page.
    bits_per_weight: u32,
    /// Changes that 16 bits per weight make, or would make.
    rounding: Option<&'a Comparison>,
    /// Number of test images in the page.
    num_images: usize,
}

/// Runs the command.
pub(super) fn run(args: DrawArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    // The command reads weights and compares predictions, so any backend serves, and a CPU is always
    // there.
    let backend = global.backend.unwrap_or(Backend::Flex);
    let saved = LoadedModel::load(&args.model, &global.artifacts, Some(backend))?;
    let source = args.data.as_deref().map(Source::parse);
    let page = saved.draw(&DrawOptions { output: args.output, source })?;
    page.notes.iter().for_each(|note| output.note(note));
    if let Some(reason) = &page.without_images {
        output.note(&format!("the page has no test images: {}", reason.message()));
    }
    output.line(&bits_line(&page));
    output.line(&format!("page: {}, {}", page.path.display(), size_text(page.size_bytes)));
    output.record(&Record {
        run: saved.folder.path(),
        page: &page.path,
        size_bytes: page.size_bytes,
        bits_per_weight: page.bits.number(),
        rounding: page.comparison.as_ref(),
        num_images: page.num_images,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Says the bits per weight, and why.
fn bits_line(page: &DrawPage) -> String {
    let Some(comparison) = &page.comparison else { return "32 bits per weight".to_owned() };
    let Comparison { split, num_images, num_changed, max_difference } = comparison;
    let images = counted(*num_images, &format!("{split} image"), &format!("{split} images"));
    let difference = significant(*max_difference);
    match (page.bits, num_changed) {
        (WeightBits::Sixteen, _) => format!(
            "16 bits per weight of the hidden layers: all answers to {images} stay, and no probability changes by more \
             than {difference}"
        ),
        (WeightBits::ThirtyTwo, 0) => format!(
            "32 bits per weight: with 16, all answers to {images} stay, but a probability changes by {difference}"
        ),
        (WeightBits::ThirtyTwo, changed) => format!(
            "32 bits per weight: with 16, {} to {images} would change",
            counted(*changed, "answer", "answers")
        ),
    }
}
