#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| odesync_fuzz::parquet(bytes));
