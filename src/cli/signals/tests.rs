use super::*;

#[test]
fn ignored_signals_are_parsed_as_linux_writes_them() {
    let status =
        "Name:\tsmallnet\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n";
    assert_eq!(ignored_signals(status), 0b1_0000_0000_0001);
    assert_eq!(ignored_signals("Name:\tsmallnet\n"), 0);
}
