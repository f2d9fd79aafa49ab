//! Imports: never lost, never twice.

use d365_clm::ErrorCode;
use d365_clm::dmf::{Checkpoint, ExecutionStatus, Import, ImportOptions, SourceMark};

use crate::world::{Ending, Fault, World};

pub(crate) fn options() -> ImportOptions {
    serde_json::from_str(r#"{"project":"CLM-Contracts","executionId":"CLM-Contracts-1"}"#).unwrap()
}

pub(crate) fn begin(world: &World) -> Import {
    Import::new(&World::service(), options(), SourceMark::of(&world.source)).unwrap()
}

/// What another process does with what the first one left on disk; a job without a checkpoint never began.
pub(crate) fn go_on(world: &World) -> Import {
    let Some(saved) = world.saved.last() else { return begin(world) };
    let checkpoint = Checkpoint::parse(&World::service(), saved).unwrap();
    Import::resume(&World::service(), checkpoint, options(), Some(SourceMark::of(&world.source))).unwrap()
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
            Step::Read(_) => job.handle(Input::Bytes(world.source.clone()), world.now),
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
    let resume = |source: Option<&[u8]>| {
        let checkpoint = Checkpoint::parse(&World::service(), world.saved.last().unwrap()).unwrap();
        Import::resume(&World::service(), checkpoint, options(), source.map(SourceMark::of)).unwrap_err().code
    };
    assert_eq!(resume(Some(b"another")), ErrorCode::SourceChanged);
    assert_eq!(resume(None), ErrorCode::SourceRequired);
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
            Step::Read(_) => job.handle(Input::Bytes(world.source.clone()), world.now),
            Step::Wait(until) => world.now = until,
            Step::Failed(error) => break error,
            Step::Done(_) => panic!("it can't have ended well"),
            _ => {}
        }
    };
    assert_eq!(error.code, ErrorCode::CheckpointConflict);
}

#[test]
fn a_source_that_changes_under_way_is_not_uploaded() {
    let mut world = World::new();
    let mut job = begin(&world);
    world.source = b"THE PACKAGE".to_vec();
    let Ending::Failed(error) = world.hold(&mut job) else { panic!("other bytes were imported") };
    assert_eq!(error.code, ErrorCode::SourceChanged);
    assert!(world.blobs.is_empty() && world.runs.is_empty());
}
