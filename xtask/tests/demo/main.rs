//! `cargo xtask demo` as a whole, in a checkout whose tools are shell scripts: what it shows, what it judges, and that it leaves
//! no process and no folder behind, however it ends.
#![cfg(unix)]
// A test that cannot go on has failed.
#![allow(clippy::unwrap_used)]

mod checkout;

use std::time::{Duration, Instant};

use checkout::Checkout;
use nix::sys::signal::Signal;

#[test]
fn a_right_job_ends_well_and_leaves_nothing() {
    let checkout = Checkout::new(checkout::RIGHT_JOB);
    let ended = checkout.demo().end();
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for expected in [
        "Contracts in",
        "CLM integration contract  CLM → SCM      5,000     5,000         –        –            –  1.5 s  ok",
        "every figure of the table is the expected one",
    ] {
        assert!(ended.output.contains(expected), "no {expected:?} in:\n{}", ended.output);
    }
    checkout.assert_nothing_is_left();
}

#[test]
fn a_figure_that_is_off_fails() {
    let checkout = Checkout::new(&checkout::RIGHT_JOB.replace("5000", "4999"));
    let ended = checkout.demo().end();
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("contracts sent: 5000 expected, the table tells 4999"), "{}", ended.output);
    checkout.assert_nothing_is_left();
}

#[test]
fn a_failing_quickstart_fails_with_its_own_words() {
    let checkout = Checkout::new(
        r#"echo '{"type":"error","code":"JOB_FAILED","message":"refused","hint":"look there"}'; exit 1"#,
    );
    let ended = checkout.demo().end();
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("JOB_FAILED: refused\n  hint: look there"), "{}", ended.output);
    checkout.assert_nothing_is_left();
}

#[test]
fn a_quickstart_that_fails_after_a_right_table_fails() {
    let checkout = Checkout::new(&format!("{}\nexit 3", checkout::RIGHT_JOB));
    let ended = checkout.demo().end();
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("the quickstart failed (exit status: 3)"), "{}", ended.output);
    checkout.assert_nothing_is_left();
}

#[test]
fn a_sandbox_that_does_not_start_is_told_with_its_log() {
    let checkout = Checkout::new(checkout::RIGHT_JOB);
    checkout.set_sandbox("echo 'the port is taken' >&2; exit 1");
    let ended = checkout.demo().end();
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("the port is taken"), "{}", ended.output);
    checkout.assert_nothing_is_left();
}

#[test]
fn what_the_sandbox_leaves_behind_is_ended_and_told() {
    let checkout = Checkout::new(checkout::RIGHT_JOB);
    checkout.set_sandbox(&format!("{}; cat > /dev/null; exit 0", checkout::START));
    let ended = checkout.demo().end();
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("the sandbox left a process behind"), "{}", ended.output);
    checkout.assert_nothing_is_left();
}

#[test]
fn ctrl_c_and_sigterm_end_everything() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let checkout = Checkout::new(checkout::ENDLESS_JOB);
        let demo = checkout.demo();
        checkout.wait_for_processes(3);
        demo.signal(signal);
        let ended = demo.end();
        assert_eq!(ended.code, Some(130), "{signal}: {}", ended.output);
        checkout.assert_nothing_is_left();
    }
}

#[test]
fn children_that_ignore_the_polite_signal_are_killed() {
    let checkout = Checkout::new(&format!("trap '' INT TERM\n{}", checkout::ENDLESS_JOB));
    let demo = checkout.demo();
    checkout.wait_for_processes(3);
    demo.signal(Signal::SIGINT);
    assert_eq!(demo.end().code, Some(130));
    checkout.assert_nothing_is_left();
}

#[test]
fn a_killed_demo_takes_the_sandbox_with_it() {
    let checkout = Checkout::new(checkout::ENDLESS_JOB);
    let demo = checkout.demo();
    checkout.wait_for_processes(3);
    demo.kill();
    // The quickstart is no server and ends with its sandbox; here only the sandbox is looked at.
    let start = Instant::now();
    while checkout.sandbox_is_running() {
        assert!(start.elapsed() < Duration::from_secs(20), "the sandbox outlives the demo");
        std::thread::sleep(Duration::from_millis(20));
    }
    checkout.end_leftovers();
}
