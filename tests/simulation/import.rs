//! Imports: never lost, never twice.

use d365_clm::ErrorCode;
use d365_clm::dmf::{Checkpoint, ExecutionStatus, Import, ImportOptions};

use crate::world::{Ending, Fault, World};

pub(crate) fn options() -> ImportOptions {
    serde_json::from_str(r#"{"project":"CLM-Contracts","executionId":"CLM-Contracts-1"}"#).unwrap()
}

pub(crate) fn begin(world: &World) -> Import {
    Import::new(&World::service(), options(), Some(world.source.len() as u64)).unwrap()
}

/// What another process does with what the first one left on disk; a job without a checkpoint never began.
pub(crate) fn go_on(world: &World) -> Import {
    let Some(saved) = world.saved.last() else { return begin(world) };
    let checkpoint = Checkpoint::parse(&World::service(), saved).unwrap();
    Import::resume(&World::service(), checkpoint, options(), true).unwrap()
}

#[test]
fn a_package_is_uploaded_submitted_and_watched_to_its_end() {
    let mut world = World::new();
    world.rows = 7;
    let Ending::Done(outcome) = world.hold(&mut begin(&world)) else { panic!("the import did not end well") };
    assert_eq!(outcome.status, ExecutionStatus::Succeeded);
    assert_eq!(outcome.entities[0].created, Some(7));
    assert_eq!(world.submissions("CLM-Contracts-1"), 1);
    assert_eq!(world.runs["CLM-Contracts-1"].company, "usmf");
    let stages: Vec<bool> =
        ["planned", "submitting", "running"].iter().zip(&world.saved).map(|(s, c)| c.contains(s)).collect();
    assert_eq!(stages, [true, true, true], "checkpoints: {:?}", world.saved);
}

#[test]
fn killed_at_any_step_a_resumed_job_ends_well_with_one_submission() {
    let mut world = World::new();
    world.hold(&mut begin(&world));
    let steps = world.steps;
    assert!(steps > 20, "only {steps} steps");
    for kill_at in 0..steps {
        let mut world = World::new();
        world.kill_at = Some(kill_at);
        assert!(matches!(world.hold(&mut begin(&world)), Ending::Killed), "step {kill_at}");
        let submitted = world.submissions("CLM-Contracts-1");
        let marked = world.saved.last().is_some_and(|saved| saved.contains("submitting"));
        match world.hold(&mut go_on(&world)) {
            Ending::Done(outcome) => assert_eq!(outcome.status, ExecutionStatus::Succeeded, "step {kill_at}"),
            // Dead between the checkpoint and the submission: nobody can tell that it never left, so it is not sent.
            Ending::Failed(error) => {
                assert_eq!(error.code, ErrorCode::OutcomeUnknown, "step {kill_at}: {error}");
                assert!(marked && submitted == 0, "step {kill_at}: the run was there and was not found");
            }
            Ending::Killed => unreachable!(),
        }
        assert!(world.submissions("CLM-Contracts-1") <= 1, "step {kill_at}: submitted twice");
    }
}

#[test]
fn a_lost_answer_to_the_submission_is_looked_for_and_never_sent_again() {
    for fault in [Fault::LostAfter, Fault::Gateway] {
        let mut world = World::new();
        // Token, URL, put, submission.
        world.faults = vec![Fault::None, Fault::None, fault];
        let Ending::Done(_) = world.hold(&mut begin(&world)) else {
            panic!("{fault:?}: the run was not found")
        };
        assert_eq!(world.submissions("CLM-Contracts-1"), 1, "{fault:?}");
        assert!(world.requests.contains(&"DataManagementExecutionJobDetails".to_owned()));
    }
}

#[test]
fn a_submission_that_never_arrived_is_reported_and_not_repeated() {
    let mut world = World::new();
    world.faults = vec![Fault::None, Fault::None, Fault::LostBefore];
    let before = world.now;
    let Ending::Failed(error) = world.hold(&mut begin(&world)) else { panic!("it can't have ended well") };
    assert_eq!(error.code, ErrorCode::OutcomeUnknown);
    assert!(error.hint.as_deref().unwrap().contains("Job history"));
    assert_eq!(world.submissions("CLM-Contracts-1"), 0);
    assert!(world.now.since(before).as_secs() >= 900, "the grace is 15 minutes");
}

#[test]
fn a_busy_service_or_a_refused_token_did_not_take_the_submission() {
    for fault in [Fault::Busy, Fault::Refused] {
        let mut world = World::new();
        world.faults = vec![Fault::None, Fault::None, fault];
        assert!(matches!(world.hold(&mut begin(&world)), Ending::Done(_)), "{fault:?}");
        assert_eq!(world.submissions("CLM-Contracts-1"), 1);
    }
}

#[test]
fn the_network_may_fail_during_upload_and_polling() {
    let mut world = World::new();
    let lost = Fault::LostBefore;
    world.faults =
        vec![lost, Fault::None, lost, Fault::LostAfter, Fault::None, Fault::None, lost, Fault::Down, lost];
    assert!(matches!(world.hold(&mut begin(&world)), Ending::Done(_)));
    assert_eq!(world.submissions("CLM-Contracts-1"), 1);
}

#[test]
fn a_failed_run_tells_the_reason_of_the_service() {
    let mut world = World::new();
    world.end = "Failed";
    world.rows = 1;
    world.errors =
        r#"[{"RecordId":"C00017","Field":"","ErrorMessage":"Contract type NDA2 was not found."}]"#.into();
    let Ending::Failed(error) = world.hold(&mut begin(&world)) else { panic!("a failed run ended well") };
    assert_eq!(error.code, ErrorCode::JobFailed);
    assert!(error.message.contains("C00017: Contract type NDA2 was not found."), "{error}");
    assert_eq!(error.result.as_deref().unwrap()["rejectedCount"], 1);
}

#[test]
fn a_partly_failed_run_is_a_result_with_its_reasons() {
    let mut world = World::new();
    world.end = "PartiallySucceeded";
    world.rows = 5;
    world.errors = r#"[{"RecordId":"C1","Field":"ContractType","ErrorMessage":"x"}]"#.into();
    let Ending::Done(outcome) = world.hold(&mut begin(&world)) else { panic!("it is a result") };
    assert_eq!((outcome.rejected_count, outcome.errors.len()), (1, 1));
    assert_eq!(outcome.errors[0].entity, "Vendors V2", "the only entity that had failures");
}

#[test]
fn an_upload_url_that_runs_out_is_asked_for_again() {
    let mut world = World::new();
    world.url_life = std::time::Duration::ZERO;
    let mut job = begin(&world);
    // The first URL is dead on arrival, the next ones live.
    let mut asked = 0;
    loop {
        use d365_clm::http::{Input, Machine, Step};
        match job.next(world.now) {
            Step::Done(_) => break,
            Step::Failed(error) => panic!("{error}"),
            Step::Send(request) => {
                if request.url.ends_with("GetAzureWriteUrl") {
                    asked += 1;
                    if asked == 2 {
                        world.url_life = std::time::Duration::from_secs(2_100);
                    }
                }
                let answer = world.answer(&request);
                job.handle(answer, world.now);
            }
            Step::Token(_) => job.handle(Input::TokenRenewed { expires: None }, world.now),
            Step::Save(_) => job.handle(Input::Saved, world.now),
            Step::Read(range) => job.handle(Input::Bytes(world.read(range)), world.now),
            Step::Load(key) => job.handle(Input::Loaded(world.store.get(&key).cloned()), world.now),
            Step::Store(store) => {
                let answer = world.keep(store);
                job.handle(answer, world.now);
            }
            Step::Wait(until) => world.now = until,
            _ => {}
        }
    }
    assert_eq!((asked, world.submissions("CLM-Contracts-1")), (2, 1));
}

#[test]
fn a_different_source_is_refused_and_a_missing_one_asked_for() {
    let mut world = World::new();
    world.kill_at = Some(4);
    world.hold(&mut begin(&world));
    let checkpoint = || Checkpoint::parse(&World::service(), world.saved.last().unwrap()).unwrap();
    let error = Import::resume(&World::service(), checkpoint(), options(), false).unwrap_err();
    assert_eq!(error.code, ErrorCode::SourceRequired);
    for other in [&b"PK\x03\x04 another"[..], b"PK\x03\x04 the packagE", b"PK\x03\x04 the package, and more"]
    {
        let mut job = Import::resume(&World::service(), checkpoint(), options(), true).unwrap();
        let mut world = World::new();
        world.source = other.to_vec();
        let Ending::Failed(error) = world.hold(&mut job) else { panic!("another package was imported") };
        assert_eq!(error.code, ErrorCode::SourceChanged);
        assert!(world.blobs.is_empty() && world.runs.is_empty());
    }
}

/// Five blocks, the last one short.
fn large() -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..(17_u32 << 20)).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    bytes[..4].copy_from_slice(b"PK\x03\x04");
    bytes
}

#[test]
fn a_large_package_goes_in_blocks_and_after_a_death_only_what_is_missing_travels_again() {
    let mut world = World::new();
    world.source = large();
    let puts = |world: &World| world.requests.iter().filter(|name| *name == "PUT block").count();
    assert!(matches!(world.hold(&mut begin(&world)), Ending::Done(_)));
    assert_eq!(puts(&world), 5);
    let steps = world.steps;
    for kill_at in (0..steps).step_by(4) {
        let mut world = World::new();
        world.source = large();
        world.kill_at = Some(kill_at);
        assert!(matches!(world.hold(&mut begin(&world)), Ending::Killed), "step {kill_at}");
        match world.hold(&mut go_on(&world)) {
            Ending::Done(_) => {}
            Ending::Failed(error) => {
                assert_eq!(error.code, ErrorCode::OutcomeUnknown, "step {kill_at}: {error}")
            }
            Ending::Killed => unreachable!(),
        }
        assert!(world.submissions("CLM-Contracts-1") <= 1, "step {kill_at}");
        assert_eq!(puts(&world), 5, "step {kill_at}: a block that was there travelled again");
    }
}

#[test]
fn blocks_survive_a_lossy_network_and_urls_that_run_out() {
    let mut world = World::new();
    world.source = large();
    // Each signature lives for a few requests only, the last ones long enough to submit.
    world.url_life = std::time::Duration::from_millis(700);
    world.long_after = 4;
    world.faults = (0..40).map(|at| if at % 5 == 4 { Fault::LostBefore } else { Fault::None }).collect();
    let Ending::Done(_) = world.hold(&mut begin(&world)) else { panic!("the import did not end well") };
    assert_eq!(world.submissions("CLM-Contracts-1"), 1);
    assert_eq!(world.blobs.values().next(), Some(&world.source));
}

#[test]
fn of_two_workers_at_one_checkpoint_in_a_store_one_submits() {
    // The store of the host, as `store` of a job keeps it: a save names the version that it replaces.
    let mut world = World::new();
    world.kill_at = Some(4);
    world.hold(&mut begin(&world));
    let mut first = go_on(&world);
    let mut second = go_on(&world);
    world.exclusive = true;
    let Ending::Done(_) = world.hold(&mut first) else { panic!("the first one did not end well") };
    let Ending::Failed(error) = world.hold(&mut second) else { panic!("both went on") };
    assert_eq!(error.code, ErrorCode::CheckpointConflict);
    assert_eq!(world.submissions("CLM-Contracts-1"), 1);
}

#[test]
fn the_calls_of_two_imports_take_turns() {
    use d365_clm::http::{Input, Machine, Step};
    let mut world = World::new();
    let new = |id: &str| {
        let mut named = options();
        named.execution_id = id.to_owned();
        Import::new(&World::service(), named, None).unwrap()
    };
    let mut jobs = [new("A"), new("B")];
    let mut calling: Option<usize> = None;
    let mut done = [false; 2];
    let mut waits = 0;
    // The answer of a submission is held back until the other one has had every chance to send its own.
    let mut held: Option<(usize, Input)> = None;
    while done != [true; 2] {
        let mut stuck = true;
        for at in 0..2 {
            if done[at] || held.as_ref().is_some_and(|(who, _)| *who == at) {
                continue;
            }
            match jobs[at].next(world.now) {
                Step::Wait(until) => {
                    waits += 1;
                    if held.is_none() || waits % 7 == 0 {
                        world.now = world.now.max(until);
                    }
                    continue;
                }
                Step::Send(request) if request.url.ends_with("ImportFromPackage") => {
                    assert_eq!(calling, None, "two imports call at the same time");
                    calling = Some(at);
                    held = Some((at, world.answer(&request)));
                }
                Step::Send(request) => {
                    let answer = world.answer(&request);
                    jobs[at].handle(answer, world.now);
                }
                Step::Token(_) => jobs[at].handle(Input::TokenRenewed { expires: None }, world.now),
                Step::Save(_) => jobs[at].handle(Input::Saved, world.now),
                Step::Load(key) => {
                    let answer = Input::Loaded(world.store.get(&key).cloned());
                    jobs[at].handle(answer, world.now);
                }
                Step::Store(store) => {
                    let answer = world.keep(store);
                    jobs[at].handle(answer, world.now);
                }
                Step::Read(range) => jobs[at].handle(Input::Bytes(world.read(range)), world.now),
                Step::Done(_) => done[at] = true,
                Step::Failed(error) => panic!("{error}"),
                _ => {}
            }
            stuck = false;
        }
        if stuck
            && waits > 20
            && let Some((who, answer)) = held.take()
        {
            jobs[who].handle(answer, world.now);
            calling = None;
            waits = 0;
        }
    }
    assert_eq!((world.submissions("A"), world.submissions("B")), (1, 1));
}

#[test]
fn a_cancelled_job_lets_others_call() {
    use d365_clm::http::{Input, Machine, Step};
    let mut world = World::new();
    let mut job = begin(&world);
    let error = loop {
        match job.next(world.now) {
            Step::Save(save) if save.state.contains("submitting") => job.handle(Input::Cancelled, world.now),
            Step::Save(_) => job.handle(Input::Saved, world.now),
            Step::Send(request) => {
                assert!(!request.url.ends_with("ImportFromPackage"));
                let answer = world.answer(&request);
                job.handle(answer, world.now);
            }
            Step::Token(_) => job.handle(Input::TokenRenewed { expires: None }, world.now),
            Step::Read(range) => job.handle(Input::Bytes(world.read(range)), world.now),
            Step::Load(key) => job.handle(Input::Loaded(world.store.get(&key).cloned()), world.now),
            Step::Store(store) => {
                let answer = world.keep(store);
                job.handle(answer, world.now);
            }
            Step::Failed(error) => break error,
            Step::Done(_) => panic!("it was cancelled"),
            _ => {}
        }
    };
    assert_eq!(error.code, ErrorCode::Aborted);
    let lease = world.store.values().next().expect("there was a lease");
    assert!(lease.value.contains("\"until\":0"), "the lease is still held: {}", lease.value);
}

#[test]
fn a_second_submission_is_made_only_where_the_caller_takes_the_risk() {
    let mut world = World::new();
    world.faults = vec![Fault::None, Fault::None, Fault::LostBefore];
    let mut risky = options();
    risky.resubmit = true;
    let mut job = Import::new(&World::service(), risky, None).unwrap();
    let Ending::Done(_) = world.hold(&mut job) else { panic!("it was to be submitted again") };
    assert_eq!(world.submissions("CLM-Contracts-1"), 1);
    let submissions = world.requests.iter().filter(|name| *name == "ImportFromPackage").count();
    assert_eq!(submissions, 1, "the first one never arrived");
}

#[test]
fn a_checkpoint_that_can_not_be_kept_stops_the_job_unsent() {
    use d365_clm::http::{Input, Machine, Step};
    let mut world = World::new();
    let mut job = begin(&world);
    let mut saves = 0;
    let error = loop {
        match job.next(world.now) {
            Step::Save(_) => {
                saves += 1;
                let answer = match saves {
                    2 => Input::SaveRefused(Box::new(d365_clm::Error::new(
                        ErrorCode::CheckpointConflict,
                        "newer",
                    ))),
                    _ => Input::Saved,
                };
                job.handle(answer, world.now);
            }
            Step::Send(request) => {
                assert!(!request.url.ends_with("ImportFromPackage"), "submitted without a checkpoint");
                let answer = world.answer(&request);
                job.handle(answer, world.now);
            }
            Step::Token(_) => job.handle(Input::TokenRenewed { expires: None }, world.now),
            Step::Read(range) => job.handle(Input::Bytes(world.read(range)), world.now),
            Step::Load(key) => job.handle(Input::Loaded(world.store.get(&key).cloned()), world.now),
            Step::Store(store) => {
                let answer = world.keep(store);
                job.handle(answer, world.now);
            }
            Step::Wait(until) => world.now = until,
            Step::Failed(error) => break error,
            Step::Done(_) => panic!("it can't have ended well"),
            _ => {}
        }
    };
    assert_eq!(error.code, ErrorCode::CheckpointConflict);
}
