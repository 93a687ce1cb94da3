use super::*;

#[test]
fn settings_may_follow_one_another() {
    for (typed, read) in [
        ("train --set a=1 b.c=2 softmax", "train --set a=1 --set b.c=2 softmax"),
        ("train softmax --set a=1 b=2 c=3 --seed 1", "train softmax --set a=1 --set b=2 --set c=3 --seed 1"),
        ("train --set=a=1 b=2 c=3", "train --set=a=1 --set b=2 --set c=3"),
        ("train --set a=1 --set b=2 c=x=y", "train --set a=1 --set b=2 --set c=x=y"),
        // These are no settings: a path, the value of another option, what follows `--`.
        ("train --set a=1 ./b=2", "train --set a=1 ./b=2"),
        ("train --set a=1 runs/b=2.toml", "train --set a=1 runs/b=2.toml"),
        ("train --set a=1 --data b=2", "train --set a=1 --data b=2"),
        ("train --set a=1 softmax b=2", "train --set a=1 softmax b=2"),
        ("train --set a=1 -- b=2", "train --set a=1 -- b=2"),
        ("train -- --set a=1 b=2", "train -- --set a=1 b=2"),
        // clap reports the missing value and the missing `=`.
        ("train --set", "train --set"),
        ("train --set a", "train --set a"),
    ] {
        let words = typed.split(' ').map(OsString::from);
        let expected: Vec<_> = read.split(' ').map(OsString::from).collect();
        assert_eq!(repeat(words), expected, "{typed}");
    }
}
