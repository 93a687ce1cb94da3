//! Owns pictures and charts: plain records and slices in, PNG pixels and SVG charts out. Depends on
//! `error` and `util::format`.
//!
//! Must not know tensors, file paths, networks or training. Every function is pure, returns an
//! [`Error`](crate::error::Error) for what it cannot draw, and never panics.
//!
//! | to change … | go to |
//! |---|---|
//! | colours, also those that a page's style may override | `colour` |
//! | fonts, measuring and shortening text | `text` |
//! | drawing onto a picture, its limits and PNG bytes | `picture` |
//! | title and subtitle | `heading` |
//! | one kind of picture | the file or folder of its name |

mod annotated;
mod chart;
mod colour;
mod confusion;
mod grid;
mod heading;
mod picture;
mod prediction;
mod sheet;
mod text;
mod tile;

pub(crate) use annotated::{Annotated, Mark};
pub(crate) use chart::{Chart, Line, Scale, Series};
pub(crate) use colour::{Colour, dark_style};
pub(crate) use confusion::{ConfusionMatrix, confusion_strengths};
pub(crate) use grid::{CaptionLine, Tile, Tone};
pub(crate) use prediction::Prediction;
pub(crate) use sheet::{Sheet, WeightSheet};
pub(crate) use tile::{gray_png, symmetric_limit, weight_png};
