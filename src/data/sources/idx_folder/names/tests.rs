use super::*;

#[test]
fn names_are_taken_apart() {
    use Role::{Images, Labels};
    use Subset::{Test, Train};
    for (file, expected) in [
        ("train-images-idx3-ubyte", ("", Train, Images, false)),
        ("train-labels.idx1-ubyte.gz", ("", Train, Labels, false)),
        ("t10k-images.idx3-ubyte", ("", Test, Images, false)),
        ("test-labels-idx1-ubyte", ("", Test, Labels, false)),
        ("emnist-letters-test-images-idx3-ubyte.gz", ("emnist-letters-", Test, Images, false)),
        ("qmnist-train-labels-idx2-int.gz", ("qmnist-", Train, Labels, false)),
        ("a-idx-train-images-idx3-float", ("a-idx-", Train, Images, false)),
        ("train-images-idx3-ubyte.xz", ("", Train, Images, true)),
        ("b-t10k-labels-idx1-ubyte.tar.gz", ("b-", Test, Labels, true)),
        ("train-images-idx3-ubyte.gz.zip", ("", Train, Images, true)),
    ] {
        let (name, is_packed) = parse(file).unwrap();
        assert_eq!((name.prefix, name.subset, name.role, is_packed), expected, "{file}");
    }
    for file in [
        "xtrain-images-idx3-ubyte",
        "xnist-images-idx3-ubyte.xz",
        "qmnist-train-labels.tsv.gz",
        "hsf-4-images-idx3-ubyte",
        "train-images-idx3-ubyte.part",
        "train-images-idx33-ubyte",
        "train-images-idx3-",
        "train_images-idx3-ubyte",
        "train-imagesidx3-ubyte",
        "idx",
    ] {
        assert_eq!(parse(file), None, "{file}");
    }
}
