#![no_main]

#[global_allocator]
static BOUND: cap::Cap<std::alloc::System> =
    cap::Cap::new(std::alloc::System, smallnet_fuzz::MEMORY_FOR_DATA_SETS);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smallnet_fuzz::idx(bytes));
