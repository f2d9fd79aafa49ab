//! Whole lives of jobs, decided by a seed: faults of the network and the service, deaths, a second worker, jumps of the clock.
//!
//! `D365_SEEDS` says how many (default 2,000; with 100,000 or more each fault and each place of death must have come 1,000 times),
//! `D365_SEED` replays one and tells what happened.

mod life;
mod random;
mod scheduler;
mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use scheduler::Scheduler;
use tally::Tally;

const FEW: u64 = 2_000;
const MANY: u64 = 100_000;

#[test]
fn no_job_is_lost_or_runs_twice_whatever_a_seed_does() {
    if let Some(seed) = number("D365_SEED") {
        let mut tally = Tally::default();
        if let Err(problem) = Scheduler::new(seed, true).run(&mut tally) {
            panic!("seed {seed}: {problem}");
        }
        tally.print();
        return;
    }
    let count = number("D365_SEEDS").unwrap_or(FEW);
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8)) as u64;
    let stop = AtomicBool::new(false);
    let outcomes: Vec<Result<Tally, String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn({
                    let stop = &stop;
                    move || some(first, threads, count, stop)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut tally = Tally::default();
    for outcome in outcomes {
        match outcome {
            Ok(more) => tally.join(more),
            Err(problem) => panic!("{problem}"),
        }
    }
    tally.print();
    if count >= MANY {
        assert_eq!(tally.rare(1_000), Vec::<String>::new(), "came too rarely");
        assert!(tally.steps[tally.steps.len() / 2] >= 50, "the median life has fewer than 50 steps");
    }
}

/// Every so many-th seed.
fn some(first: u64, by: u64, count: u64, stop: &AtomicBool) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for seed in (first..count).step_by(usize::try_from(by).unwrap()) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| Scheduler::new(seed, false).run(&mut tally)));
        let problem = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(problem)) => problem,
            Err(thrown) => thrown
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| thrown.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default(),
        };
        stop.store(true, Ordering::Relaxed);
        return Err(format!(
            "seed {seed}: {problem}\nreplay: D365_SEED={seed} cargo test --profile simulation --test simulation seeds -- --nocapture"
        ));
    }
    Ok(tally)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}
