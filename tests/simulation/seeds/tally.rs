//! What the seeds did, counted.

use std::collections::BTreeMap;

/// Every fault that is injected.
pub(super) const FAULTS: [&str; 22] = [
    "lost before",
    "lost after",
    "not sent",
    "401",
    "sign-in redirect",
    "429 with Retry-After",
    "429 without",
    "500 before",
    "500 after",
    "502",
    "503",
    "504 before",
    "504 after",
    "slow",
    "too slow",
    "truncated body",
    "duplicate status",
    "reordered status",
    "SAS expired",
    "clock jump",
    "second worker",
    "checkpoint refused",
];

/// Every place of the two machines at which a process can die.
pub(super) const PLACES: [&str; 37] = [
    "import: reading",
    "import: planning",
    "import: ask url",
    "import: put",
    "import: list blocks",
    "import: sending blocks",
    "import: pause of blocks",
    "import: commit blocks",
    "import: look at lease",
    "import: wait for lease",
    "import: take lease",
    "import: ask fresh url",
    "import: marking",
    "import: marked",
    "import: submit",
    "import: search",
    "import: searching",
    "import: noting",
    "import: give back",
    "import: wait for run",
    "import: status",
    "import: details",
    "import: errors",
    "export: planning",
    "export: look at lease",
    "export: wait for lease",
    "export: take lease",
    "export: marking",
    "export: submit",
    "export: search",
    "export: searching",
    "export: noting",
    "export: wait for run",
    "export: status",
    "export: wait for url",
    "export: ask url",
    "export: download",
];

#[derive(Default)]
pub(super) struct Tally {
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) kills: BTreeMap<String, u64>,
    pub(super) reached: BTreeMap<String, u64>,
    pub(super) endings: BTreeMap<String, u64>,
    pub(super) modes: BTreeMap<String, u64>,
    pub(super) steps: Vec<u32>,
}

impl Tally {
    pub(super) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(super) fn join(&mut self, other: Self) {
        for (name, count) in other.faults {
            *self.faults.entry(name).or_default() += count;
        }
        let maps = [
            (&mut self.kills, other.kills),
            (&mut self.reached, other.reached),
            (&mut self.endings, other.endings),
            (&mut self.modes, other.modes),
        ];
        for (mine, theirs) in maps {
            for (name, count) in theirs {
                *mine.entry(name).or_default() += count;
            }
        }
        self.steps.extend(other.steps);
    }

    /// Names with fewer than `least`.
    pub(super) fn rare(&self, least: u64) -> Vec<String> {
        let faults = FAULTS.map(|name| (name.to_owned(), self.faults.get(name)));
        let kills = PLACES.map(|place| (format!("kill at {place}"), self.kills.get(place)));
        (faults.into_iter().chain(kills))
            .filter(|(_, count)| count.is_none_or(|count| *count < least))
            .map(|(name, count)| format!("{name}: {}", count.copied().unwrap_or_default()))
            .collect()
    }

    pub(super) fn print(&mut self) {
        self.steps.sort_unstable();
        let at = |part: usize| self.steps.get(self.steps.len() * part / 100).copied().unwrap_or_default();
        println!("seeds {}; steps: median {}, 99 % {}", self.steps.len(), at(50), at(99));
        for name in FAULTS {
            println!("  fault  {name}: {}", self.faults.get(name).copied().unwrap_or_default());
        }
        for place in PLACES {
            println!("  kill   {place}: {}", self.kills.get(place).copied().unwrap_or_default());
        }
        for (mode, count) in &self.modes {
            println!("  mode   {mode}: {count}");
        }
        for (ending, count) in &self.endings {
            println!("  ending {ending}: {count}");
        }
        let reached = PLACES.iter().filter(|place| self.reached.contains_key(**place)).count();
        println!("  states reached: {reached} of {}", PLACES.len());
        let more: Vec<&String> = self.reached.keys().filter(|p| !PLACES.contains(&p.as_str())).collect();
        println!("  reached and not in the list: {more:?}");
    }
}
