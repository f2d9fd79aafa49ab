//! Whether the figures of the table are the right ones. They are written down here a second time, so that a quickstart that
//! checks too little is found out.

use anyhow::bail;

use super::event::Row;
use crate::say;

const CONTRACTS: u64 = 5_000;
const VENDORS: u64 = 20_000;
const CHANGED_VENDORS: u64 = 4;

/// What is wrong; empty when the job is right.
pub(super) struct Verdict(Vec<String>);

pub(super) fn judge(rows: &[Row]) -> Verdict {
    let mut wrong: Vec<String> = rows
        .iter()
        .filter(|row| !row.ok)
        .map(|row| format!("{} ({}) is not ok", row.entity, row.direction))
        .collect();
    let contracts: Vec<&Row> = rows.iter().filter(|row| is_about_contracts(&row.entity)).collect();
    let vendors: Vec<&Row> = rows.iter().filter(|row| row.entity.to_lowercase().contains("vendor")).collect();
    let mut expect = |what: &str, rows: &[&Row], figure: fn(&Row) -> Option<u64>, expected: u64| {
        let figures: Vec<u64> = rows.iter().filter_map(|row| figure(row)).collect();
        let sum: u64 = figures.iter().sum();
        if figures.is_empty() || sum != expected {
            wrong.push(format!("{what}: {expected} expected, the table tells {sum}"));
        }
    };
    expect("contracts sent", &contracts, |row| row.sent, CONTRACTS);
    expect("contracts imported", &contracts, |row| row.imported, CONTRACTS);
    expect("vendors exported over both companies", &vendors, |row| row.exported, VENDORS);
    expect("vendors changed", &vendors, |row| row.changed, CHANGED_VENDORS);
    expect("vendors in the incremental export", &vendors, |row| row.incremental, CHANGED_VENDORS);
    for row in vendors.iter().filter(|row| row.next.is_some_and(|rows| rows > 0)) {
        wrong.push(format!("{}: rows in the export after the incremental one", row.entity));
    }
    Verdict(wrong)
}

fn is_about_contracts(entity: &str) -> bool {
    let entity = entity.to_lowercase();
    entity.contains("contract") && !entity.contains("type")
}

impl Verdict {
    /// A line for the person; an error when anything is wrong.
    pub(super) fn print(&self) -> anyhow::Result<()> {
        let Verdict(wrong) = self;
        if !wrong.is_empty() {
            bail!("the figures are off:\n  {}", wrong.join("\n  "));
        }
        say!("\n✓ the whole road works: every figure of the table is the expected one");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the job must tell; each test spoils one figure.
    fn right() -> Vec<Row> {
        let row = |entity: &str, direction: &str| Row {
            entity: entity.into(),
            direction: direction.into(),
            sent: None,
            imported: None,
            exported: None,
            changed: None,
            incremental: None,
            next: None,
            ms: 1.0,
            ok: true,
            note: None,
        };
        let types =
            Row { sent: Some(3), imported: Some(3), ..row("CLM integration contract types", "CLM → SCM") };
        let contracts =
            Row {
                sent: Some(5_000), imported: Some(5_000), ..row("CLM integration contract", "CLM → SCM")
            };
        let vendors = |company: &str, changed| Row {
            exported: Some(10_000),
            changed: Some(changed),
            incremental: Some(changed),
            next: Some(0),
            ..row(&format!("Vendors V2 ({company})"), "SCM → CLM")
        };
        vec![types, contracts, vendors("usmf", 2), vendors("demf", 2)]
    }

    fn wrong(spoil: impl FnOnce(&mut Vec<Row>)) -> String {
        let mut rows = right();
        spoil(&mut rows);
        judge(&rows).0.join("; ")
    }

    #[test]
    fn the_right_figures_are_right() {
        assert_eq!(wrong(|_| {}), "");
    }

    #[test]
    fn every_figure_counts() {
        let told = wrong(|rows| rows[1].sent = Some(4_999));
        assert_eq!(told, "contracts sent: 5000 expected, the table tells 4999");
        let told = wrong(|rows| rows[1].imported = None);
        assert_eq!(told, "contracts imported: 5000 expected, the table tells 0");
        let told = wrong(|rows| rows[3].exported = Some(9_999));
        assert_eq!(told, "vendors exported over both companies: 20000 expected, the table tells 19999");
        let told = wrong(|rows| rows[2].changed = Some(3));
        assert_eq!(told, "vendors changed: 4 expected, the table tells 5");
        let told = wrong(|rows| rows[2].incremental = Some(10_000));
        assert_eq!(told, "vendors in the incremental export: 4 expected, the table tells 10002");
        let told = wrong(|rows| rows[2].next = Some(1));
        assert_eq!(told, "Vendors V2 (usmf): rows in the export after the incremental one");
    }

    #[test]
    fn a_row_that_is_not_ok_and_a_table_without_vendors_are_wrong() {
        let told = wrong(|rows| rows[0].ok = false);
        assert_eq!(told, "CLM integration contract types (CLM → SCM) is not ok");
        let told = wrong(|rows| rows.truncate(2));
        assert!(
            told.starts_with("vendors exported over both companies: 20000 expected, the table tells 0"),
            "{told}"
        );
    }
}
