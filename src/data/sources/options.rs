//! Owns what a user can say about reading a data set, beyond its place.

/// Settings of the reading of a data set, from the `[data]` section of an experiment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Height and width of the images in pixels, where the files do not say them. The pictures of
    /// an image folder are resized to it.
    pub image_size: Option<[usize; 2]>,
    /// The column of a CSV file with the labels: its name, or its number from 0. By default it is
    /// found.
    pub label_column: Option<String>,
    /// True if a picture that cannot be read is left out. By default it is an error.
    pub skip_broken: bool,
}
