//! Events as a person sees them: bars on a terminal, plain lines elsewhere, and the table.

use std::io::IsTerminal as _;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::event::{Event, Row};

/// Shows one stage at a time.
pub(super) struct Renderer {
    terminal: bool,
    stage: Option<Stage>,
}

struct Stage {
    name: String,
    bar: ProgressBar,
    start: Instant,
    last: Option<String>,
}

impl Renderer {
    pub(super) fn new() -> Renderer {
        Renderer { terminal: std::io::stdout().is_terminal(), stage: None }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Stage { name } => self.begin(name),
            Event::Progress { stage, done, total, unit } => {
                if self.stage.as_ref().is_none_or(|current| current.name.is_empty()) {
                    self.begin(stage);
                }
                if let Some(current) = &mut self.stage {
                    current.progress(stage, *done, *total, unit);
                }
            }
            Event::Text(text) => match &self.stage {
                Some(current) => current.bar.suspend(|| println!("  {text}")),
                None => println!("  {text}"),
            },
            Event::Table(_) | Event::Error(_) => {}
        }
    }

    /// Ends the last stage's line.
    pub(super) fn finish(&mut self) {
        if let Some(stage) = self.stage.take() {
            stage.bar.finish_and_clear();
            let last = stage.last.map(|text| format!("  ({text})")).unwrap_or_default();
            println!("  ✓ {:<58} {:>6.1} s{last}", stage.name, stage.start.elapsed().as_secs_f64());
        }
    }

    fn begin(&mut self, name: &str) {
        self.finish();
        let target = if self.terminal { ProgressDrawTarget::stdout() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(spinner());
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        if !self.terminal {
            println!("  … {name}");
        }
        self.stage = Some(Stage { name: name.to_owned(), bar, start: Instant::now(), last: None });
    }
}

impl Stage {
    fn progress(&mut self, step: &str, done: f64, total: Option<f64>, unit: &str) {
        let text = amount(done, total, unit);
        match total {
            Some(total) if total > 0.0 => {
                self.bar.set_style(bar());
                // In thousandths, so that bytes and rows of any size fit.
                self.bar.set_length(1000);
                self.bar.set_position(thousandths(done / total));
            }
            _ => self.bar.set_style(spinner()),
        }
        self.bar.set_message(format!("{}: {step} {text}", self.name));
        self.last = Some(format!("{step} {text}"));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0…1000 right before")]
fn thousandths(part: f64) -> u64 {
    (part.clamp(0.0, 1.0) * 1000.0) as u64
}

fn amount(done: f64, total: Option<f64>, unit: &str) -> String {
    match (unit, total) {
        ("bytes", Some(total)) => format!("{:.1} of {:.1} MB", done / 1e6, total / 1e6),
        ("bytes", None) => format!("{:.1} MB", done / 1e6),
        (_, Some(total)) => format!("{done:.0} of {total:.0} {unit}"),
        (_, None) => format!("{done:.0} {unit}"),
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("  {spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn bar() -> ProgressStyle {
    ProgressStyle::with_template("  {spinner} [{bar:24}] {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
}

/// The table, with a line for each row and its notes below.
pub(super) fn table(rows: &[Row]) -> String {
    let head =
        ["entity", "direction", "rows sent", "imported", "exported", "changed", "incremental", "time", ""];
    let mut cells: Vec<[String; 9]> = vec![head.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        [
            row.entity.clone(),
            row.direction.clone(),
            figure(row.sent),
            figure(row.imported),
            figure(row.exported),
            figure(row.changed),
            figure(row.incremental),
            format!("{:.1} s", row.ms / 1000.0),
            if row.ok { "ok" } else { "WRONG" }.to_owned(),
        ]
    }));
    let width = |column: usize| {
        cells
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut lines: Vec<String> = cells.iter().map(|line| aligned(line, &widths)).collect();
    lines.insert(1, widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  "));
    lines.extend(
        rows.iter().filter_map(|row| row.note.as_ref().map(|note| format!("  {}: {note}", row.entity))),
    );
    lines.join("\n")
}

/// Words to the left, figures to the right.
fn aligned(cells: &[String; 9], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
        if matches!(column, 2..=7) { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// With a comma between thousands; a dash where nothing applies.
fn figure(value: Option<u64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_commas_between_thousands() {
        assert_eq!(figure(None), "–");
        assert_eq!(figure(Some(0)), "0");
        assert_eq!(figure(Some(999)), "999");
        assert_eq!(figure(Some(20_000)), "20,000");
        assert_eq!(figure(Some(1_234_567)), "1,234,567");
    }

    #[test]
    fn the_table_is_aligned_and_carries_the_notes() {
        let row = |entity: &str, sent, exported, ok, note: Option<&str>| Row {
            entity: entity.into(),
            direction: "CLM → SCM".into(),
            sent,
            imported: sent,
            exported,
            changed: None,
            incremental: None,
            next: None,
            ms: 1250.0,
            ok,
            note: note.map(str::to_owned),
        };
        let rows = [
            row("Contracts", Some(5000), None, true, None),
            row("X", None, Some(7), false, Some("8 expected")),
        ];
        let expected = "\
entity     direction  rows sent  imported  exported  changed  incremental   time
─────────  ─────────  ─────────  ────────  ────────  ───────  ───────────  ─────  ─────
Contracts  CLM → SCM      5,000     5,000         –        –            –  1.2 s  ok
X          CLM → SCM          –         –         7        –            –  1.2 s  WRONG
  X: 8 expected";
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn amounts_name_their_unit() {
        assert_eq!(amount(1_500_000.0, Some(3_000_000.0), "bytes"), "1.5 of 3.0 MB");
        assert_eq!(amount(12.0, None, "polls"), "12 polls");
        assert_eq!(amount(5.0, Some(10.0), "rows"), "5 of 10 rows");
    }
}
