//! The fuzz target over its seeds, former crashers among them, without a fuzzer.

use std::path::Path;

#[allow(unreachable_pub, clippy::expect_used, reason = "a part of a program of its own, for the fuzzer")]
#[path = "../../fuzz/src/filter.rs"]
mod target;

#[test]
fn the_target_holds_over_its_seeds_and_what_is_near() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/filter");
    let mut seeds: Vec<_> =
        folder.read_dir().unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    seeds.sort();
    assert!(!seeds.is_empty());
    for seed in &seeds {
        target::filter(seed);
        for at in 0..seed.len() {
            // A byte changed, a cut, and the end of another seed.
            let mut near = seed.clone();
            near[at] ^= 1 << (at % 7);
            target::filter(&near);
            target::filter(&seed[..at]);
            let other = &seeds[at % seeds.len()];
            target::filter(&[&seed[..at], &other[other.len() / 2..]].concat());
        }
    }
}
