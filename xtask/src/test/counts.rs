//! Counts of tests, read from what the test runners print at the end.

use std::iter::Sum;
use std::ops::Add;

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), Counts::add)
    }
}

/// The summary lines of libtest and wasm-bindgen-test, one for each test program:
/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
pub(super) fn of_libtest(output: &str) -> Counts {
    output.lines().filter_map(|line| line.trim_start().strip_prefix("test result: ")).map(libtest_line).sum()
}

fn libtest_line(line: &str) -> Counts {
    // "ok. 3 passed; …": the figure is the word before its name.
    let figure = |name: &str| {
        line.split([';', '.'])
            .find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok())
            .unwrap_or_default()
    };
    Counts { passed: figure("passed"), failed: figure("failed"), skipped: figure("ignored") }
}

/// The closing lines of `node --test` with the spec reporter: `ℹ pass 3`, `ℹ fail 0`, `ℹ cancelled 0`, `ℹ skipped 0`, `ℹ todo 0`.
pub(super) fn of_node(output: &str) -> Counts {
    let figure = |name: &str| -> u64 {
        output
            .lines()
            .filter_map(|line| {
                line.strip_prefix("ℹ ")?.strip_prefix(name)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
            })
            .sum()
    };
    Counts {
        passed: figure("pass"),
        failed: figure("fail") + figure("cancelled"),
        skipped: figure("skipped") + figure("todo"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_several_programs_add_up() {
        let output = "\
running 3 tests
test a::b ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests d365_clm
test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.20s
";
        assert_eq!(of_libtest(output), Counts { passed: 13, failed: 2, skipped: 1 });
    }

    #[test]
    fn the_wasm_runner_prints_the_same_line() {
        let output = "test result: ok. 7 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.05s";
        assert_eq!(of_libtest(output), Counts { passed: 7, failed: 0, skipped: 0 });
    }

    #[test]
    fn a_test_that_only_talks_of_results_is_not_counted() {
        assert_eq!(of_libtest("the test result: ok. 3 passed"), Counts::default());
    }

    #[test]
    fn node_counts_cancelled_as_failed_and_todo_as_skipped() {
        let output = "ℹ tests 9\nℹ suites 1\nℹ pass 4\nℹ fail 1\nℹ cancelled 2\nℹ skipped 1\nℹ todo 1\nℹ duration_ms 12.5\n";
        assert_eq!(of_node(output), Counts { passed: 4, failed: 3, skipped: 2 });
    }
}
