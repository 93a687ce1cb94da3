//! Data sets and studies of at most 64 kilobytes that reach the limits of size.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Maximum ratio between the sizes of an unpacked and a compressed file.
const MOST_UNPACKED: usize = 100;

/// Compresses bytes into a gzip file of the minimum size that is accepted.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let pack = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let (mut file, nothing) = (pack(bytes), pack(&[]));
    while file.len() * MOST_UNPACKED < bytes.len() {
        file.extend(&nothing);
    }
    file
}

/// Writes a data set of `train` and `test` images of one pixel in four classes. Returns the size of
/// its files in bytes.
pub fn write_pixels(folder: &Path, train: usize, test: usize) -> usize {
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let mut size = 0;
    for (name, count) in [("train", train), ("t10k", test)] {
        let images = [&[0, 0, 8, 3][..], &number(count), &number(1), &number(1), &vec![0; count]].concat();
        let labels: Vec<u8> = (0..count).map(|index| (4 * index / count) as u8).collect();
        let labels = [&[0, 0, 8, 1][..], &number(count), &labels].concat();
        for (kind, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
            let file = packed(&bytes);
            size += file.len();
            fs::write(folder.join(format!("{name}-{kind}-ubyte.gz")), file).unwrap();
        }
    }
    size
}

/// Returns a study of a hundred thousand configurations of the deepest networks, each with the
/// maximum number of varied keys.
pub fn study() -> String {
    let layers = |first: usize| format!("[{first}{}]", ", 1".repeat(99));
    let hidden: Vec<_> = (1..=100).map(layers).collect();
    let keys = [
        ("model.hidden", format!("[{}]", hidden.join(", "))),
        ("optimizer.learning_rate", "{ from = 0.001, to = 1.0, num = 1000 }".to_owned()),
        ("model.activation", "[\"relu\"]".to_owned()),
        ("model.dropout", "[0.0]".to_owned()),
        ("model.input_dropout", "[0.0]".to_owned()),
        ("model.initializer", "[\"glorot-uniform\"]".to_owned()),
        ("optimizer.kind", "[\"sgd\"]".to_owned()),
        ("optimizer.momentum", "[0.5]".to_owned()),
        ("optimizer.nesterov", "[false]".to_owned()),
        ("optimizer.weight_decay", "[0.0]".to_owned()),
        ("schedule.kind", "[\"step\"]".to_owned()),
        ("schedule.warmup_epochs", "[0.0]".to_owned()),
        ("schedule.every_epochs", "[1.0]".to_owned()),
        ("schedule.factor", "[0.5]".to_owned()),
        ("training.batch_size", "[128]".to_owned()),
        ("training.num_epochs", "[10]".to_owned()),
        ("training.label_smoothing", "[0.0]".to_owned()),
        ("training.clip_norm", "[1.0]".to_owned()),
        ("training.early_stopping.patience", "[3]".to_owned()),
        ("training.early_stopping.min_delta", "[0.0]".to_owned()),
    ];
    let lines: String = keys.iter().map(|(key, values)| format!("{key} = {values}\n")).collect();
    format!("[set]\ndata.validation = 1\n[vary]\n{lines}")
}
