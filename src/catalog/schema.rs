//! What an environment says of its own entities, and the catalogue that is made of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Catalog, Entity, builtin, read};
use crate::error::{Error, Result};

/// Entities and enums of one environment: all that it has, or those that were asked for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Schema {
    /// The entities, each with a collection.
    pub entities: Vec<Entity>,
    /// Members of each enum by its short name, in the order of the service.
    pub enums: Vec<(String, Vec<String>)>,
    /// The collections that were asked for; none where all were.
    pub collections: Option<Vec<String>>,
    /// Names of source data formats beyond the built-in ones.
    pub formats: Vec<String>,
}

impl Schema {
    /// Reads the JSON of a schema: `entities`, each with `collection`, `type`, `keys`, `properties` and where known `label`,
    /// `aot`, `navigation`, `actions`; `enums`; where there are any, `collections` and `formats`. Further members are ignored.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the entity that can't be read.
    pub fn from_json(text: &str) -> Result<Self> {
        let value =
            serde_json::from_str(text).map_err(|error| unusable(&format!("it is no JSON: {error}")))?;
        Self::from_value(value)
    }

    /// The same of a tree.
    pub(crate) fn from_value(value: serde_json::Value) -> Result<Self> {
        read::schema(value).map_err(|why| unusable(&why))
    }

    /// The entity of that collection.
    #[must_use]
    pub fn entity(&self, collection: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.collection.as_deref() == Some(collection))
    }
}

pub(super) fn unusable(why: &str) -> Error {
    Error::argument(format!("the schema is not usable: {why}")).hint(
        "Give what metadata() yielded: an object with \"enums\" and \"entities\", each with collection, type, keys and properties.",
    )
}

impl Catalog {
    /// The built-in catalogue, in which the entities of the schema take the place of those with the same collection. Label, name
    /// in the application and direction stay as they were where the schema has none.
    #[must_use]
    pub fn of_tenant(schema: Schema) -> Self {
        let known = builtin();
        let mut entities = known.entities.clone();
        let mut enums = known.enums.clone();
        let places: HashMap<String, usize> =
            entities.iter().enumerate().filter_map(|(at, it)| Some((it.collection.clone()?, at))).collect();
        for entity in schema.entities {
            let place = entity.collection.as_deref().and_then(|name| places.get(name)).copied();
            match place.and_then(|at| entities.get_mut(at)) {
                Some(held) => *held = Arc::new(completed(entity, held)),
                None => entities.push(Arc::new(entity)),
            }
        }
        enums.extend(schema.enums);
        let by_name = index(&entities);
        Self { entities, enums, by_name, formats: schema.formats, whole: false }
    }
}

fn completed(mut entity: Entity, known: &Entity) -> Entity {
    for (own, other) in [(&mut entity.label, &known.label), (&mut entity.aot, &known.aot)] {
        if own.is_empty() {
            own.clone_from(other);
        }
    }
    entity.company = known.company.or(entity.company);
    entity.direction = known.direction;
    entity
}

/// Where each name leads; the first entity of a name has it.
pub(super) fn index(entities: &[Arc<Entity>]) -> HashMap<String, usize> {
    let mut by_name = HashMap::new();
    for (at, entity) in entities.iter().enumerate() {
        for name in entity.collection.iter().chain([&entity.label, &entity.aot]) {
            if !name.is_empty() {
                by_name.entry(name.clone()).or_insert(at);
            }
        }
    }
    by_name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Direction, EdmType};

    const OWN: &str = r#"{"entities":[
        {"collection":"VendorsV2","type":"VendorV2","keys":["dataAreaId","VendorAccountNumber"],"properties":[
            {"name":"dataAreaId","type":"Edm.String","nullable":false},
            {"name":"VendorAccountNumber","type":"Edm.String","nullable":false,"maxLength":20},
            {"name":"ContosoRating","type":"Microsoft.Dynamics.DataEntities.ContosoRating","enum":"ContosoRating","nullable":true}]},
        {"collection":"ContosoThings","type":"ContosoThing","keys":["Id"],"properties":[{"name":"Id","type":"Edm.Int64"}],
         "navigation":[{"name":"Vendor","target":"VendorsV2"}],
         "actions":[{"name":"go","binding":"entity","parameters":[{"name":"p","type":"Edm.Int32"}]}]}],
        "enums":{"ContosoRating":["Good","Bad"],"NoYes":["No","Yes","Perhaps"]}}"#;

    #[test]
    fn its_entities_win_and_the_others_stay_known() {
        let catalog = Catalog::from_json(OWN).unwrap();
        assert!(!catalog.is_whole());
        let vendors = catalog.collection("VendorsV2").unwrap();
        assert_eq!(vendors.properties.len(), 3);
        assert!(vendors.of_tenant && vendors.is_company_specific());
        assert_eq!(vendors.property("ContosoRating").unwrap().edm, EdmType::Enum("ContosoRating".into()));
        assert_eq!(vendors.property("VendorAccountNumber").unwrap().max_length, Some(20));
        assert_eq!((vendors.label.as_str(), vendors.aot.as_str()), ("Vendors V2", "VendVendorV2Entity"));
        assert_eq!(vendors.direction, Direction::ScmToClm);
        assert_eq!(catalog.find("Vendors V2").unwrap().properties.len(), 3);
        let things = catalog.collection("ContosoThings").unwrap();
        assert_eq!((things.label.as_str(), things.direction), ("", Direction::Unknown));
        assert!(!things.is_company_specific());
        assert_eq!((things.navigation[0].target.as_str(), things.navigation[0].many), ("VendorsV2", false));
        assert_eq!(things.action("go").unwrap().parameters[0].edm, EdmType::Int32);
        let currencies = catalog.collection("Currencies").unwrap();
        assert!(!currencies.of_tenant);
        assert_eq!(catalog.enum_members("NoYes").unwrap().len(), 3);
        assert_eq!(catalog.enum_members("ContosoRating").unwrap(), ["Good", "Bad"]);
        assert!(catalog.enum_members("CommitmentType").is_some());
        assert!(catalog.find("").is_none() && catalog.label("").is_none());
    }

    #[test]
    fn the_entity_that_cannot_be_read_is_named() {
        for (bad, place) in [
            ("[]", "an object"),
            (r#"{"entities":[]}"#, "enums"),
            (r#"{"entities":5,"enums":{}}"#, "entities"),
            (r#"{"entities":[{"collection":"A","type":"B","keys":[]}],"enums":{}}"#, "entities[0] \"A\""),
            (r#"{"entities":[{"type":"B","keys":[],"properties":[]}],"enums":{}}"#, "entities[0]"),
            (r#"{"entities":[],"enums":{"E":[1]}}"#, "enums.E"),
            ("{", "no JSON"),
        ] {
            let error = Catalog::from_json(bad).unwrap_err();
            assert_eq!(error.code, crate::ErrorCode::InvalidArgument);
            assert!(error.message.contains(place), "{bad}: {}", error.message);
        }
    }

    #[test]
    fn the_form_of_the_catalogue_is_read_still() {
        let old = r#"{"enums":{},"formats":["Mine"],"entities":[{"aot":"A","label":"L","direction":"setup","keys":[],"properties":[]}]}"#;
        let catalog = Catalog::from_json(old).unwrap();
        assert!(catalog.is_whole() && catalog.collection("VendorsV2").is_none());
        assert_eq!(catalog.formats(), ["Mine"]);
        assert!(catalog.label("L").unwrap().of_tenant);
    }
}
