//! Exports: the submission, and the run, with change tracking.
//!
//! The marker of an incremental line is kept per project, entity and company. It moves when the run exports the
//! entity, whether or not anybody downloads the package.

use super::data_file::DataFile;
use super::definitions::Definitions;
use super::entities::change_tracking;
use super::execute::{Finished, drive};
use super::export_composite::export_composite;
use super::formats::{Format, unknown_format};
use super::import::{Cause, Turn, admit, check_company, register};
use super::prepare::template;
use super::projects::{self, Line, Project};
use super::records::Detail;
use crate::catalog::{COMPANY, Kind, Property};
use crate::odata::Parameters;
use crate::package::{OutEntity, file_name, package};
use crate::server::App;
use crate::store::{EntityLog, RunState, StoreError, Stored};
use crate::value::{Decimal, NO_DATE, default_value};

/// What an export call asks for beyond its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Everything,
    /// At most so many records per entity; 0 is no limit. Does not move markers (unverified).
    Preview(usize),
}

/// An export that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) project: String,
    pub(crate) package: String,
    /// Never empty.
    pub(crate) execution: String,
    pub(crate) again: bool,
    pub(crate) company: String,
    /// Labels; none are all.
    pub(crate) entities: Vec<String>,
    pub(crate) extent: Extent,
}

/// `ExportToPackage` and its variants: returns the execution id.
pub(crate) fn submit(app: &App, parameters: &Parameters, extent: Extent) -> Result<String, Cause> {
    let request = Request {
        project: parameters.text("definitionGroupId").to_owned(),
        package: parameters.text("packageName").to_owned(),
        execution: match parameters.text("executionId") {
            "" => format!("ExportPackage-{}", uuid::Uuid::new_v4()),
            id => id.to_owned(),
        },
        again: parameters.flag("reExecute"),
        company: parameters.text("legalEntityId").to_owned(),
        entities: labels(parameters.text("entityList")),
        extent,
    };
    let execution = request.execution.clone();
    if let Some(run) = begin(app, request)? {
        tokio::spawn(run);
    }
    Ok(execution)
}

/// `ExportFromPackage`: the data project becomes what the package says, and is exported.
pub(crate) async fn submit_template(app: &App, parameters: &Parameters) -> Result<String, Cause> {
    if !parameters.flag("execute") {
        // What the service does then is not public.
        return Err(Cause(
            "ExportFromPackage without execute is not implemented by this sandbox.".to_owned(),
        ));
    }
    let request = Request {
        project: parameters.text("definitionGroupId").to_owned(),
        package: String::new(),
        execution: match parameters.text("executionId") {
            "" => format!("ExportPackage-{}", uuid::Uuid::new_v4()),
            id => id.to_owned(),
        },
        again: false,
        company: parameters.text("legalEntityId").to_owned(),
        entities: Vec::new(),
        extent: Extent::Everything,
    };
    if request.project.is_empty() {
        return Err(Cause("The parameter definitionGroupId must have a value.".to_owned()));
    }
    check_company(app, &request.company)?;
    let bytes = app
        .storage
        .fetch(parameters.text("packageUrl"), app.clock.now())
        .await
        .map_err(|error| Cause(format!("The package could not be downloaded: {error}.")))?;
    let definitions = app.store.with(Definitions::read)?;
    let (description, lines) = template(bytes, &app.catalog, &definitions).map_err(Cause)?;
    let overwrite = parameters.flag("overwrite");
    app.store.with(|db| {
        projects::define(&app.catalog, db, (&request.project, "Export"), &description, overwrite, &lines)?
            .map_err(Cause)
    })?;
    let execution = request.execution.clone();
    if let Some(run) = begin(app, request)? {
        tokio::spawn(run);
    }
    Ok(execution)
}

/// Labels in a list with commas.
pub(super) fn labels(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect()
}

/// Registers a run: what carries it out, or nothing where the submission is ignored.
pub(crate) fn begin(
    app: &App,
    request: Request,
) -> Result<Option<impl Future<Output = ()> + Send + 'static + use<>>, Cause> {
    let Request { project: name, execution, company, again, .. } = &request;
    let refused = || {
        Cause(format!(
            "Export to package failed for definition group: {name}, package name: {}, execution id: {execution}, reExecute: {again}, legal entity: {company}",
            request.package
        ))
    };
    let known = app.store.with(|db| db.run(execution))?;
    match &known {
        Some(run) if *again && run.state.terminal() && run.project == *name => {
            app.store.with(|db| db.count_submission(execution))?;
        }
        None if *again => return Err(refused()),
        _ => {
            if admit(app, execution)? == Turn::Ignored {
                return Ok(None);
            }
        }
    }
    let mut project = app
        .store
        .with(|db| projects::read(db, name))?
        .ok_or_else(|| Cause(format!("Data project {name} does not exist.")))?;
    if project.operation == "Import" {
        return Err(refused());
    }
    check_company(app, company)?;
    project.lines.retain(|line| {
        !line.disabled && (request.entities.is_empty() || request.entities.contains(&line.label))
    });

    app.store.with(|db| register(db, execution, name, company, "Export"))?;
    let details = project.lines.iter().map(|line| detail(name, execution, line)).collect();
    let job = Job {
        project: name.clone(),
        execution: execution.clone(),
        company: company.to_ascii_lowercase(),
        extent: request.extent,
    };
    let (execution, name) = (execution.clone(), name.clone());
    Ok(Some(drive(app.clone(), execution, name, details, move |app| job.run(app, &project))))
}

fn detail(project: &str, execution: &str, line: &Line) -> Detail {
    let mut detail = Detail::new(project, execution, &line.label, line.order);
    detail.format.clone_from(&line.format);
    detail
}

struct Job {
    project: String,
    execution: String,
    /// Lower case.
    company: String,
    extent: Extent,
}

impl Job {
    fn run(&self, app: &App, project: &Project) -> Result<Finished, StoreError> {
        let finished = |state, package| Ok(Finished { state, package, ..Finished::default() });
        let needed = project.lines.iter().any(|line| Format::parse(&line.format) == Some(Format::Excel));
        let workbooks = if needed { app.workbooks.try_lock().ok() } else { None };
        if self.project.contains('\'') {
            self.log(
                app,
                "",
                "The SSIS package could not be executed: the name of the data project holds an apostrophe.",
            )?;
            return finished(Some(RunState::Failed), None);
        }
        let mut entities = Vec::new();
        let mut failed = 0;
        for line in &project.lines {
            let mut detail = detail(&self.project, &self.execution, line);
            detail.start_staging(&app.clock);
            app.store.with(|db| detail.save(db))?;
            if !line.mapped {
                // Nothing is staged, and the run stays as it is.
                return finished(None, None);
            }
            let busy = workbooks.is_none() && Format::parse(&line.format) == Some(Format::Excel);
            let exported = if busy {
                Err("DMF2039: Another import or export of workbooks is running.".to_owned())
            } else {
                self.entity(app, line)?
            };
            match exported {
                Ok((entity, rows)) => {
                    detail.file.clone_from(&entity.file);
                    detail.to_stage = rows;
                    detail.staged = rows;
                    detail.end_staging(&app.clock, "Finished");
                    detail.start_target(&app.clock);
                    detail.created = rows;
                    detail.end_target(&app.clock, "Finished");
                    entities.push(entity);
                }
                Err(reason) => {
                    failed += 1;
                    detail.end_staging(&app.clock, "Error");
                    detail.target = "NotRun";
                    self.log(app, &line.label, &reason)?;
                }
            }
            app.store.with(|db| detail.save(db))?;
        }
        if entities.is_empty() {
            if failed == 0 {
                self.log(app, "", "The data project has no entities to export.")?;
            }
            return finished(Some(RunState::Failed), None);
        }
        let category =
            app.catalog.members("DMFProjectCategory").iter().position(|name| *name == project.category);
        let description = if project.description.is_empty() { &self.project } else { &project.description };
        match package(&self.project, description, category.unwrap_or(0), &entities) {
            Ok(bytes) if failed == 0 => finished(Some(RunState::Succeeded), Some(bytes)),
            Ok(bytes) => finished(Some(RunState::PartiallySucceeded), Some(bytes)),
            Err(error) => {
                self.log(app, "", &format!("The package could not be written: {error}."))?;
                finished(Some(RunState::Failed), None)
            }
        }
    }

    fn entity(&self, app: &App, line: &Line) -> Result<Result<(OutEntity, usize), String>, StoreError> {
        let Some(format) = Format::parse(&line.format) else { return Ok(Err(unknown_format(&line.format))) };
        let limit = match self.extent {
            Extent::Preview(count) if count > 0 => count,
            _ => usize::MAX,
        };
        let definitions = app.store.with(Definitions::read)?;
        if let Some(composite) = definitions.composite(&line.label) {
            let exported =
                app.store.with(|db| export_composite(app, db, composite, format, &self.company, limit))?;
            return Ok(exported.map(|found| {
                let (extension, _) = format.file_type();
                let file = file_name(&line.label, extension);
                (out_entity(line, String::new(), file, found.fields, found.data), found.rows)
            }));
        }
        let Some(entity) = app.catalog.label(&line.label) else {
            return Ok(Err(format!("Entity {} does not exist.", line.label)));
        };
        let properties: Vec<&Property> = entity
            .properties
            .iter()
            .filter(|property| !(entity.company && property.name == COMPANY))
            .collect();
        let columns: Vec<String> = properties.iter().map(|property| property.field.clone()).collect();
        let mut file = DataFile::new(format, &entity.aot, &entity.label, columns.clone());
        let mut rows = 0;
        app.store.with(|db| {
            let company = if entity.company { self.company.as_str() } else { "" };
            let tracked = line.incremental && change_tracking(db, &line.label)? != "None";
            let marker = if tracked { db.marker(&self.project, &line.label, company)? } else { None };
            db.scan(&entity.aot, Some(company), marker.unwrap_or(0), |stored| -> Result<(), StoreError> {
                if rows < limit {
                    file.push(
                        properties.iter().map(|property| cell(app, property, &stored, format)).collect(),
                    );
                    rows += 1;
                }
                Ok(())
            })?;
            if tracked && self.extent == Extent::Everything {
                let version = db.version()?;
                db.set_marker(&self.project, &line.label, company, version)?;
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(file.finish(&line.label).map(|data| {
            let name = file_name(&entity.label, format.file_type().0);
            (out_entity(line, entity.aot.clone(), name, columns, data), rows)
        }))
    }

    fn log(&self, app: &App, label: &str, message: &str) -> Result<(), StoreError> {
        let entry = EntityLog {
            entity: label.to_owned(),
            step: "staging",
            record: String::new(),
            field: String::new(),
            message: message.to_owned(),
        };
        app.store.with(|db| db.log(&self.execution, &entry))
    }
}

fn out_entity(line: &Line, target: String, file: String, fields: Vec<String>, data: Vec<u8>) -> OutEntity {
    OutEntity {
        label: line.label.clone(),
        target,
        file,
        format: line.format.clone(),
        refresh: if line.incremental { "IncrementalPush" } else { "FullPush" }.to_owned(),
        fields,
        unit: line.order.0,
        level: line.order.1,
        sequence: line.order.2,
        data,
    }
}

/// A value as it stands in a file: enums by symbol, dates in UTC without offset, decimals of workbooks as the service
/// writes them there.
pub(super) fn cell(app: &App, property: &Property, stored: &Stored, format: Format) -> String {
    let value = match stored.row.get(&property.name) {
        Some(value) => value.clone(),
        None => default_value(property, &app.catalog),
    };
    let text = value.as_text();
    match property.kind {
        Kind::DateTime if text == NO_DATE => "1900-01-01T00:00:00".to_owned(),
        Kind::DateTime => text.strip_suffix('Z').unwrap_or(text).to_owned(),
        Kind::Decimal if format == Format::Excel => workbook_decimal(text),
        _ => text.to_owned(),
    }
}

/// Six places at least and no zero before the point: `.000000`, `12.500000`.
fn workbook_decimal(text: &str) -> String {
    let Some(decimal) = Decimal::parse(text) else { return text.to_owned() };
    let text = decimal.to_text();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = match whole {
        "0" => "",
        "-0" => "-",
        whole => whole,
    };
    format!("{whole}.{fraction:0<6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_workbooks_begin_with_the_point() {
        let cases = [
            ("0", ".000000"),
            ("0.5", ".500000"),
            ("-0.25", "-.250000"),
            ("12.5", "12.500000"),
            ("-3", "-3.000000"),
            ("1.23456789", "1.23456789"),
        ];
        for (text, written) in cases {
            assert_eq!(workbook_decimal(text), written);
        }
    }
}
