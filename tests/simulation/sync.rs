//! Synchronisation: every change arrives, whatever dies; no run begins while one is open.

use d365_clm::ErrorCode;
use d365_clm::http::Stored;
use d365_clm::sync::{Mode, Reset, Status, SyncOptions};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sync_world::{DAY, Scan, SyncWorld, failed};
use crate::world::{Ending, Fault, START};

fn none() -> Value {
    json!({})
}

fn clean(world: &mut SyncWorld, options: &Value) {
    match world.pass(options) {
        Ending::Done(()) => {}
        other => panic!("the pass did not end well: {other:?}"),
    }
}

fn later(world: &mut SyncWorld, millis: u64) {
    world.now = world.now.plus(std::time::Duration::from_millis(millis));
}

/// Five vendors are there; two change, one comes.
fn changed(options: &Value) -> SyncWorld {
    let mut world = SyncWorld::new(5);
    clean(&mut world, options);
    world.put("usmf", 1, "second");
    world.put("usmf", 3, "second");
    world.put("usmf", 9, "new");
    world.steps = 0;
    world
}

#[test]
fn first_all_records_then_those_that_changed_then_none() {
    let mut world = SyncWorld::new(5);
    clean(&mut world, &none());
    assert_eq!(
        world.batches,
        [(Mode::Full, 2, 0, false), (Mode::Full, 2, 0, false), (Mode::Full, 1, 0, true)]
    );
    world.batches.clear();
    clean(&mut world, &none());
    assert_eq!(world.batches, [], "nothing changed");
    world.put("usmf", 1, "second");
    world.put("usmf", 9, "new");
    clean(&mut world, &none());
    assert_eq!(world.batches, [(Mode::Incremental, 2, 0, true)]);
    assert_eq!(world.database, world.expected());
    assert_eq!(world.order.len(), 3);
    assert_eq!(world.projects.keys().collect::<Vec<_>>(), ["CLM-n-VendorsV2-USMF"]);
}

#[test]
fn companies_have_projects_of_their_own() {
    let mut world = SyncWorld::new(2);
    world.put("demf", 7, "german");
    let options = json!({ "companies": ["USMF", "DEMF"], "projectPrefix": "P" });
    clean(&mut world, &options);
    world.put("demf", 8, "german");
    clean(&mut world, &options);
    assert_eq!(world.database, world.expected());
    assert_eq!(world.projects.keys().collect::<Vec<_>>(), ["P-VendorsV2-DEMF", "P-VendorsV2-USMF"]);
    assert_eq!(world.batches.last(), Some(&(Mode::Incremental, 1, 0, true)));
}

/// For each step of a pass: the process dies there, the source changes, another process goes on.
fn killed_at_every_step(options: &Value, prepare: impl Fn() -> SyncWorld) -> usize {
    let mut once = prepare();
    clean(&mut once, options);
    let steps = once.steps;
    for kill_at in 0..steps {
        let mut world = prepare();
        world.kill_at = Some(kill_at);
        assert!(matches!(world.pass(options), Ending::Killed), "step {kill_at} of {steps}");
        world.put("usmf", 2, "third");
        world.put("usmf", 1, "third");
        let committed = world.committed.clone();
        // One pass finds the open run, or gives it up for one with all records; another has what came since.
        clean(&mut world, options);
        clean(&mut world, options);
        assert_eq!(world.database, world.expected(), "step {kill_at} of {steps}");
        let again = world.committed.iter().skip(committed.len()).filter(|id| committed.contains(id));
        assert_eq!(again.count(), 0, "step {kill_at}: a committed batch came again");
        assert!(world.runs.values().all(|run| run.submissions == 1), "step {kill_at}");
    }
    steps
}

#[test]
fn killed_at_any_step_of_the_first_run() {
    let steps = killed_at_every_step(&none(), || SyncWorld::new(5));
    assert!(steps > 50, "only {steps} steps");
}

#[test]
fn killed_at_any_step_of_a_run_for_changes() {
    let steps = killed_at_every_step(&none(), || changed(&none()));
    assert!(steps > 50, "only {steps} steps");
}

#[test]
fn killed_at_any_step_of_a_comparison_or_a_search_for_deleted_records() {
    let compare = json!({ "entities": [{ "entity": "VendorsV2", "transport": "odata" }] });
    killed_at_every_step(&compare, || SyncWorld::new(5));
    let steps = killed_at_every_step(&compare, || changed(&compare));
    assert!(steps > 15, "only {steps} steps");
    let reconcile = json!({ "deletes": "reconcile", "reconcileEvery": 0 });
    let steps = killed_at_every_step(&reconcile, || {
        let mut world = changed(&reconcile);
        world.remove("usmf", 0);
        world.remove("usmf", 4);
        world
    });
    assert!(steps > 60, "only {steps} steps");
}

#[test]
fn a_host_that_commits_before_it_handles_loses_rows() {
    // Not a promise but the proof that these tests see a loss.
    let mut lost = 0;
    for kill_at in 0..200 {
        let mut world = SyncWorld::new(5);
        (world.kill_at, world.hasty) = (Some(kill_at), true);
        if !matches!(world.pass(&none()), Ending::Killed) {
            break;
        }
        clean(&mut world, &none());
        lost += usize::from(world.database != world.expected());
    }
    assert!(lost >= 3, "a loss after each of the three commits at least");
}

#[test]
fn a_batch_that_is_not_committed_comes_again_and_not_for_ever() {
    let mut world = SyncWorld::new(5);
    let mut sync = SyncWorld::sync(&none());
    let mut ids = Vec::new();
    let error = loop {
        match world.hold(&mut sync.batch()) {
            Ending::Done(d365_clm::sync::Turned::Batch(batch)) => ids.push(batch.id),
            other => break failed(other),
        }
    };
    assert_eq!((ids.len(), error.code), (10, ErrorCode::InvalidArgument), "{error}");
    ids.dedup();
    assert_eq!(ids.len(), 1);
    // It can still be committed, once; again nothing happens, and another one is refused.
    assert!(matches!(world.hold(&mut sync.commit(&ids[0])), Ending::Done(_)));
    assert!(matches!(world.hold(&mut sync.commit(&ids[0])), Ending::Done(_)));
    assert_eq!(failed(world.hold(&mut sync.commit("other"))).code, ErrorCode::InvalidArgument);
}

#[test]
fn of_two_workers_one_gets_a_conflict_and_nothing_is_skipped() {
    for ahead in 0..4 {
        let mut world = SyncWorld::new(5);
        let (mut a, mut b) = (SyncWorld::sync(&none()), SyncWorld::sync(&none()));
        for _ in 0..ahead {
            world.turn(&mut a);
        }
        // The other one has the line at hand as it is now, and then both go on.
        let first = world.turn(&mut b);
        let mut conflicts =
            u32::from(matches!(&first, Ending::Failed(e) if e.code == ErrorCode::CheckpointConflict));
        for worker in [&mut a, &mut b] {
            match world.hold_pass(worker) {
                Ending::Done(()) => {}
                other => {
                    assert_eq!(failed(other).code, ErrorCode::CheckpointConflict);
                    conflicts += 1;
                }
            }
        }
        assert!(ahead == 0 || ahead > 2 || conflicts > 0, "{ahead}: nobody was told");
        clean(&mut world, &none());
        assert_eq!(world.database, world.expected(), "{ahead}");
    }
}

#[test]
fn a_run_that_failed_partly_or_was_lost_is_followed_by_one_with_all_records() {
    for end in ["Failed", "PartiallySucceeded", "Canceled"] {
        let mut world = changed(&none());
        world.ends = vec![end];
        clean(&mut world, &none());
        assert_eq!(world.database, world.expected(), "{end}");
        let projects: Vec<&str> = world.order.iter().map(|id| world.runs[id].project.as_str()).collect();
        assert_eq!(projects[1..], ["CLM-n-VendorsV2-USMF", "CLM-n-VendorsV2-USMF-Full"], "{end}");
        assert_eq!(world.batches.last().unwrap().0, Mode::Full);
        // And then changes alone again.
        world.put("usmf", 0, "fourth");
        clean(&mut world, &none());
        assert_eq!(world.batches.last(), Some(&(Mode::Incremental, 1, 0, true)));
    }
}

#[test]
fn a_service_that_fails_every_run_is_told_and_asked_again_in_the_next_pass() {
    let mut world = changed(&none());
    world.ends = vec!["Failed"; 3];
    assert_eq!(failed(world.pass(&none())).code, ErrorCode::JobFailed);
    assert_eq!(world.order.len(), 3, "one for changes and one for all, no more");
    assert_eq!(failed(world.pass(&none())).code, ErrorCode::JobFailed);
    assert_eq!(world.order.len(), 4);
    clean(&mut world, &none());
    assert_eq!(world.database, world.expected());
}

/// Dies when the run has begun, and comes back after `millis`.
fn begun_and_left(millis: u64) -> SyncWorld {
    let mut world = changed(&none());
    let mut kill = 0;
    while world.order.len() < 2 {
        world = changed(&none());
        world.kill_at = Some(kill);
        world.pass(&none());
        kill += 1;
    }
    later(&mut world, millis);
    world
}

#[test]
fn a_package_is_fetched_as_long_as_it_lives_and_then_all_records_are() {
    let mut world = begun_and_left(6 * DAY);
    clean(&mut world, &none());
    assert_eq!(world.database, world.expected());
    let second = world.order[1].clone();
    assert!(world.seen.keys().any(|id| id.starts_with(&second)), "the package of the run was fetched");

    let mut world = begun_and_left(8 * DAY);
    clean(&mut world, &none());
    assert_eq!(world.database, world.expected());
    let second = world.order[1].clone();
    assert!(!world.seen.keys().any(|id| id.starts_with(&second)), "its package is gone");
    assert!(world.runs[&world.order[2]].project.ends_with("-Full"));
}

#[test]
fn an_old_marker_is_not_trusted() {
    let mut world = changed(&none());
    later(&mut world, 5 * DAY);
    clean(&mut world, &none());
    assert_eq!(world.order.len(), 2, "five days are trusted");
    later(&mut world, 7 * DAY);
    // The database has forgotten: a change that the marker does not give.
    world.put("usmf", 4, "forgotten");
    world.markers.insert("CLM-n-VendorsV2-USMF".into(), u64::MAX);
    clean(&mut world, &none());
    assert_eq!(world.database, world.expected());
    let projects: Vec<&str> = world.order[2..].iter().map(|id| world.runs[id].project.as_str()).collect();
    assert_eq!(
        projects,
        ["CLM-n-VendorsV2-USMF", "CLM-n-VendorsV2-USMF-Full"],
        "the full one after the changes"
    );
}

#[test]
fn a_project_that_was_there_before_is_not_trusted() {
    let mut world = SyncWorld::new(3);
    world.projects.insert("CLM-n-VendorsV2-USMF".into(), Some("IncrementalPush".into()));
    world.markers.insert("CLM-n-VendorsV2-USMF".into(), 2);
    clean(&mut world, &none());
    assert_eq!(world.database, world.expected());
    assert!(world.runs[&world.order[0]].project.ends_with("-Full"));
}

#[test]
fn without_change_tracking_it_is_an_error_or_what_the_host_wants() {
    let mut world = SyncWorld::new(3);
    world.tracking = "None";
    let error = failed(world.pass(&none()));
    assert_eq!(error.code, ErrorCode::ValidationFailed);
    assert!(
        error.message.contains("Vendors V2") && error.hint.as_deref().unwrap().contains("Change tracking")
    );
    assert!(world.order.is_empty() && world.projects.is_empty());
    let full = json!({ "withoutTracking": "full" });
    for _ in 0..2 {
        clean(&mut world, &full);
        assert_eq!(world.batches, [(Mode::Full, 2, 0, false), (Mode::Full, 1, 0, true)]);
        world.batches.clear();
    }
    assert!(world.order.iter().all(|id| world.runs[id].project.ends_with("-Full")));
    let compare = json!({ "withoutTracking": "compare", "name": "other" });
    clean(&mut world, &compare);
    world.batches.clear();
    world.put("usmf", 1, "second");
    clean(&mut world, &compare);
    assert_eq!(world.batches, [(Mode::Incremental, 1, 0, true)]);
    assert_eq!(world.database, world.expected());
}

#[test]
fn a_comparison_hands_over_what_changed_and_survives_the_loss_of_what_it_kept() {
    let compare = json!({ "entities": [{ "entity": "VendorsV2", "transport": "odata" }], "batchSize": 100 });
    let mut world = changed(&compare);
    world.batches.clear();
    clean(&mut world, &compare);
    assert_eq!(world.batches, [(Mode::Incremental, 3, 0, true)]);
    world.batches.clear();
    // A value that changes and changes back is two batches with two ids.
    let ids = world.seen.len();
    for name in ["x", "y", "x"] {
        world.put("usmf", 0, name);
        clean(&mut world, &compare);
    }
    assert_eq!(world.seen.len(), ids + 3);
    world.store.retain(|key, _| !key.ends_with("/rows/0"));
    world.put("usmf", 2, "third");
    world.batches.clear();
    clean(&mut world, &compare);
    assert_eq!(world.batches, [(Mode::Full, 6, 0, true)]);
    assert_eq!(world.database, world.expected());
    // Many passes, so that what is kept is written anew.
    for pass in 0..30 {
        world.put("usmf", pass % 5, &format!("pass {pass}"));
        clean(&mut world, &compare);
    }
    assert_eq!(world.database, world.expected());
    let places = world.store.keys().filter(|key| key.contains("/rows/")).count();
    assert!(places <= 10, "{places} places are in use");
}

#[test]
fn a_time_of_change_saves_reading_and_late_rows_are_found_all_the_same() {
    let by_time = json!({ "entities": [{ "entity": "VendorsV2", "transport": "odata", "modifiedBy": "SSIValidityDate" }], "batchSize": 100 });
    let minute = 60_000;
    let mut world = SyncWorld::new(9);
    clean(&mut world, &by_time);
    later(&mut world, 60 * minute);
    world.put("usmf", 1, "second");
    clean(&mut world, &by_time);
    // From here on the highest time is that of this row.
    later(&mut world, 30 * minute);
    world.put("usmf", 2, "third");
    clean(&mut world, &by_time);
    world.batches.clear();
    world.read.set(0);
    // A transaction that ended late: its time is nine minutes before what was seen already.
    let now = world.now;
    world.now = START.plus(std::time::Duration::from_millis(81 * minute + 1_000));
    world.put("usmf", 3, "late");
    world.now = now;
    clean(&mut world, &by_time);
    assert_eq!(world.batches, [(Mode::Incremental, 1, 0, true)]);
    assert_eq!(world.database, world.expected());
    assert_eq!(world.read.get(), 2, "the late row and the last one, again");
    // What no time tells is found by the compare of each day.
    let now = world.now;
    world.now = START;
    world.put("usmf", 4, "without a new time");
    world.now = now;
    world.batches.clear();
    clean(&mut world, &by_time);
    assert_eq!(world.batches, []);
    later(&mut world, DAY);
    clean(&mut world, &by_time);
    assert_eq!(world.database, world.expected());
}

const RECONCILE: &str = r#"{ "deletes": "reconcile", "reconcileEvery": 0, "maxDeletes": { "rows": 3 } }"#;

fn reconcile() -> Value {
    serde_json::from_str(RECONCILE).unwrap()
}

#[test]
fn records_that_are_gone_are_told_by_their_keys() {
    let mut world = changed(&reconcile());
    world.remove("usmf", 0);
    world.remove("usmf", 2);
    world.remove("usmf", 4);
    world.batches.clear();
    clean(&mut world, &reconcile());
    assert_eq!(
        world.batches,
        [
            (Mode::Incremental, 2, 0, false),
            (Mode::Incremental, 1, 0, true),
            (Mode::Reconcile, 0, 2, false),
            (Mode::Reconcile, 0, 1, true),
        ]
    );
    assert_eq!(world.database, world.expected());
    world.batches.clear();
    clean(&mut world, &reconcile());
    assert_eq!(world.batches, [], "told once");
    // One that comes back is a row like any other.
    world.put("usmf", 0, "back");
    clean(&mut world, &reconcile());
    assert_eq!(world.database, world.expected());
}

#[test]
fn a_scan_that_may_be_wrong_deletes_nothing() {
    for scan in [Scan::Revoked, Scan::EmptyPage, Scan::Cut, Scan::Forbidden] {
        let mut world = changed(&reconcile());
        world.remove("usmf", 0);
        world.scan = scan;
        let before = world.database.len();
        let error = failed(world.pass(&reconcile()));
        assert_eq!(error.code, ErrorCode::ReconcileRefused, "{scan:?}: {error}");
        let counts = error.result.clone().unwrap();
        assert_eq!((&counts["known"], &counts["allowed"]), (&json!(6), &json!(3)), "{scan:?}");
        assert!(counts["missing"].as_u64().unwrap() > 0);
        assert!(world.database.len() >= before, "{scan:?}: something was deleted");
        // The rows of the line are there all the same, and the next pass finds the truth.
        world.scan = Scan::Whole;
        clean(&mut world, &reconcile());
        assert_eq!(world.database, world.expected(), "{scan:?}");
    }
}

#[test]
fn a_small_entity_does_not_vanish_with_the_right_to_see_it() {
    // Fewer records than may be gone at once, and neither the scan nor a key finds any.
    let options = json!({ "deletes": "reconcile", "reconcileEvery": 0 });
    let mut world = changed(&options);
    world.scan = Scan::Revoked;
    assert_eq!(failed(world.pass(&options)).code, ErrorCode::ReconcileRefused);
    assert_eq!(world.database, world.expected());
}

#[test]
fn what_another_worker_wrote_over_kept_rows_is_not_believed() {
    let compare = json!({ "entities": [{ "entity": "VendorsV2", "transport": "odata" }], "batchSize": 100 });
    let mut world = SyncWorld::new(5);
    clean(&mut world, &compare);
    let place = "sync/n/Vendors V2/usmf/rows/0";
    let (store, database) = (world.store.clone(), world.database.clone());
    world.put("usmf", 2, "second");
    clean(&mut world, &compare);
    let theirs = world.store["sync/n/Vendors V2/usmf/rows/1"].value.clone();
    assert!(theirs.contains("V002"));
    // Another worker has noted the new row there; this one has not handed it over.
    (world.store, world.database) = (store, database);
    let mut mine: Value = serde_json::from_str(&world.store[place].value).unwrap();
    for (key, hash) in serde_json::from_str::<Value>(&theirs).unwrap().as_object().unwrap() {
        mine[key] = hash.clone();
    }
    world.store.insert(place.into(), Stored::new(mine.to_string(), "theirs"));
    clean(&mut world, &compare);
    assert_eq!(world.database, world.expected());
}

#[test]
fn more_than_allowed_deletes_nothing_and_one_that_answers_is_there() {
    let mut world = changed(&reconcile());
    for number in 0..4 {
        world.remove("usmf", number);
    }
    let error = failed(world.pass(&reconcile()));
    assert_eq!(error.code, ErrorCode::ReconcileRefused);
    assert!(
        error.message.starts_with("4 of 6 records") && error.message.contains("3 are allowed"),
        "{error}"
    );
    assert_eq!(world.database.len(), 6);

    let mut world = changed(&reconcile());
    world.scan = Scan::PassedBy;
    world.batches.clear();
    clean(&mut world, &reconcile());
    assert!(world.batches.iter().all(|batch| batch.0 != Mode::Reconcile), "{:?}", world.batches);
}

#[test]
fn status_tells_and_reset_begins_anew() {
    let mut world = SyncWorld::new(3);
    let options: SyncOptions =
        serde_json::from_value(json!({ "name": "n", "entities": ["VendorsV2"] })).unwrap();
    let status = |world: &mut SyncWorld| -> Value {
        let mut status = Status::new(&SyncWorld::service(), &options).unwrap();
        let Ending::Done(text) = world.hold(&mut status) else { panic!("no status") };
        serde_json::from_str::<Value>(&text).unwrap()[0].clone()
    };
    assert_eq!(
        status(&mut world),
        json!({ "entity": "Vendors V2", "company": "usmf", "transport": "package", "phase": "idle", "rows": 0, "pending": false })
    );
    let mut sync = SyncWorld::sync(&none());
    world.turn(&mut sync);
    let open = status(&mut world);
    assert_eq!(
        (&open["phase"], &open["rows"], &open["pending"]),
        (&json!("delivering"), &json!(2), &json!(true))
    );
    assert_eq!(open["executionId"], world.order[0].as_str());
    world.hold_pass(&mut sync);
    later(&mut world, 2 * DAY + 1);
    let done = status(&mut world);
    assert_eq!(
        (&done["phase"], &done["stale"], &done["lastRun"]),
        (&json!("idle"), &json!(true), &json!("2026-03-02T10:15:07Z"))
    );
    let mut reset = Reset::new(&SyncWorld::service(), &options, Some("VendorsV2")).unwrap();
    assert!(matches!(world.hold(&mut reset), Ending::Done(())));
    assert_eq!(status(&mut world)["needsFull"], "it was reset");
    world.batches.clear();
    clean(&mut world, &none());
    assert_eq!(world.batches, [(Mode::Full, 2, 0, false), (Mode::Full, 1, 0, true)]);
    assert_eq!(
        Reset::new(&SyncWorld::service(), &options, Some("Units")).unwrap_err().code,
        ErrorCode::InvalidArgument
    );
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::LostBefore),
        1 => Just(Fault::LostAfter),
        1 => Just(Fault::Busy),
        1 => Just(Fault::Refused),
        1 => Just(Fault::Gateway),
        1 => Just(Fault::Down),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Anything may happen, in any order, while the source changes: at the end everything is there.
    #[test]
    fn every_change_arrives(
        passes in proptest::collection::vec(
            (proptest::collection::vec(fault(), 0..30), proptest::option::of(0usize..160), proptest::collection::vec(0usize..12, 0..4),
             prop_oneof![8 => Just(0u64), 1 => Just(3 * DAY), 1 => Just(9 * DAY)], prop_oneof![6 => Just("Succeeded"), 1 => Just("Failed"), 1 => Just("PartiallySucceeded")]),
            1..6,
        ),
        way in 0usize..3,
    ) {
        let options = [
            none(),
            json!({ "entities": [{ "entity": "VendorsV2", "transport": "odata" }] }),
            json!({ "deletes": "reconcile", "reconcileEvery": 0 }),
        ][way].clone();
        let mut world = SyncWorld::new(5);
        for (number, (faults, kill, changes, pause, end)) in passes.into_iter().enumerate() {
            for change in changes {
                world.put("usmf", change, &format!("pass {number}"));
            }
            later(&mut world, pause);
            world.faults = faults;
            world.kill_at = kill.map(|after| world.steps + after);
            world.ends = vec![end];
            let _ = world.pass(&options);
        }
        (world.faults, world.kill_at, world.ends) = (Vec::new(), None, Vec::new());
        for _ in 0..2 {
            let ending = world.pass(&options);
            prop_assert!(matches!(ending, Ending::Done(())), "{:?}", ending);
        }
        prop_assert_eq!(&world.database, &world.expected());
        prop_assert!(world.runs.values().all(|run| run.submissions == 1));
    }
}
