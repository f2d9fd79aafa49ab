//! Data projects: corrected where they differ, and nowhere else.

use d365_clm::ErrorCode;
use d365_clm::dmf::{DataProject, Ensure, Ensured};
use serde_json::json;

use crate::world::{Ending, Fault, World};

const PROJECT: &str = r#"{"name":"CLM-Vendors-Export-USMF","operation":"Export","description":"Vendors",
    "entities":[{"entity":"VendorsV2","refresh":"IncrementalPush"},{"entity":"Currencies"}]}"#;

fn ensure(world: &mut World, json: &str) -> Ending<Ensured> {
    hold(world, json, false)
}

fn exactly(world: &mut World, json: &str) -> Ending<Ensured> {
    hold(world, json, true)
}

fn hold(world: &mut World, json: &str, exact: bool) -> Ending<Ensured> {
    let project: DataProject = serde_json::from_str(json).unwrap();
    world.hold(&mut Ensure::new(&World::service(), project, exact).unwrap())
}

fn tracked() -> World {
    let mut world = World::new();
    world.tracking.insert("Vendors V2".into(), "PrimaryTable".into());
    world
}

fn done(ending: Ending<Ensured>) -> Ensured {
    match ending {
        Ending::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_project_is_created_and_a_second_time_nothing_is_done() {
    let mut world = tracked();
    let first = done(ensure(&mut world, PROJECT));
    assert!(first.created);
    assert_eq!(first.changed, ["project", "Vendors V2", "Currencies"]);
    assert_eq!(world.lines.len(), 2);
    assert_eq!(world.lines[0]["ValidationStatus"], "Yes", "made with its mapping");
    assert_eq!(world.projects["CLM-Vendors-Export-USMF"]["OperationType"], "Export");
    let second = done(ensure(&mut world, PROJECT));
    assert_eq!((second.created, second.changed.len()), (false, 0));
}

#[test]
fn only_what_differs_and_was_named_is_corrected() {
    let mut world = tracked();
    done(ensure(&mut world, PROJECT));
    world.lines[0]["DefaultRefreshType"] = "FullPush".into();
    world.lines[0]["QueryData"] = "a filter made by hand".into();
    world.lines[1]["ExecutionUnit"] = 9.into();
    world.lines.push(json!({ "DefinitionGroupId": "CLM-Vendors-Export-USMF", "EntityName": "Sites V2" }));
    let done = done(ensure(&mut world, PROJECT));
    assert_eq!(done.changed, ["Vendors V2.DefaultRefreshType"]);
    assert_eq!(world.lines[0]["QueryData"], "a filter made by hand");
    assert_eq!(world.lines[1]["ExecutionUnit"], 9, "not named by the host");
    assert_eq!(world.lines.len(), 3, "further lines stay");
}

#[test]
fn a_project_of_the_other_direction_is_a_conflict() {
    let mut world = tracked();
    world.projects.insert("CLM-Vendors-Export-USMF".into(), json!({ "OperationType": "Import" }));
    let Ending::Failed(error) = ensure(&mut world, PROJECT) else { panic!("it was accepted") };
    assert_eq!(error.code, ErrorCode::Conflict);
    assert_eq!(world.lines.len(), 0);
}

#[test]
fn change_tracking_that_is_off_is_told_before_anything_is_made() {
    let mut world = World::new();
    world.tracking.insert("Vendors V2".into(), "None".into());
    let Ending::Failed(error) = ensure(&mut world, PROJECT) else { panic!("it was accepted") };
    assert_eq!(error.code, ErrorCode::ValidationFailed);
    assert!(error.hint.as_deref().unwrap().contains("Change tracking"));
    assert!(world.projects.is_empty());
    world.tracking.clear();
    let Ending::Failed(error) = ensure(&mut world, PROJECT) else { panic!("it was accepted") };
    assert_eq!(error.code, ErrorCode::UnknownEntity);
}

#[test]
fn a_line_without_a_mapping_is_reported() {
    let mut world = tracked();
    done(ensure(&mut world, PROJECT));
    world.lines[1]["ValidationStatus"] = "No".into();
    let Ending::Failed(error) = ensure(&mut world, PROJECT) else { panic!("it was accepted") };
    assert_eq!(error.at.as_deref().unwrap().entity.as_deref(), Some("Currencies"));
}

#[test]
fn lost_answers_and_deaths_leave_one_project_with_its_lines() {
    for at in 0..9 {
        let mut world = tracked();
        world.faults = (0..at).map(|_| Fault::None).chain([Fault::LostAfter]).collect();
        let ending = ensure(&mut world, PROJECT);
        assert!(matches!(ending, Ending::Done(_)), "lost answer {at}: {ending:?}");
        assert_eq!((world.projects.len(), world.lines.len()), (1, 2), "lost answer {at}");
    }
    for kill_at in 0..40 {
        let mut world = tracked();
        world.kill_at = Some(kill_at);
        if matches!(ensure(&mut world, PROJECT), Ending::Killed) {
            done(ensure(&mut world, PROJECT));
        }
        assert_eq!((world.projects.len(), world.lines.len()), (1, 2), "killed at {kill_at}");
    }
}

#[test]
fn exact_deletes_further_lines_and_says_so() {
    let with_more = || {
        let mut world = tracked();
        done(ensure(&mut world, PROJECT));
        for label in ["Sites V2", "Terms of payment"] {
            world.lines.push(json!({ "DefinitionGroupId": "CLM-Vendors-Export-USMF", "EntityName": label }));
        }
        world
    };
    let labels = |world: &World| -> Vec<String> {
        world.lines.iter().map(|line| line["EntityName"].as_str().unwrap().to_owned()).collect()
    };
    let mut world = with_more();
    let first = done(exactly(&mut world, PROJECT));
    assert_eq!(
        (first.created, first.changed),
        (false, vec!["Sites V2 (deleted)".into(), "Terms of payment (deleted)".into()])
    );
    assert_eq!(labels(&world), ["Vendors V2", "Currencies"]);
    assert_eq!(done(exactly(&mut world, PROJECT)).changed.len(), 0);
    let mut killed = 0;
    for kill_at in 0..40 {
        let mut world = with_more();
        world.steps = 0;
        world.kill_at = Some(kill_at);
        if matches!(exactly(&mut world, PROJECT), Ending::Killed) {
            killed += 1;
            done(exactly(&mut world, PROJECT));
        }
        assert_eq!(labels(&world), ["Vendors V2", "Currencies"], "killed at {kill_at}");
    }
    assert!(killed >= 10, "killed only {killed} times");
    for at in 0..6 {
        let mut world = with_more();
        world.faults = (0..at).map(|_| Fault::None).chain([Fault::LostAfter]).collect();
        done(exactly(&mut world, PROJECT));
        assert_eq!(labels(&world), ["Vendors V2", "Currencies"], "lost answer {at}");
    }
}

#[test]
fn an_update_conflict_is_waited_out_three_times() {
    let mut world = tracked();
    world.conflicts = 3;
    let began = world.now;
    assert_eq!(done(ensure(&mut world, PROJECT)).changed.len(), 3);
    let waited = world.now.since(began).as_secs();
    assert!((15..20).contains(&waited), "waited {waited} s, not 5 s three times");
    let mut world = tracked();
    world.conflicts = 4;
    let Ending::Failed(error) = ensure(&mut world, PROJECT) else { panic!("it went on") };
    assert_eq!(error.code, ErrorCode::Conflict);
    assert_eq!(error.at.as_deref().unwrap().entity.as_deref(), Some("Vendors V2"));
}

#[test]
fn staging_that_can_not_be_skipped_is_not() {
    let json = r#"{"name":"P","operation":"Import","entities":[{"entity":"Currencies","skipStaging":true},
        {"entity":"PaymentTerms","skipStaging":true}]}"#;
    let mut world = tracked();
    world.staged_only = vec!["Currencies".into()];
    done(ensure(&mut world, json));
    assert_eq!(
        (&world.lines[0]["SkipStaging"], &world.lines[1]["SkipStaging"]),
        (&"No".into(), &"Yes".into())
    );
    assert_eq!(done(ensure(&mut world, json)).changed.len(), 0);
}

#[test]
fn what_a_lost_answer_hid_is_still_told() {
    // Requests: change tracking, project, creation, lines, first line.
    for at in [2, 4] {
        let mut world = tracked();
        world.faults = (0..at).map(|_| Fault::None).chain([Fault::LostAfter]).collect();
        let done = done(ensure(&mut world, PROJECT));
        assert_eq!(
            (done.created, done.changed),
            (true, vec!["project".into(), "Vendors V2".into(), "Currencies".into()])
        );
    }
}

#[test]
fn imports_are_ordered_by_what_their_rows_refer_to() {
    let json = r#"{"name":"CLM-In","operation":"Import","entities":[{"entity":"CLMIntegrationPurchaseAgreementLines"},
        {"entity":"CLMIntegrationPurchaseAgreements"},{"entity":"CLMIntegrationContracts"},{"entity":"CLMIntegrationContractTypes"}]}"#;
    let mut world = tracked();
    done(ensure(&mut world, json));
    let level = |world: &World, index: usize| world.lines[index]["LevelInExecutionUnit"].as_u64().unwrap();
    assert_eq!([0, 1, 2, 3].map(|index| level(&world, index)), [4, 3, 2, 1]);
    // What is stored counts for a line that is added: below the contracts that somebody put at level 7.
    world.lines[2]["LevelInExecutionUnit"] = 7.into();
    world.lines.remove(1);
    assert_eq!(done(ensure(&mut world, json)).changed, ["CLM integration purchase agreements"]);
    assert_eq!(world.lines[3]["LevelInExecutionUnit"], 8);
    assert_eq!(world.lines[1]["LevelInExecutionUnit"], 7, "not named by the host");
}
