//! Owns the page on which one draws for a trained network, or loads a picture, and sees its answer at
//! once: one HTML file with the network in it. The page's own files are in `page/`. Depends on
//! `pipeline` (a loaded network), `exchange` (its numbers) and `report` (styles). Must not know the
//! command line, and prints nothing.
//!
//! The page prepares a picture as `data::preparation` does, and computes as `engine` does: whoever
//! changes one of them changes `page/` too. `tests/draw.rs` and `tests/draw_drawings.rs`
//! compare both.

mod html;
mod images;
mod network;

use std::path::PathBuf;

use crate::data::Source;
use crate::error::{Error, Result};
use crate::exchange::{DenseNetwork, ModelMetadata};
use crate::pipeline::{LoadedModel, SplitName, check_free};
use crate::util::files;

pub use network::{Comparison, WeightBits};

/// Options of a page.
#[derive(Debug, Clone, Default)]
pub struct DrawOptions {
    /// Path of the file. It must not exist. `None` is `draw.html` in the run's folder, where an earlier
    /// page is replaced.
    pub output: Option<PathBuf>,
    /// Data set whose test images are shown, if it is not the run's own, or was moved.
    pub source: Option<Source>,
}

/// A page that was written.
#[derive(Debug)]
pub struct DrawPage {
    /// Path of the file.
    pub path: PathBuf,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// Bits per weight of the hidden layers in the page.
    pub bits: WeightBits,
    /// Changes that 16 bits per weight make, or would make. `None` for a network without hidden layers, and without
    /// images to compare on.
    pub comparison: Option<Comparison>,
    /// Number of images in the page to click through.
    pub num_images: usize,
    /// Reason why there are no test images in the page.
    pub without_images: Option<Error>,
    /// Sentences about the reading of the images, for the user.
    pub notes: Vec<String>,
}

impl LoadedModel {
    /// Writes the page on which one draws for this network.
    ///
    /// The page has some of the test images. If they cannot be read, it is written without them.
    ///
    /// # Errors
    /// A path that exists, a device that fails, or a file that cannot be written.
    pub fn draw(&self, options: &DrawOptions) -> Result<DrawPage> {
        if let Some(path) = &options.output {
            check_free(path, "draw.html", "a page")?;
        }
        let test = self.eval_set(SplitName::Test, options.source.clone());
        let network = DenseNetwork::of_model(&self.model, ModelMetadata::default())?;
        let weights = network::Weights::new(self, &network, test.as_ref().ok())?;
        let images = test.as_ref().ok().map(|test| images::choose(test, weights.predictions()));
        let page = html::page(self, &weights, images.as_ref())?;
        let path = match &options.output {
            Some(path) => {
                files::write(path, page.as_bytes())?;
                path.clone()
            }
            None => self.folder.write_draw(&self.figure_name("draw"), &page)?,
        };
        Ok(DrawPage {
            path,
            size_bytes: page.len() as u64,
            bits: weights.bits(),
            comparison: weights.comparison().cloned(),
            num_images: images.map_or(0, |images| images.len()),
            notes: test.as_ref().map_or_else(|_| Vec::new(), |test| test.notes.clone()),
            without_images: test.err(),
        })
    }
}
