//! What is said of entities as a list: their results in a run, and the order to import them in. No source shows the
//! format of either; both are guesses.

use super::export::labels;
use super::import::Cause;
use super::records;
use crate::odata::REFERENCES;
use crate::server::App;
use crate::store::StoreError;

/// `<label>: <member of the summary enum>` for each entity of a run.
pub(super) fn of_entities(app: &App, execution: &str) -> Result<Vec<String>, StoreError> {
    let columns = [
        "EntityName",
        "StagingStatus",
        "TargetStatus",
        "TargetRecordsCreatedCount",
        "TargetRecordsUpdatedCount",
    ];
    let rows = app.store.with(|db| records::details(db, execution, columns))?;
    let line = |[label, staging, target, created, updated]: [String; 5]| {
        let written = [created, updated].iter().any(|count| count != "0" && !count.is_empty());
        let status = match (staging.as_str(), target.as_str()) {
            ("NotStarted", _) => "NotRun",
            ("NotRun", "NotRun") => "NotRun",
            ("Executing", _) | (_, "Executing" | "NotStarted") => "Executing",
            ("Error", _) | (_, "Error") if written => "PartiallySucceeded",
            ("Error", _) | (_, "Error") => "Failed",
            _ => "Succeeded",
        };
        format!("{label}: {status}")
    };
    Ok(rows.into_iter().map(line).collect())
}

/// The labels, with commas, so that what others refer to comes first; otherwise as they were given.
pub(super) fn sequence(app: &App, list: &str) -> Result<String, Cause> {
    let mut left = labels(list);
    if let Some(unknown) = left.iter().find(|label| app.catalog.label(label).is_none()) {
        return Err(Cause(format!("Entity {unknown} does not exist.")));
    }
    Ok(ordered(&mut left).join(","))
}

fn ordered(left: &mut Vec<String>) -> Vec<String> {
    let mut sequence = Vec::new();
    while !left.is_empty() {
        let refers = |label: &String| {
            REFERENCES
                .iter()
                .any(|(from, _, to)| from == label && to != label && left.iter().any(|other| other == to))
        };
        // Where all refer to each other the first goes first.
        let next = left.iter().position(|label| !refers(label)).unwrap_or(0);
        sequence.push(left.remove(next));
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_referred_to_comes_first() {
        let mut given = labels(
            "CLM integration purchase agreement lines, Currencies,CLM integration purchase agreements,CLM integration contract,CLM integration contract types",
        );
        assert_eq!(
            ordered(&mut given),
            [
                "Currencies",
                "CLM integration contract types",
                "CLM integration contract",
                "CLM integration purchase agreements",
                "CLM integration purchase agreement lines",
            ]
        );
    }
}
