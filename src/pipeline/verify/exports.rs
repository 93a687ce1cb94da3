//! Owns the check of the networks in the folder `export` of a run: each is read as another program
//! would read it, and compared with the run's network. Depends on `exchange`. Must not know how
//! they were written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::exchange;
use crate::exchange::{DenseNetwork, ModelMetadata, csv};
use crate::training::Position;
use crate::util::files;

use super::Check;
use super::claims::Claims;
use super::subject::{Subject, digest};

/// Largest difference between two weights that are equal up to rounding, relative to the largest
/// weight of the layer. A scaling that was folded into the first layer rounds once.
const TOLERANCE: f32 = 1e-6;

/// Endings of files with a network. A folder of tables is read as a whole.
const ENDINGS: [&str; 3] = ["onnx", "safetensors", "keras"];

/// A file or folder with an exported network.
enum Export {
    File(PathBuf),
    /// Folder of CSV tables.
    Tables(PathBuf),
}

impl Export {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Tables(path) => path,
        }
    }

    /// Reads the network as other programs would.
    fn read(&self) -> Result<DenseNetwork> {
        match self {
            Self::File(path) => Ok(exchange::read(&files::read_bytes(path)?, None)?.1),
            Self::Tables(folder) => {
                let table = |path: PathBuf| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    Ok((name, files::read_bytes(&path)?))
                };
                csv::read(&files_in(folder, 1).into_iter().map(table).collect::<Result<Vec<_>>>()?)
            }
        }
    }
}

/// Returns the exported networks in `folder`.
fn exports_in(folder: &Path) -> Vec<Export> {
    let ending = |path: &Path| path.extension().and_then(|ending| ending.to_str().map(str::to_owned));
    let export = |path: PathBuf| {
        let is_list = path.file_name().is_some_and(|name| name == csv::METADATA);
        match (ending(&path), path.parent()) {
            (_, Some(tables)) if is_list => Some(Export::Tables(tables.to_owned())),
            (Some(ending), _) if ENDINGS.contains(&ending.as_str()) => Some(Export::File(path)),
            _ => None,
        }
    };
    files_in(folder, 2).into_iter().filter_map(export).collect()
}

/// Compares each export in the folder `export` with the network that it is of.
pub(super) fn check_exports(subject: &Subject) -> Vec<Check> {
    let folder = subject.folder.exports_path();
    let check = |export: Export| {
        let path = export.path();
        let name = path.strip_prefix(subject.folder.path()).unwrap_or(path).display().to_string();
        let own = match path.strip_prefix(&folder).map(|path| exported_network(subject, path)) {
            Ok(Ok(own)) => own,
            Ok(Err(reason)) => return Check::not_checked(name, reason),
            Err(_) => return Check::not_checked(name, "it is not in the folder of the exports"),
        };
        match export.read() {
            Ok(network) => compare(subject, &name, &own, &network),
            Err(error) => Check::failed(name, "the run's network", error.message()),
        }
    };
    exports_in(&folder).into_iter().map(check).collect()
}

/// Returns the network that the export at `path` in the folder `export` is of: that of the
/// checkpoint whose name it begins with, or the run's. The error is the reason why it cannot be read.
fn exported_network(subject: &Subject, path: &Path) -> std::result::Result<DenseNetwork, String> {
    let unreadable = || "the run's network cannot be read".to_owned();
    let model = subject.model.as_ref().ok_or_else(unreadable)?;
    let name = path.iter().next().unwrap_or_default().to_string_lossy();
    let checkpoint = name.rsplit_once('-').and_then(|(checkpoint, _)| Position::parse(checkpoint));
    let model = match checkpoint {
        None => model.clone(),
        Some(position) => {
            let weights = subject.folder.checkpoints().weights_path(position);
            let loaded = subject.folder.load_weights(model.clone(), &weights);
            loaded
                .map_err(|error| format!("the checkpoint {position} cannot be read: {}", error.message()))?
        }
    };
    let metadata = ModelMetadata { weights_sha256: Some(digest(&model)), ..ModelMetadata::default() };
    DenseNetwork::of_model(&model, metadata).map_err(|error| error.message().to_owned())
}

/// Returns the regular files in `folder` and in its folders, down to `depth` levels, by name. Links
/// are left out: they could lead out of the run.
fn files_in(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let is_folder = folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten().filter(|_| is_folder) {
        match entry.file_type() {
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            Ok(kind) if kind.is_dir() && depth > 1 => found.extend(files_in(&entry.path(), depth - 1)),
            _ => {}
        }
    }
    found.sort();
    found
}

/// Compares the network of an export and what it says about itself with the run.
fn compare(subject: &Subject, name: &str, own: &DenseNetwork, export: &DenseNetwork) -> Check {
    let mut claims = network_claims(own, export);
    let metadata = &export.metadata;
    claims.add_stated(
        "weights_sha256",
        metadata.weights_sha256.as_ref(),
        own.metadata.weights_sha256.as_ref(),
    );
    claims.add_stated("data_sha256", metadata.data_sha256.as_ref(), Some(&subject.info.data.sha256));
    let accuracy = subject.test.as_ref().map(|test| test.evaluation.accuracy);
    claims.add_stated("test_accuracy", metadata.test_accuracy, accuracy);
    if !metadata.class_names.is_empty() {
        let classes = subject.info.data.classes();
        claims.add("class_names", metadata.class_names.join(", "), classes.names().join(", "));
    }
    claims.into_check(name, "the network of the run")
}

/// Compares the layers of an exported network with the run's own.
fn network_claims(own: &DenseNetwork, export: &DenseNetwork) -> Claims {
    let mut claims = Claims::default();
    let shape = |network: &DenseNetwork| {
        let outputs = network.layers.iter().map(|layer| layer.outputs.to_string());
        [network.num_inputs().to_string()].into_iter().chain(outputs).collect::<Vec<_>>().join("-")
    };
    claims.add("layers", shape(export), shape(own));
    if let Some(activation) = export.activation.filter(|_| own.activation.is_some()) {
        claims.add("activation", activation.name(), own.activation.map_or("none", |own| own.name()));
    }
    for (index, (own, export)) in own.layers.iter().zip(&export.layers).enumerate() {
        for (kind, own, export) in
            [("weights", &own.weights, &export.weights), ("biases", &own.biases, &export.biases)]
        {
            let largest = own.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            let is_near = |(own, export): (&f32, &f32)| (own - export).abs() <= TOLERANCE * largest;
            let is_same = own.len() == export.len() && own.iter().zip(export).all(is_near);
            if !is_same {
                claims.add(&format!("{kind} of layer {}", index + 1), "others", "those of the run");
            }
        }
    }
    claims
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::exchange::DenseLayer;
    use crate::model::Activation;

    fn network(weights: [f32; 2], biases: [f32; 1]) -> DenseNetwork {
        let layer = DenseLayer {
            name: "layer".to_owned(),
            inputs: 2,
            outputs: 1,
            weights: weights.to_vec(),
            biases: biases.to_vec(),
        };
        DenseNetwork { layers: vec![layer], activation: None, metadata: ModelMetadata::default() }
    }

    #[test]
    fn a_network_with_another_number_is_another_network() {
        let own = network([1.0, -2.0], [0.5]);
        let check = |export: &DenseNetwork| network_claims(&own, export).into_check("model.onnx", "");
        assert!(!check(&own).is_failed());
        assert!(!check(&network([1.0, -2.000_001], [0.5])).is_failed(), "rounded");
        let others =
            [network([1.0, -2.0001], [0.5]), network([1.0, f32::NAN], [0.5]), network([1.0, -2.0], [0.6])];
        assert!(others.iter().all(|export| check(export).is_failed()));
        let mut deeper = own.clone();
        deeper.layers.push(network([0.0, 0.0], [0.0]).layers.remove(0));
        assert_eq!(check(&deeper), Check::failed("model.onnx", "layers 2-1-1", "layers 2-1"));
        let active = |activation| DenseNetwork { activation: Some(activation), ..own.clone() };
        let claims = network_claims(&active(Activation::Relu), &active(Activation::Tanh));
        assert!(claims.into_check("model.onnx", "").is_failed());
    }

    #[test]
    fn files_are_found_in_folders_but_not_behind_links() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("export");
        assert!(files_in(&folder, 2).is_empty());
        std::fs::create_dir_all(folder.join("hf/deep")).unwrap();
        for name in ["b.onnx", "a.onnx", "hf/c.onnx", "hf/deep/d.onnx"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", folder.join("etc")).unwrap();
        let names = files_in(&folder, 2);
        let names: Vec<_> =
            names.iter().map(|path| path.strip_prefix(&folder).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.onnx", "b.onnx", "hf/c.onnx"]);
    }
}
