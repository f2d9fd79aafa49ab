//! The lines after each stage and at the end. The very last one is read by machines.

use std::time::Duration;

use super::counts::Counts;
use super::stage::Outcome;
use crate::say;

pub(super) struct Report {
    /// What is missing on the machine is a failure.
    strict: bool,
    stages: Vec<Stage>,
}

struct Stage {
    name: &'static str,
    took: Duration,
    counts: Counts,
    /// Why it did not simply pass.
    remark: Option<String>,
}

pub(super) fn announce(name: &str) {
    say!("▶ {name}");
}

impl Report {
    pub(super) fn new(strict: bool) -> Report {
        Report { strict, stages: Vec::new() }
    }

    pub(super) fn add(&mut self, name: &'static str, took: Duration, outcome: Outcome) {
        let (counts, remark) = self.count(outcome);
        let stage = Stage { name, took, counts, remark };
        say!("{}", stage.line());
        self.stages.push(stage);
    }

    pub(super) fn is_success(&self) -> bool {
        self.total().failed == 0
    }

    pub(super) fn print(&self) {
        say!("\nminutes  stage");
        for stage in &self.stages {
            say!("{}", stage.line());
        }
        let all: Duration = self.stages.iter().map(|stage| stage.took).sum();
        say!("{:>7.2}  in all\n", minutes(all));
        say!("{}", self.closing_line());
    }

    /// `N passed, N failed, N skipped`, and nothing else.
    fn closing_line(&self) -> String {
        let Counts { passed, failed, skipped } = self.total();
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    fn total(&self) -> Counts {
        self.stages.iter().map(|stage| stage.counts).sum()
    }

    fn count(&self, outcome: Outcome) -> (Counts, Option<String>) {
        let one_failed = Counts { failed: 1, ..Counts::default() };
        let one_skipped = Counts { skipped: 1, ..Counts::default() };
        match outcome {
            Outcome::Done => (Counts::default(), None),
            Outcome::Passed => (Counts { passed: 1, ..Counts::default() }, None),
            Outcome::Failed(reason) => (one_failed, Some(format!("FAILED: {reason}"))),
            Outcome::Tests { counts, problem: None } => (counts, None),
            Outcome::Tests { counts, problem: Some(problem) } => {
                // A test program can fail without a failed test: it crashed, or did not compile, or ran nothing.
                let counts = if counts.failed == 0 { counts + one_failed } else { counts };
                (counts, Some(format!("FAILED: {problem}")))
            }
            Outcome::Missing(what) if self.strict => {
                (one_failed, Some(format!("FAILED, as CI is set: {what}")))
            }
            Outcome::Missing(what) => (one_skipped, Some(format!("skipped: {what}"))),
            Outcome::Skipped(reason) => (one_skipped, Some(format!("skipped: {reason}"))),
        }
    }
}

impl Stage {
    fn line(&self) -> String {
        let Counts { passed, failed, skipped } = self.counts;
        let figures = [(passed, "passed"), (failed, "failed"), (skipped, "skipped")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect::<Vec<_>>()
            .join(", ");
        let remark = self.remark.as_ref().map(|remark| format!("  {remark}")).unwrap_or_default();
        format!("{:>7.2}  {:<28} {figures}{remark}", minutes(self.took), self.name).trim_end().to_owned()
    }
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    #[test]
    fn the_closing_line_adds_all_stages_up() {
        let mut report = Report::new(false);
        report.add("setup", NO_TIME, Outcome::Done);
        report.add("fmt", NO_TIME, Outcome::Passed);
        let counts = Counts { passed: 10, failed: 0, skipped: 2 };
        report.add("tests", NO_TIME, Outcome::Tests { counts, problem: None });
        assert_eq!(report.closing_line(), "11 passed, 0 failed, 2 skipped");
        assert!(report.is_success());
    }

    #[test]
    fn a_crash_without_a_failed_test_is_a_failure() {
        let mut report = Report::new(false);
        let counts = Counts { passed: 10, failed: 0, skipped: 0 };
        report.add("tests", NO_TIME, Outcome::Tests { counts, problem: Some("signal 11".into()) });
        assert_eq!(report.closing_line(), "10 passed, 1 failed, 0 skipped");
        assert!(!report.is_success());
    }

    #[test]
    fn what_is_missing_is_skipped_here_and_fails_in_ci() {
        for (strict, expected) in
            [(false, "0 passed, 0 failed, 1 skipped"), (true, "0 passed, 1 failed, 0 skipped")]
        {
            let mut report = Report::new(strict);
            report.add("chromium", NO_TIME, Outcome::Missing("no browser".into()));
            assert_eq!(report.closing_line(), expected);
            assert_eq!(report.is_success(), !strict);
        }
    }

    #[test]
    fn a_stage_tells_its_minutes_its_counts_and_why() {
        let took = Duration::from_secs(90);
        let stage = Stage {
            name: "clippy",
            took,
            counts: Counts { passed: 0, failed: 1, skipped: 0 },
            remark: Some("FAILED: exit status: 101".into()),
        };
        assert_eq!(stage.line(), "   1.50  clippy                       1 failed  FAILED: exit status: 101");
    }
}
