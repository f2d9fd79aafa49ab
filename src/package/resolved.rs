//! A specification that was found sound: every default filled in, every name resolved.

use std::collections::{BTreeMap, HashSet};

use crate::catalog::{Catalog, Entity, builtin};
use crate::error::{Error, Result};
use crate::table::{Column, Encoding, Member, SourceFormat, Target, XmlStyle, sheet_name};

use super::manifest::{Manifest, ManifestEntity, Map};
use super::names::{check_data_file, check_project, file_name_of};
use super::row_file::Layout;
use super::spec::{EntitySpec, MemberSpec, PackageSpec};

/// Measured on the vendor file of the benches: the fastest level whose output is no larger than fflate's level 6.
const DEFAULT_LEVEL: u8 = 5;

/// A package to be written.
pub(super) struct Resolved {
    /// Without maps, which are known only when the columns are.
    pub(super) manifest: Manifest,
    pub(super) level: u8,
    /// One for each entity of the manifest.
    pub(super) plans: Vec<Plan>,
}

/// How the file of one entity is written.
pub(super) struct Plan {
    pub(super) layout: Layout,
    pub(super) columns: Vec<String>,
    pub(super) composite: Option<MemberSpec>,
    fields: BTreeMap<String, String>,
    known: Option<&'static Entity>,
}

impl Resolved {
    pub(super) fn new(spec: PackageSpec) -> Result<Self> {
        check_project(&spec.name)?;
        let level = spec.level.unwrap_or(DEFAULT_LEVEL);
        if level > 9 {
            return Err(Error::argument(format!("the compression level is {level}, the highest is 9")));
        }
        if spec.entities.is_empty() {
            return Err(Error::argument("the package has no entities")
                .hint("Name at least one entity with its rows."));
        }
        let mut manifest = Manifest {
            project: spec.name,
            description: spec.description.unwrap_or_default(),
            entities: Vec::with_capacity(spec.entities.len()),
        };
        let mut plans = Vec::with_capacity(spec.entities.len());
        let (mut labels, mut files) = (HashSet::new(), HashSet::new());
        for spec in spec.entities {
            let (entity, plan) = resolve(spec)?;
            if !labels.insert(entity.label.clone()) {
                return Err(Error::argument(format!("the entity \"{}\" is there twice", entity.label))
                    .in_entity(&entity.label)
                    .hint("Put all its rows into one file, or into several packages."));
            }
            // The service unpacks on Windows, where case does not tell files apart.
            if !files.insert(entity.file.to_ascii_lowercase()) {
                return Err(Error::argument(format!("two files are named \"{}\"", entity.file))
                    .in_entity(&entity.label)
                    .hint("Set fileName of one of the entities."));
            }
            if plan.composite.is_some() && plans.iter().any(|plan: &Plan| plan.composite.is_some()) {
                return Err(Error::argument("the package has two composite entities")
                    .in_entity(&entity.label)
                    .hint("Make a package of each: the service takes one at a time."));
            }
            manifest.entities.push(entity);
            plans.push(plan);
        }
        Ok(Self { manifest, level, plans })
    }
}

fn resolve(spec: EntitySpec) -> Result<(ManifestEntity, Plan)> {
    let known = builtin().find(&spec.entity);
    let label = known.map_or_else(|| spec.entity.clone(), |entity| entity.label.clone());
    let refuse = |message: String| Error::argument(message).in_entity(&label);
    if label.trim().is_empty() {
        return Err(Error::argument("an entity has no name").hint("Give the label of the data entity."));
    }
    let format = spec.format.unwrap_or_default();
    if spec.sheet.is_some() && format != SourceFormat::Excel {
        return Err(refuse(format!("\"{label}\" names a sheet, but its format is {format}"))
            .hint("Only workbooks (EXCEL) have sheets."));
    }
    if spec.encoding.is_some() && format != SourceFormat::Csv {
        return Err(refuse(format!("\"{label}\" names an encoding, but its format is {format}"))
            .hint("Only the format CSV has one to choose."));
    }
    let target = spec.target_entity.or_else(|| known.map(|entity| entity.aot.clone()));
    let xml = |style| Layout::Xml { style, record: target.as_ref().map(|name| name.to_ascii_uppercase()) };
    let (layout, extension) = match &format {
        SourceFormat::CsvUnicode => (Layout::Csv(Encoding::Utf16Le), "csv"),
        SourceFormat::Csv => (Layout::Csv(spec.encoding.unwrap_or_default().encoding()), "csv"),
        SourceFormat::XmlElement => (xml(XmlStyle::Element), "xml"),
        SourceFormat::XmlAttribute => (xml(XmlStyle::Attribute), "xml"),
        SourceFormat::Excel => {
            let sheet = spec.sheet.as_deref().map(|name| name.strip_suffix('$').unwrap_or(name).to_owned());
            (Layout::Workbook { sheet: sheet.unwrap_or_else(|| sheet_name(&label)) }, "xlsx")
        }
        SourceFormat::Other(_) => {
            return Err(refuse(format!("the format \"{format}\" of \"{label}\" can't be written"))
                .hint("Use CSV-Unicode, CSV, XML-Element, XML-Attribute or EXCEL."));
        }
    };
    if spec.composite.is_some() && !matches!(layout, Layout::Xml { .. }) {
        return Err(refuse(format!("the composite entity \"{label}\" is in the format {format}"))
            .hint("Use XML-Element or XML-Attribute: the service takes no other (DMF1963)."));
    }
    let sheet = match &layout {
        Layout::Workbook { sheet } => format!("{sheet}$"),
        _ => String::new(),
    };
    let file = spec.file_name.unwrap_or_else(|| file_name_of(&label, extension));
    check_data_file(&file).map_err(|error| error.in_entity(&label))?;
    let number = |name: &str, value: Option<u32>| {
        i32::try_from(value.unwrap_or(1)).map_err(|_| refuse(format!("{name} of \"{label}\" is too large")))
    };
    let entity = ManifestEntity {
        refresh: Some(spec.refresh.unwrap_or_default().as_str().to_owned()),
        disabled: spec.disabled.unwrap_or(false),
        maps: Vec::new(),
        sheet,
        execution_unit: number("executionUnit", spec.execution_unit)?,
        fail_execution_unit_on_error: spec.fail_execution_unit_on_error.unwrap_or(false),
        fail_level_on_error: spec.fail_level_on_error.unwrap_or(false),
        file,
        level: number("level", spec.level)?,
        run_business_logic: spec.run_business_logic.unwrap_or(true),
        run_business_validation: spec.run_business_validation.unwrap_or(true),
        sequence: number("sequence", spec.sequence)?,
        skip_staging: spec.skip_staging.unwrap_or(false),
        format,
        target_entity: target,
        validation_status: Some("Yes".to_owned()),
        transforms: Vec::new(),
        label,
    };
    let plan = Plan {
        layout,
        columns: spec.columns.unwrap_or_default(),
        composite: spec.composite,
        fields: spec.fields.unwrap_or_default(),
        known,
    };
    Ok((entity, plan))
}

impl Plan {
    /// The columns of a file whose header we write: upper case, as the service names its fields.
    pub(super) fn columns_to_write(&self, names: &[String]) -> Result<(Vec<Column>, Vec<Map>)> {
        self.columns_with(names, &self.fields, |name| name.to_ascii_uppercase())
    }

    /// The members of a composite in pre-order, and the maps of all their columns. Which maps the service itself makes of a
    /// composite is *unverified*: one for each name of a column, whichever members have it.
    pub(super) fn members_to_write(&self, root: &MemberSpec) -> Result<(Vec<Member>, Vec<Map>)> {
        let (mut members, mut maps) = (Vec::new(), Vec::new());
        self.member(root, None, &mut members, &mut maps)?;
        Ok((members, maps))
    }

    fn member(
        &self,
        spec: &MemberSpec,
        parent: Option<usize>,
        members: &mut Vec<Member>,
        maps: &mut Vec<Map>,
    ) -> Result<()> {
        let index = members.len();
        // The depth of a specification is bounded where it is read from JSON; records name members by a byte.
        if index > usize::from(u8::MAX) {
            return Err(Error::argument("a composite has more than 256 members"));
        }
        let (columns, own) =
            self.columns_with(&spec.columns, &BTreeMap::new(), |name| name.to_ascii_uppercase())?;
        members.push(Member { element: spec.element.clone(), columns, parent });
        for map in own {
            if !maps.iter().any(|known| known.column == map.column) {
                maps.push(map);
            }
        }
        spec.children.iter().try_for_each(|child| self.member(child, Some(index), members, maps))
    }

    /// Elements of the composite, the outermost first; none for another entity.
    pub(super) fn elements(&self) -> Vec<String> {
        fn collect(spec: &MemberSpec, into: &mut Vec<String>) {
            into.push(spec.element.clone());
            spec.children.iter().for_each(|child| collect(child, into));
        }
        let mut elements = Vec::new();
        if let Some(root) = &self.composite {
            collect(root, &mut elements);
        }
        elements
    }

    /// The maps of a file whose header is written already.
    pub(super) fn maps_of_header(&self, header: &[String]) -> Result<Vec<Map>> {
        self.columns_with(header, &self.fields, str::to_owned).map(|(_, maps)| maps)
    }

    fn columns_with(
        &self,
        names: &[String],
        given: &BTreeMap<String, String>,
        header: fn(&str) -> String,
    ) -> Result<(Vec<Column>, Vec<Map>)> {
        if let Some(unknown) = given.keys().find(|key| !names.contains(key)) {
            return Err(Error::argument(format!(
                "fields names the column \"{unknown}\", which the file lacks"
            ))
            .at_column(unknown));
        }
        let (mut headers, mut fields) = (HashSet::new(), HashSet::new());
        let mut columns = Vec::with_capacity(names.len());
        let mut maps = Vec::with_capacity(names.len());
        for name in names {
            let header = header(name);
            let field = given.get(name).cloned().unwrap_or_else(|| name.to_ascii_uppercase());
            check_name(name, &field)?;
            self.check_company(name, &field)?;
            for (what, taken) in
                [("name", headers.insert(header.clone())), ("staging field", fields.insert(field.clone()))]
            {
                if !taken {
                    return Err(Error::argument(format!("two columns have the {what} of \"{name}\""))
                        .at_column(name)
                        .hint("Names are not told apart by case: each field can be filled from one column only."));
                }
            }
            columns.push(Column {
                name: name.clone(),
                header: header.clone(),
                target: self.target(&field, builtin()),
            });
            maps.push(Map { column: header, field, ..Map::default() });
        }
        Ok((columns, maps))
    }

    fn target(&self, field: &str, catalog: &Catalog) -> Target {
        let property = self.known.and_then(|entity| entity.property_of_field(field));
        property.map_or(Target::Unknown, |property| Target::of(&property.edm, catalog))
    }

    /// The staging table of a company-specific entity has no such field: the company of the job decides.
    fn check_company(&self, name: &str, field: &str) -> Result<()> {
        let specific = self.known.is_some_and(Entity::is_company_specific);
        if specific && field.eq_ignore_ascii_case("dataAreaId") {
            return Err(Error::argument(format!(
                "\"{name}\" can't be a column of a company-specific entity"
            ))
            .at_column(name)
            .hint(
                "Leave it out and import each company's rows in a job of its own: the job's company decides.",
            ));
        }
        Ok(())
    }
}

fn check_name(name: &str, field: &str) -> Result<()> {
    let bad = |text: &str| {
        text.trim() != text || text.is_empty() || text.chars().any(|c| c.is_control() || c == '\u{feff}')
    };
    if bad(name) || bad(field) {
        return Err(Error::argument(format!(
            "{name:?} can't be the name of a column, with the field {field:?}"
        ))
        .at_column(name)
        .hint("Names have at least one character, no control characters, and no space at either end."));
    }
    Ok(())
}
