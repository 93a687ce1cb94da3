//! Owns networks as tables of numbers for spreadsheets, numpy and R. Must not know paths.
//!
//! | file | content |
//! |---|---|
//! | `layers.0.weight.csv` | a row per input, a column per output, and one line of names first |
//! | `layers.0.bias.csv` | one row, a column per output, and one line of names first |
//! | `metadata.csv` | what is known about the network beside the numbers: `key`, `value` |

use std::collections::BTreeMap;

use csv::{ReaderBuilder, Writer};

use crate::error::{Error, Result};
use crate::exchange::{DenseLayer, DenseNetwork, ModelMetadata};

/// Name of the table with the metadata.
pub(crate) const METADATA: &str = "metadata.csv";

/// Writes `network` as tables. Returns their file names and contents.
///
/// Each number has as many digits as it needs to be read as the same number again, at most 9.
///
/// # Errors
/// As [`DenseNetwork::check`]'s, or metadata that cannot be written.
pub fn write(network: &DenseNetwork) -> Result<Vec<(String, Vec<u8>)>> {
    network.check()?;
    let last = network.layers.len().saturating_sub(1);
    let mut files = Vec::new();
    for (index, layer) in network.layers.iter().enumerate() {
        let names = &network.metadata.class_names;
        let names = Some(names).filter(|names| index == last && names.len() == layer.outputs);
        let header: Vec<_> = match names {
            Some(names) => names.iter().map(|name| format!("class_{name}")).collect(),
            None => (0..layer.outputs).map(|output| format!("neuron_{output}")).collect(),
        };
        let rows = layer.weights.chunks(layer.outputs);
        files.push((format!("layers.{index}.weight.csv"), table(&header, rows.map(texts))?));
        files.push((format!("layers.{index}.bias.csv"), table(&header, [texts(&layer.biases)])?));
    }
    let rows =
        network.metadata_with_activation().to_texts()?.into_iter().map(|(key, value)| vec![key, value]);
    files.push((METADATA.to_owned(), table(&["key".to_owned(), "value".to_owned()], rows)?));
    Ok(files)
}

/// Returns the texts of numbers. `Debug` has an exponent where a number is very small.
fn texts(numbers: &[f32]) -> Vec<String> {
    numbers.iter().map(|number| format!("{number:?}")).collect()
}

fn table(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| Error::new(format!("cannot write a CSV table: {error}"));
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(|error| failed(&error))?;
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

/// Reads a network from the tables that [`write()`] makes, given as their file names and contents.
///
/// # Errors
/// A table that is missing, or that has something else than numbers.
pub fn read(files: &[(String, Vec<u8>)]) -> Result<DenseNetwork> {
    let find = |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, bytes)| bytes);
    let mut layers = Vec::new();
    while let Some(weights) = find(&format!("layers.{}.weight.csv", layers.len())) {
        let name = format!("layers.{}", layers.len());
        let biases = find(&format!("{name}.bias.csv"))
            .ok_or_else(|| Error::corrupt(format!("the table `{name}.bias.csv` is missing")))?;
        let weights = numbers(weights, &format!("{name}.weight.csv"))?;
        let biases = numbers(biases, &format!("{name}.bias.csv"))?.concat();
        let (inputs, outputs) = (weights.len(), biases.len());
        layers.push(DenseLayer { name, inputs, outputs, weights: weights.concat(), biases });
    }
    let metadata = find(METADATA).map_or_else(|| Ok(Vec::new()), |bytes| rows(bytes, METADATA))?;
    let pairs = metadata.into_iter().filter_map(|row| <[String; 2]>::try_from(row).ok());
    let texts: BTreeMap<_, _> = pairs.map(|[key, value]| (key, value)).collect();
    let metadata = ModelMetadata::from_texts(&texts);
    let network = DenseNetwork { layers, activation: metadata.activation, metadata };
    network.check()?;
    Ok(network)
}

/// Returns the rows of the table `name` below its header.
fn rows(bytes: &[u8], name: &str) -> Result<Vec<Vec<String>>> {
    let failed = |error: csv::Error| Error::corrupt(format!("the table `{name}` is damaged: {error}"));
    let rows = ReaderBuilder::new().from_reader(bytes).into_records();
    rows.map(|row| Ok(row.map_err(failed)?.iter().map(str::to_owned).collect())).collect()
}

/// Returns the numbers of the table `name`, row by row.
fn numbers(bytes: &[u8], name: &str) -> Result<Vec<Vec<f32>>> {
    let number = |text: String| {
        text.trim()
            .parse()
            .map_err(|_| Error::corrupt(format!("the table `{name}` has `{text}`, expected a number")))
    };
    rows(bytes, name)?.into_iter().map(|row| row.into_iter().map(number).collect()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::Activation;

    fn network() -> DenseNetwork {
        let layer = |index: usize, inputs, outputs, weights: &[f32], biases: &[f32]| {
            let name = format!("layers.{index}");
            DenseLayer { name, inputs, outputs, weights: weights.to_vec(), biases: biases.to_vec() }
        };
        let metadata = ModelMetadata {
            class_names: vec!["0, \"zero\"".to_owned(), "1".to_owned()],
            activation: Some(Activation::Tanh),
            test_accuracy: Some(0.9),
            ..ModelMetadata::default()
        };
        let first = layer(0, 2, 1, &[0.1, -16_777_216.0], &[f32::MIN_POSITIVE]);
        let second = layer(1, 1, 2, &[1.0 / 3.0, 1e-42], &[-0.0, 123_456.79]);
        DenseNetwork { layers: vec![first, second], activation: Some(Activation::Tanh), metadata }
    }

    #[test]
    fn every_number_comes_back() {
        let files = write(&network()).unwrap();
        let text = |index: usize| String::from_utf8(files[index].1.clone()).unwrap();
        assert_eq!(
            (files[0].0.as_str(), text(0).as_str()),
            ("layers.0.weight.csv", "neuron_0\n0.1\n-16777216.0\n")
        );
        assert_eq!(text(1), "neuron_0\n1.1754944e-38\n");
        assert_eq!(text(2), "\"class_0, \"\"zero\"\"\",class_1\n0.33333334,1e-42\n");
        assert_eq!(text(3), "\"class_0, \"\"zero\"\"\",class_1\n-0.0,123456.79\n");
        assert_eq!(files[4].0, "metadata.csv");
        let read = read(&files).unwrap();
        assert_eq!(read, network());
        assert!(read.layers[1].biases[0].is_sign_negative());
    }

    #[test]
    fn damaged_tables_are_refused() {
        let mut files = write(&network()).unwrap();
        files[1].1 = b"neuron_0\nzero\n".to_vec();
        assert_eq!(
            read(&files).unwrap_err().message(),
            "the table `layers.0.bias.csv` has `zero`, expected a number"
        );
        files.remove(1);
        assert_eq!(read(&files).unwrap_err().message(), "the table `layers.0.bias.csv` is missing");
        assert_eq!(read(&[]).unwrap_err().message(), "the file has no fully connected layer");
    }
}
