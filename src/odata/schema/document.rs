//! A document that was read: tables of numbers, and the entities unfolded from them.

use super::names::Names;
use crate::catalog::{
    Action, Binding, Direction, EdmType, Entity, Navigation, Parameter, Property, Schema, builtin, nearest,
};
use crate::error::{Error, ErrorCode, Result};

/// Types that inherit from each other.
const LONGEST_LINE: usize = 32;
/// About what a record becomes in JSON.
const BYTES_OF_A_RECORD: usize = 80;

/// Everything that counts of a `$metadata`. Lists end where the next record's list begins, so each record has ends only.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) names: Names,
    pub(super) types: Vec<Type>,
    pub(super) keys: Vec<u32>,
    pub(super) properties: Vec<Item>,
    pub(super) navigation: Vec<Link>,
    pub(super) enums: Vec<Enum>,
    pub(super) members: Vec<u32>,
    pub(super) actions: Vec<Operation>,
    pub(super) parameters: Vec<(u32, u32)>,
    pub(super) sets: Vec<Set>,
    pub(super) bindings: Vec<(u32, u32)>,
}

#[derive(Debug, Default)]
pub(super) struct Type {
    pub(super) name: u32,
    pub(super) base: u32,
    pub(super) keys_end: usize,
    pub(super) properties_end: usize,
    pub(super) navigation_end: usize,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: u32,
    pub(super) kind: u32,
    /// `u32::MAX` for none.
    pub(super) max_length: u32,
    pub(super) nullable: bool,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: u32,
    /// Short name of the type.
    pub(super) kind: u32,
    pub(super) many: bool,
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: u32,
    pub(super) members_end: usize,
}

#[derive(Debug, Default)]
pub(super) struct Operation {
    pub(super) name: u32,
    /// Short name of the type that it is bound to; 0 for none.
    pub(super) on: u32,
    pub(super) many: bool,
    pub(super) returns: u32,
    pub(super) parameters_end: usize,
}

#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) name: u32,
    pub(super) kind: u32,
    pub(super) bindings_end: usize,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            names: Names::new(),
            types: Vec::new(),
            keys: Vec::new(),
            properties: Vec::new(),
            navigation: Vec::new(),
            enums: Vec::new(),
            members: Vec::new(),
            actions: Vec::new(),
            parameters: Vec::new(),
            sets: Vec::new(),
            bindings: Vec::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        fn of<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        let types = of(&self.types) + of(&self.keys) + of(&self.properties) + of(&self.navigation);
        let rest = of(&self.actions) + of(&self.parameters) + of(&self.sets) + of(&self.bindings);
        types + rest + of(&self.enums) + of(&self.members) + self.names.held()
    }

    /// Records so far.
    pub(super) fn len(&self) -> usize {
        self.types.len()
            + self.keys.len()
            + self.properties.len()
            + self.navigation.len()
            + self.enums.len()
            + self.members.len()
            + self.actions.len()
            + self.parameters.len()
            + self.sets.len()
            + self.bindings.len()
    }
}

/// What an environment says of its entities, not yet unfolded: some bytes for each property, so that a whole environment of
/// 30 MB of `$metadata` is a few megabytes.
#[derive(Debug)]
pub struct Metadata(Held);

#[derive(Debug)]
enum Held {
    Tables(Box<Unfolder>),
    Schema(Box<Schema>),
}

#[derive(Debug)]
struct Unfolder {
    tables: Tables,
    /// The sets that are wanted.
    chosen: Vec<usize>,
    collections: Option<Vec<String>>,
    /// Place of a type by the number of its name.
    types: Vec<u32>,
    /// The first set of a type by the number of the type's name.
    sets: Vec<u32>,
    /// Whether a name is that of an enum.
    enums: Vec<bool>,
    /// The last action of a type by the number of the type's name, and of each action the one before of the same type.
    actions: Vec<u32>,
    earlier: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Metadata {
    pub(super) fn of_schema(schema: Schema) -> Self {
        Self(Held::Schema(Box::new(schema)))
    }

    /// Only `collections`, where there are some.
    pub(super) fn of_tables(tables: Tables, collections: Option<Vec<String>>) -> Result<Self> {
        let size = tables.names.len();
        let place = |at: usize| u32::try_from(at).unwrap_or(NONE);
        let mut types = vec![NONE; size];
        for (at, it) in tables.types.iter().enumerate() {
            if let Some(free) = types.get_mut(it.name as usize).filter(|free| **free == NONE) {
                *free = place(at);
            }
        }
        let mut sets = vec![NONE; size];
        for (at, it) in tables.sets.iter().enumerate() {
            if let Some(free) = sets.get_mut(it.kind as usize).filter(|free| **free == NONE) {
                *free = place(at);
            }
        }
        let mut actions = vec![NONE; size];
        let mut earlier = Vec::with_capacity(tables.actions.len());
        for (at, it) in tables.actions.iter().enumerate() {
            let last = actions.get_mut(it.on as usize);
            earlier.push(last.map_or(NONE, |last| std::mem::replace(last, place(at))));
        }
        let mut enums = vec![false; size];
        for it in &tables.enums {
            if let Some(is) = enums.get_mut(it.name as usize) {
                *is = true;
            }
        }
        let chosen = match &collections {
            None => (0..tables.sets.len()).collect(),
            Some(wanted) => chosen(&tables, wanted)?,
        };
        let unfolder = Unfolder { tables, chosen, collections, types, sets, enums, actions, earlier };
        unfolder.check()?;
        Ok(Self(Held::Tables(Box::new(unfolder))))
    }

    /// All of it at once.
    #[must_use]
    pub fn into_schema(self) -> Schema {
        let unfolder = match self.0 {
            Held::Schema(schema) => return *schema,
            Held::Tables(unfolder) => unfolder,
        };
        let entities: Vec<Entity> = unfolder.entities().collect();
        let enums = unfolder.enums();
        Schema { entities, enums, collections: unfolder.collections, ..Schema::default() }
    }

    /// The collections that it describes, those that were asked for or all.
    #[must_use]
    pub fn collections(&self) -> Vec<&str> {
        match &self.0 {
            Held::Schema(schema) => {
                schema.entities.iter().filter_map(|entity| entity.collection.as_deref()).collect()
            }
            Held::Tables(unfolder) => unfolder.chosen().map(|(_, set)| unfolder.name(set.name)).collect(),
        }
    }

    /// The JSON of a [`Schema`], entity by entity: the whole is never held as such.
    #[must_use]
    pub fn json(&self) -> String {
        match &self.0 {
            Held::Schema(schema) => super::json::schema_json(schema),
            Held::Tables(unfolder) => super::json::write(
                unfolder.room(),
                &mut unfolder.entities().map(std::borrow::Cow::Owned),
                &unfolder.enums(),
                unfolder.collections.as_deref(),
                &[],
            ),
        }
    }
}

/// The sets of these names. One that the catalogue knows may be missing: that is for the comparison to tell.
fn chosen(tables: &Tables, wanted: &[String]) -> Result<Vec<usize>> {
    let mut chosen = Vec::new();
    for name in wanted {
        let number = tables.names.find(name);
        match tables.sets.iter().position(|set| Some(set.name) == number) {
            Some(at) if !chosen.contains(&at) => chosen.push(at),
            Some(_) => {}
            None if builtin().collection(name).is_some() => {}
            None => return Err(unknown(name, tables.sets.iter().map(|set| tables.names.get(set.name)))),
        }
    }
    Ok(chosen)
}

/// A collection that neither the environment nor the catalogue has.
pub(super) fn unknown<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    let shown: String = name.chars().take(80).collect();
    let error =
        Error::new(ErrorCode::UnknownEntity, format!("the environment has no collection \"{shown}\""));
    match nearest(name, known) {
        Some(near) => error.hint(format!("Did you mean \"{near}\"? Names are case-sensitive.")),
        None => error.hint("A collection is named as in the URL, for example VendorsV2."),
    }
}

impl Unfolder {
    fn name(&self, number: u32) -> &str {
        self.tables.names.get(number)
    }

    fn chosen(&self) -> impl Iterator<Item = (usize, &Set)> {
        self.chosen.iter().filter_map(|&at| Some((at, self.tables.sets.get(at)?)))
    }

    fn entities(&self) -> impl Iterator<Item = Entity> {
        self.chosen().map(|(at, set)| self.entity(at, set))
    }

    /// Room for the JSON of everything, so that it need not be moved while it grows.
    fn room(&self) -> String {
        let records = if self.collections.is_none() { self.tables.len() } else { 0 };
        String::with_capacity(records.saturating_mul(BYTES_OF_A_RECORD))
    }

    /// No type inherits from itself.
    fn check(&self) -> Result<()> {
        for (at, it) in self.tables.types.iter().enumerate() {
            if it.base != 0 && self.line(at).len() >= LONGEST_LINE {
                let message = format!("$metadata: the type {} inherits without end", self.name(it.name));
                return Err(Error::new(ErrorCode::ServiceError, message)
                    .hint("The document is damaged: ask for it again."));
            }
        }
        Ok(())
    }

    /// The type and those that it inherits from, nearest first.
    fn line(&self, at: usize) -> Vec<usize> {
        let mut line = vec![at];
        let mut base = self.tables.types.get(at).map_or(0, |it| it.base);
        while base != 0 && line.len() < LONGEST_LINE {
            let Some(next) = self.type_of(base) else { break };
            line.push(next);
            base = self.tables.types.get(next).map_or(0, |it| it.base);
        }
        line
    }

    fn type_of(&self, name: u32) -> Option<usize> {
        self.types.get(name as usize).filter(|at| **at != NONE).map(|at| *at as usize)
    }

    fn entity(&self, at: usize, set: &Set) -> Entity {
        let mut entity = Entity {
            collection: Some(self.name(set.name).to_owned()),
            type_name: Some(self.name(set.kind).to_owned()),
            aot: String::new(),
            label: String::new(),
            company: None,
            direction: Direction::Unknown,
            keys: Vec::new(),
            properties: Vec::new(),
            navigation: Vec::new(),
            actions: Vec::new(),
            of_tenant: true,
        };
        let bindings = slice(&self.tables.bindings, &self.tables.sets, at, |set| set.bindings_end);
        let line = self.type_of(set.kind).map(|at| self.line(at)).unwrap_or_default();
        // What is inherited comes first.
        for at in line.into_iter().rev() {
            let types = &self.tables.types;
            let keys = slice(&self.tables.keys, types, at, |it| it.keys_end);
            entity.keys.extend(keys.iter().map(|key| self.name(*key).to_owned()));
            let properties = slice(&self.tables.properties, types, at, |it| it.properties_end);
            entity.properties.extend(properties.iter().map(|it| self.property(it)));
            for link in slice(&self.tables.navigation, types, at, |it| it.navigation_end) {
                let bound = bindings.iter().find(|(path, _)| *path == link.name).map(|(_, target)| *target);
                let first =
                    || self.sets.get(link.kind as usize).and_then(|at| self.tables.sets.get(*at as usize));
                let target = bound.or_else(|| first().map(|set| set.name)).unwrap_or(link.kind);
                entity.navigation.push(Navigation {
                    name: self.name(link.name).to_owned(),
                    target: self.name(target).to_owned(),
                    many: link.many,
                });
            }
            if let Some(it) = types.get(at) {
                entity.actions.extend(self.actions_of(it.name));
            }
        }
        for property in &mut entity.properties {
            if entity.keys.contains(&property.name) {
                property.nullable = Some(false);
            }
        }
        entity.company = Some(entity.keys.iter().any(|key| key == "dataAreaId"));
        entity
    }

    fn property(&self, it: &Item) -> Property {
        Property {
            name: self.name(it.name).to_owned(),
            edm: self.edm(it.kind),
            nullable: Some(it.nullable),
            members: Vec::new(),
            max_length: (it.max_length != u32::MAX).then_some(it.max_length),
        }
    }

    /// Enums by their short name; an entity may have the same.
    fn edm(&self, kind: u32) -> EdmType {
        let full = self.name(kind);
        if full.starts_with("Edm.") {
            return EdmType::parse(full);
        }
        let short = short(full);
        let is_enum = !full.ends_with(')') && self.enum_of(short).is_some();
        if is_enum && !short.is_empty() {
            EdmType::Enum(short.to_owned())
        } else {
            EdmType::Other(full.to_owned())
        }
    }

    /// The number of an enum's short name.
    fn enum_of(&self, short: &str) -> Option<u32> {
        self.tables.names.find(short).filter(|number| self.enums.get(*number as usize) == Some(&true))
    }

    fn actions_of(&self, on: u32) -> Vec<Action> {
        let mut found = Vec::new();
        let mut at = self.actions.get(on as usize).copied().unwrap_or(NONE);
        while let Some(it) = self.tables.actions.get(at as usize) {
            found.push(self.action(at as usize, it));
            at = self.earlier.get(at as usize).copied().unwrap_or(NONE);
        }
        found.reverse();
        found
    }

    fn action(&self, at: usize, it: &Operation) -> Action {
        let parameters = slice(&self.tables.parameters, &self.tables.actions, at, |it| it.parameters_end);
        Action {
            name: self.name(it.name).to_owned(),
            binding: if it.many { Binding::Collection } else { Binding::Entity },
            parameters: parameters
                .iter()
                .map(|(name, kind)| Parameter { name: self.name(*name).to_owned(), edm: self.edm(*kind) })
                .collect(),
            returns: (it.returns != 0).then(|| self.name(it.returns).to_owned()),
        }
    }

    /// All of them, or those that the chosen entities use.
    fn enums(&self) -> Vec<(String, Vec<String>)> {
        let used = self.collections.as_ref().map(|_| self.used());
        let mut enums = Vec::new();
        for (at, it) in self.tables.enums.iter().enumerate() {
            if used.as_ref().is_none_or(|used| used.get(it.name as usize) == Some(&true)) {
                let members = slice(&self.tables.members, &self.tables.enums, at, |it| it.members_end);
                let members = members.iter().map(|member| self.name(*member).to_owned()).collect();
                enums.push((self.name(it.name).to_owned(), members));
            }
        }
        enums
    }

    fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.enums.len()];
        for entity in self.entities() {
            let parameters = entity.actions.iter().flat_map(|action| &action.parameters);
            let types = entity.properties.iter().map(|it| &it.edm).chain(parameters.map(|it| &it.edm));
            for edm in types {
                if let EdmType::Enum(name) = edm
                    && let Some(is) = self.enum_of(name).and_then(|number| used.get_mut(number as usize))
                {
                    *is = true;
                }
            }
        }
        used
    }
}

/// The part of `list` that belongs to the record at `at`.
fn slice<'a, T, R>(list: &'a [T], records: &[R], at: usize, end: impl Fn(&R) -> usize) -> &'a [T] {
    let start = at.checked_sub(1).and_then(|before| records.get(before)).map_or(0, &end);
    list.get(start..records.get(at).map_or(start, &end)).unwrap_or_default()
}

/// Without namespace.
pub(super) fn short(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, short)| short)
}
