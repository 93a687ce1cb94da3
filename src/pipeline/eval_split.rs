//! The images that a trained network is evaluated on: one split of the run's own data set, or of
//! another one.

use crate::data::{DataConfig, ImageDataset, InputSpec, LoadedData, RawData, Source, Split, Subset};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::pipeline::splits::check_unchanged;
use crate::pipeline::{SplitName, Splits};
use crate::run::DataInfo;

/// Images of one split, with what was noticed while they were read.
pub(super) struct LoadedSplit {
    pub(super) split: Split,
    /// True if the data set is the run's own.
    pub(super) is_own: bool,
    /// The digest of the data set.
    pub(super) sha256: String,
    pub(super) notes: Vec<String>,
}

/// Reads one split of a run's own data set. `info` is what the run recorded.
///
/// # Errors
/// A data set that has changed or cannot be read, or a split without images.
pub(super) fn load_own(experiment: &Experiment, info: &DataInfo, name: SplitName) -> Result<LoadedSplit> {
    let config = &experiment.data;
    let source = config.source();
    let hint_if_changed = format!(
        "to evaluate on it as it is, say so: `--data {source}`; if it was moved, say where it is: `--data PATH`"
    );
    let loaded =
        |split: Split, sha256: String| LoadedSplit { split, is_own: true, sha256, notes: Vec::new() };
    // The other parts are needed only for the digest.
    if name == SplitName::Test
        && config.test == 0.0
        && let Some(sha256) = source.known_sha256()
    {
        check_unchanged(&source, &sha256, &info.sha256).map_err(|error| error.hint(&hint_if_changed))?;
        let test = RawData { test: RawData::read_part(&source, Subset::Test, config)?, ..RawData::default() };
        if let Some(test) = test.into_known(info.properties())?.test {
            test.check_size(info.layout.height, info.layout.width)?;
            return Ok(loaded(Split::whole(test), sha256));
        }
    }
    let splits = Splits::load_again(experiment, info, &hint_if_changed)?;
    Ok(loaded(split_of_run(&splits, name)?, splits.sha256))
}

/// Returns the split `name` of a run's own data set.
fn split_of_run(splits: &Splits, name: SplitName) -> Result<Split> {
    if name == SplitName::Validation && splits.validation.is_empty() {
        return Err(Error::data("there are no validation images: the run held none out")
            .hint("hold some out when training: `smallnet train --set data.validation=10000`"));
    }
    splits.get(name).cloned()
}

/// Reads one split of the data set `source`, which may be the run's own in another place, for the
/// network of a run that recorded `info`.
///
/// # Errors
/// Images that cannot be read or that do not fit the network, or a split without images.
pub(super) fn load_other(
    experiment: &Experiment,
    info: &DataInfo,
    source: &Source,
    name: SplitName,
) -> Result<LoadedSplit> {
    let InputSpec { height, width, .. } = info.layout;
    let mut experiment = experiment.clone();
    let config = &mut experiment.data;
    config.source = source.to_string();
    // The network takes images of one size only. The files' sides may still be exchanged.
    config.image_size = Some(if info.transposed { [width, height] } else { [height, width] });
    let raw = read_for(source, config, name)?;
    let sha256 = source.sha256_of(&raw);
    if sha256 == info.sha256 {
        let splits = Splits::divide(raw.into_known(info.properties())?, sha256.clone(), &experiment)?;
        let split = split_of_run(&splits, name)?;
        return Ok(LoadedSplit { split, is_own: true, sha256, notes: splits.notes });
    }
    config.test = 0.0;
    if info.value_range.is_none() {
        // Runs of 0.1.0 and earlier took all images as they lie in the files.
        config.transpose = Some(false);
    }
    // The other parts were needed for the digest alone.
    let raw = match raw.test {
        Some(test) if name == SplitName::Test => RawData { test: Some(test), ..RawData::default() },
        test => RawData { test, ..raw },
    };
    let data = raw.into_other(&info.properties(), config)?;
    let notes = data.notes.clone();
    let split = match name {
        SplitName::Test => Split::whole(test_images(data, source)?),
        _ => Splits::divide(data, sha256.clone(), &experiment)?.get(name)?.clone(),
    };
    check_size(&split, source, info.layout)?;
    Ok(LoadedSplit { split, is_own: false, sha256, notes })
}

/// Reads the parts of `source`. For the test split, an error of another part is passed over: only
/// the digest would need that part.
fn read_for(source: &Source, config: &DataConfig, name: SplitName) -> Result<RawData> {
    let read = |subset| RawData::read_part(source, subset, config);
    match name {
        SplitName::Test => {
            if let Some(test) = read(Subset::Test)? {
                let other = |subset| read(subset).ok().flatten();
                let (train, validation) = (other(Subset::Train), other(Subset::Validation));
                return Ok(RawData { train, validation, test: Some(test) });
            }
            RawData::read(source, config)
        }
        SplitName::Train | SplitName::Validation => RawData::read(source, config),
    }
}

/// Returns the test images of another data set, or the only images that it has.
fn test_images(data: LoadedData, source: &Source) -> Result<ImageDataset> {
    let only = data.only_part().cloned();
    data.test.or(only).ok_or_else(|| {
        Error::data(format!("there are no test images in `{source}`"))
            .hint("measure on its training images: `--split train`")
    })
}

/// Checks that images of another data set have the size that the network takes.
fn check_size(split: &Split, source: &Source, expected: InputSpec) -> Result<()> {
    let (height, width) = split.image_size();
    if (height, width) == (expected.height, expected.width) {
        return Ok(());
    }
    Err(Error::data(format!(
        "the images in `{source}` have {height}x{width} pixels, expected {}x{} as the network takes them",
        expected.height, expected.width
    )))
}
