//! Anything may happen, in any order.

use d365_clm::ErrorCode;
use d365_clm::dmf::ExecutionStatus;
use d365_clm::http::{Input, Machine, Response, Step, Timestamp, TransportError, TransportKind};
use proptest::prelude::*;

use crate::import;
use crate::world::{Ending, Fault, World};

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::LostBefore),
        1 => Just(Fault::LostAfter),
        1 => Just(Fault::Busy),
        1 => Just(Fault::Refused),
        1 => Just(Fault::Gateway),
        1 => Just(Fault::Down),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Faults on any request, and up to three deaths: never two submissions, always an end, and an end that is true.
    #[test]
    fn an_import_is_never_submitted_twice(
        faults in proptest::collection::vec(fault(), 0..40),
        kills in proptest::collection::vec(0usize..80, 0..3),
    ) {
        let mut world = World::new();
        world.faults = faults;
        let mut job = import::begin(&world);
        let mut ending = None;
        for kill in kills.iter().map(Some).chain([None]) {
            world.kill_at = kill.map(|after| world.steps + after);
            match world.hold(&mut job) {
                Ending::Killed => job = import::go_on(&world),
                other => {
                    ending = Some(other);
                    break;
                }
            }
        }
        let submissions = world.submissions("CLM-Contracts-1");
        prop_assert!(submissions <= 1, "{submissions} submissions");
        match ending {
            Some(Ending::Done(outcome)) => {
                prop_assert_eq!(outcome.status, ExecutionStatus::Succeeded);
                prop_assert_eq!(submissions, 1);
            }
            // What the service has taken is found, unless the network or the token never came back.
            Some(Ending::Failed(error)) if error.code == ErrorCode::OutcomeUnknown => {
                prop_assert_eq!(submissions, 0, "the run is there and was not found");
            }
            Some(Ending::Failed(_)) => {}
            other => prop_assert!(false, "no end: {:?}", other),
        }
    }

    /// Whatever is handed over, in any order: no panic, and no step after the end but an error.
    #[test]
    fn no_input_brings_a_job_down(inputs in proptest::collection::vec((0u8..12, any::<u16>(), ".{0,40}"), 0..60)) {
        let world = World::new();
        let mut job = import::begin(&world);
        let mut now = Timestamp::from_millis(0);
        let mut submitted = 0;
        for (kind, number, text) in inputs {
            match job.next(now) {
                Step::Send(request) => submitted += usize::from(request.url.ends_with("ImportFromPackage")),
                Step::Wait(until) => now = until,
                Step::Done(_) | Step::Failed(_) => break,
                _ => {}
            }
            let input = match kind {
                0 => Input::Response(Response::new(number % 600, text)),
                1 => Input::TransportError(TransportError::new(TransportKind::NoAnswer, text)),
                2 => Input::TokenRenewed { expires: Some(Timestamp::from_millis(number.into())) },
                3 => Input::TokenFailed { message: text },
                4 => Input::Saved,
                5 => Input::Bytes(text.into_bytes()),
                6 => Input::Response(Response::new(200, format!("{{\"value\":\"{text}\"}}"))),
                7 => Input::Bytes(world.source.clone()),
                8 => Input::Stored(text),
                9 => Input::Loaded(None),
                10 => Input::StoreConflict,
                _ => Input::Cancelled,
            };
            job.handle(input, now);
        }
        prop_assert!(submitted <= 1);
    }
}
