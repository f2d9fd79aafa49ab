//! Exports: the marker moves with the run, so a run is never started twice and its package never given up.

use d365_clm::ErrorCode;
use d365_clm::dmf::{Checkpoint, Export, ExportOptions};
use d365_clm::package::{EntitySpec, Limits, LocalPackage, PackageSpec, PackageWriter};

use crate::world::{Ending, Fault, World};

const ID: &str = "CLM-Vendors-1";

fn options() -> ExportOptions {
    serde_json::from_str(&format!(r#"{{"project":"CLM-Vendors","executionId":"{ID}"}}"#)).unwrap()
}

fn begin() -> Export {
    Export::new(&World::service(), options()).unwrap()
}

fn go_on(world: &World) -> Export {
    let Some(saved) = world.saved.last() else { return begin() };
    Export::resume(&World::service(), Checkpoint::parse(&World::service(), saved).unwrap(), options())
        .unwrap()
}

/// A package of two vendors.
fn package() -> Vec<u8> {
    let mut spec = PackageSpec::new("CLM-Vendors");
    spec.entities.push(EntitySpec::new("Vendors V2"));
    let mut writer = PackageWriter::new(spec).unwrap();
    writer.begin_entity(0, &["VendorAccountNumber".into()]).unwrap();
    writer.write_rows("10011002", &[4, 8], &[0, 0]).unwrap();
    writer.end_entity().unwrap();
    writer.finish().unwrap()
}

/// The same, made once.
pub(crate) fn package_bytes() -> &'static [u8] {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(package)
}

fn world() -> World {
    let mut world = World::new();
    (world.rows, world.package) = (2, package());
    world
}

#[test]
fn a_package_is_made_fetched_and_counted() {
    let mut world = world();
    world.empty_urls = 2;
    let Ending::Done(exported) = world.hold(&mut begin()) else { panic!("the export did not end well") };
    let package = LocalPackage::open(exported.bytes, Limits::default()).unwrap();
    assert_eq!(package.count_rows(0).unwrap(), 2);
    assert_eq!(world.submissions(ID), 1);
    assert!(world.runs[ID].export);
}

#[test]
fn killed_at_any_step_a_resumed_job_fetches_the_package_of_the_same_run() {
    let mut once = world();
    once.hold(&mut begin());
    assert!(once.steps > 20, "only {} steps", once.steps);
    for kill_at in 0..once.steps {
        let mut world = world();
        world.kill_at = Some(kill_at);
        assert!(matches!(world.hold(&mut begin()), Ending::Killed), "step {kill_at}");
        let submitted = world.submissions(ID);
        match world.hold(&mut go_on(&world)) {
            Ending::Done(exported) => assert_eq!(exported.bytes, world.package, "step {kill_at}"),
            Ending::Failed(error) => {
                assert_eq!(error.code, ErrorCode::OutcomeUnknown, "step {kill_at}: {error}");
                assert_eq!(submitted, 0, "step {kill_at}: the run was there and was not found");
            }
            Ending::Killed => unreachable!(),
        }
        assert!(
            world.submissions(ID) <= 1,
            "step {kill_at}: two runs, and the changes of the first are lost"
        );
    }
}

#[test]
fn a_lost_answer_is_looked_for() {
    let mut world = world();
    world.faults = vec![Fault::LostAfter];
    assert!(matches!(world.hold(&mut begin()), Ending::Done(_)));
    assert_eq!(world.submissions(ID), 1);
}

#[test]
fn a_package_with_fewer_rows_than_the_run_counted_is_not_handed_over() {
    let mut world = world();
    world.rows = 3;
    let Ending::Failed(error) = world.hold(&mut begin()) else {
        panic!("a row is missing and nobody said so")
    };
    assert_eq!(error.code, ErrorCode::PackageCorrupt);
    assert!(error.message.contains("3 rows") && error.message.contains("holds 2"), "{error}");
    let downloads = world.requests.iter().filter(|name| *name == "GetExportedPackageUrl").count();
    assert_eq!(downloads, 3, "fetched anew before it is given up");
}

#[test]
fn a_damaged_download_is_fetched_again() {
    let mut world = world();
    world.package.truncate(100);
    let Ending::Failed(error) = world.hold(&mut begin()) else { panic!("half a package was handed over") };
    assert!(matches!(error.code, ErrorCode::PackageCorrupt | ErrorCode::NotAPackage), "{error:?}");
}

#[test]
fn the_network_may_fail_anywhere_after_the_submission() {
    let mut world = world();
    world.faults =
        vec![Fault::None, Fault::LostBefore, Fault::Down, Fault::LostAfter, Fault::None, Fault::Gateway];
    world.faults.extend(std::iter::repeat_n([Fault::None, Fault::LostBefore], 10).flatten());
    assert!(matches!(world.hold(&mut begin()), Ending::Done(_)));
    assert_eq!(world.submissions(ID), 1);
}
