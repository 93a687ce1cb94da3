#![no_main]

#[global_allocator]
static BOUND: cap::Cap<std::alloc::System> =
    cap::Cap::new(std::alloc::System, smallnet_fuzz::MEMORY_FOR_NETWORKS);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smallnet_fuzz::keras(bytes));
