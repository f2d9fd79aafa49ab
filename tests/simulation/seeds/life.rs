//! What a seed decides before anything happens.

use std::time::Duration;

use super::random::Random;
use super::tally::PLACES;
use crate::world::{Repeated, World};

/// Places that few lives come to by themselves.
const RARE: [&str; 6] = [
    "import: wait for lease",
    "import: ask fresh url",
    "import: search",
    "export: wait for lease",
    "export: search",
    "export: wait for url",
];

/// A death.
#[derive(Debug, Clone, Copy)]
pub(super) struct Death {
    /// Where; none: anywhere, after so many steps.
    pub(super) place: Option<&'static str>,
    /// At the visit or step with this number, counted from 1.
    pub(super) visit: u64,
}

#[derive(Debug)]
pub(super) struct Life {
    /// Whether the first job is an import.
    pub(super) imports: bool,
    /// Whether a job of another project wants to call as well.
    pub(super) company: bool,
    /// Faults that are left.
    pub(super) faults: u64,
    /// How often one happens, in 1,000.
    pub(super) permille: u64,
    pub(super) deaths: Vec<Death>,
    /// A second worker begins at the same checkpoint after this step.
    pub(super) second: Option<u64>,
    /// The clock jumps after this step, by so many milliseconds.
    pub(super) jump: Option<(u64, i64)>,
    /// From this request on every token is refused, until a job has failed by it.
    pub(super) revoked: Option<u64>,
    /// The answer to the first submission is lost.
    pub(super) lost: bool,
    /// How long a dead process stays dead, at most.
    pub(super) sleep: u64,
    /// Bytes of a block; 0: the default.
    pub(super) block: u64,
}

impl Life {
    pub(super) fn of(random: &mut Random, world: &mut World, package: &[u8]) -> Self {
        let deaths = (0..random.below(5))
            .map(|_| match random.below(10) {
                0..6 => Death { place: Some(random.pick(&PLACES)), visit: random.between(1, 2) },
                6..8 => Death { place: Some(random.pick(&RARE)), visit: 1 },
                _ => Death { place: None, visit: random.between(1, 120) },
            })
            .collect::<Vec<_>>();
        let dies = |place: &str| deaths.iter().any(|death| death.place.is_some_and(|p| p.ends_with(place)));
        let export = deaths.iter().any(|death| death.place.is_some_and(|place| place.starts_with("export")));
        let import = deaths.iter().any(|death| death.place.is_some_and(|place| place.starts_with("import")));
        let imports = if export == import { random.chance(600) } else { import };
        let blocks = dies("blocks") || random.chance(150);
        let company = dies("lease") || dies("give back") || random.chance(100);
        let short = random.chance(200) || dies("fresh url") || dies("list blocks");

        world.end = random.pick(&["Succeeded", "Succeeded", "PartiallySucceeded", "Failed"]);
        if dies("errors") {
            world.end = random.pick(&["PartiallySucceeded", "Failed"]);
        }
        if !imports {
            world.end = random.pick(&["Succeeded", "Succeeded", "Succeeded", "Failed"]);
        }
        world.errors = r#"[{"RecordId":"C1","Field":"","ErrorMessage":"not in https://a.blob.core.windows.net/x?sv=1&sig=SIGNATURE"}]"#.to_owned();
        world.record_after = match random.below(3) {
            0 => 1_000,
            1 => random.between(1_000, 60_000),
            _ => random.between(60_000, 600_000),
        };
        world.run_takes = random.pick(&[6_000, 60_000, 600_000, 3_600_000]);
        world.repeated = random.pick(&[Repeated::Refused, Repeated::RunAgain, Repeated::Ignored]);
        world.tells_end = random.chance(700);
        world.other_blobs = random.chance(150);
        world.empty_urls = u32::try_from(random.below(3)).unwrap();
        world.piece = usize::try_from(random.pick(&[0, 0, 300, 700])).unwrap();
        if short {
            world.url_life = Duration::from_millis(random.pick(&[0, 200, 1_000, 60_000, 600_000]));
            world.long_after = u32::try_from(random.between(1, 3)).unwrap();
        }
        if random.chance(30) {
            world.purged_after = Some(world.record_after + random.between(60_000, 6_000_000));
        }
        world.rows = 2;
        world.package = package.to_vec();
        if blocks {
            world.source.extend((0..random.between(50, 600)).map(|i| u8::try_from(i % 251).unwrap()));
        }
        let lost = dies("search");
        if dies("wait for url") {
            world.empty_urls = 2;
        }
        let calm = random.chance(100);
        Self {
            imports,
            company,
            faults: if calm { 0 } else { random.between(1, 40) },
            permille: random.pick(&[20, 80, 250, 500]),
            deaths,
            second: random.chance(250).then(|| random.between(5, 80)),
            jump: random.chance(100).then(|| {
                let jump = match random.chance(500) {
                    true => i64::try_from(random.between(1_000, 7_200_000)).unwrap(),
                    false => -i64::try_from(random.between(1_000, 600_000)).unwrap(),
                };
                (random.between(3, 90), jump)
            }),
            revoked: random.chance(40).then(|| random.between(1, 15)),
            lost,
            sleep: if random.chance(100) { 6 * 3_600_000 } else { 120_000 },
            block: if blocks { 32 } else { 0 },
        }
    }
}
