//! The fuzz targets over their seeds, former crashers among them, without a fuzzer.

use std::path::Path;

#[allow(unreachable_pub, clippy::expect_used, reason = "a library of its own, for the fuzzer")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

type Target = fn(&[u8]);

#[test]
fn every_target_holds_over_its_seeds_and_what_is_near() {
    let all: [(&str, Target); 9] = [
        ("zip", targets::zip),
        ("manifest", targets::manifest),
        ("csv", targets::csv),
        ("xml", targets::xml),
        ("excel", targets::excel),
        ("roundtrip", targets::roundtrip),
        ("multipart", targets::multipart),
        ("fault", targets::fault),
        ("metadata", targets::metadata),
    ];
    for (name, target) in all {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let mut seeds: Vec<_> =
            folder.read_dir().unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        seeds.sort();
        assert!(!seeds.is_empty(), "{name} has seeds");
        for seed in seeds {
            target(&seed);
            // A byte changed here and there, and a cut: by steps, so that every run does the same.
            for at in (0..seed.len()).step_by(seed.len().div_ceil(40)) {
                let mut near = seed.clone();
                near[at] ^= 1 << (at % 8);
                target(&near);
                target(&seed[..at]);
            }
        }
    }
}
