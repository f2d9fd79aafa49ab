//! What a URL under `/data` addresses, and its query options.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::behaviour::EnumKeys;
use super::error::ODataError;
use super::lexer::{Literal, Token, tokens};
use crate::catalog::{COMPANY, Entity, Kind, NAMESPACE};
use crate::http::decode_form;
use crate::store::Key;
use crate::value::{Decimal, Row, Value};

/// What a path addresses. Keys are still text: they are read against an entity.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Service,
    Metadata,
    Batch,
    Collection(String),
    Count(String),
    Entity(String, String),
    Property(String, String, String),
    Action { set: String, key: Option<String>, name: String },
    Unknown,
}

/// Reads the path of a request, `/data` included.
pub(crate) fn target(path: &str) -> Result<Target, ODataError> {
    let segments = segments(path.strip_prefix("/data").unwrap_or(path))?;
    let mut segments = segments.iter().map(String::as_str);
    let Some(first) = segments.next() else { return Ok(Target::Service) };
    let (set, key) = match first.split_once('(') {
        Some((set, rest)) => match rest.strip_suffix(')') {
            Some(key) => (set.to_owned(), Some(key.to_owned())),
            None => {
                return Err(ODataError::bad_request(format!(
                    "Bad request: unbalanced parentheses in '{first}'."
                )));
            }
        },
        None => (first.to_owned(), None),
    };
    let second = segments.next();
    if segments.next().is_some() {
        return Ok(Target::Unknown);
    }
    let action =
        |text: &str| text.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned);
    Ok(match (set.as_str(), key, second) {
        ("$metadata", None, None) => Target::Metadata,
        ("$batch", None, None) => Target::Batch,
        (_, None, None) => Target::Collection(set),
        (_, None, Some("$count")) => Target::Count(set),
        (_, Some(key), None) => Target::Entity(set, key),
        (_, key, Some(text)) => match (action(text), key) {
            (Some(name), key) => Target::Action { set, key, name },
            (None, Some(key)) => Target::Property(set, key, text.to_owned()),
            (None, None) => Target::Unknown,
        },
    })
}

/// Splits at slashes outside of quotes, then decodes.
fn segments(path: &str) -> Result<Vec<String>, ODataError> {
    let mut quoted = false;
    path.split(|c| {
        if c == '\'' {
            quoted = !quoted;
        }
        c == '/' && !quoted
    })
    .filter(|part| !part.is_empty())
    .map(|part| {
        percent_decode_str(part)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| ODataError::bad_request("Bad request: the URL is not UTF-8."))
    })
    .collect()
}

/// Reads a key against an entity: all key properties by name, or the single one by value alone.
///
/// A part that is an enum answers 404, as measured in the field, although the row exists: `Ok(None)`, unless such keys are to find.
pub(crate) fn key(text: &str, entity: &Entity, enum_keys: EnumKeys) -> Result<Option<Key>, ODataError> {
    let bad = |why: String| ODataError::bad_request(format!("Bad request - Error in query syntax: {why}"));
    let tokens = tokens(text)?;
    let mut given: Vec<(String, Literal)> = Vec::new();
    if let [Token::Literal(literal)] = tokens.as_slice() {
        match entity.keys.as_slice() {
            [single] => given.push((single.clone(), literal.clone())),
            _ => {
                return Err(bad(format!(
                    "the key of '{}' has several properties; name each of them.",
                    entity.type_name
                )));
            }
        }
    } else {
        for part in tokens.split(|token| *token == Token::Comma) {
            match part {
                [Token::Word(name), Token::Equals, Token::Literal(literal)] => {
                    given.push((name.clone(), literal.clone()))
                }
                _ => return Err(bad(format!("'{text}' is not a key."))),
            }
        }
    }
    let mut company = String::new();
    let mut parts = Vec::new();
    for name in &entity.keys {
        let Some(at) = given.iter().position(|(found, _)| found == name) else {
            return Err(bad(format!(
                "the key property '{name}' of '{}' is missing; all key fields must be given.",
                entity.type_name
            )));
        };
        let (_, literal) = given.swap_remove(at);
        let Some(property) = entity.property(name) else {
            return Err(ODataError::internal("key without property"));
        };
        let text = match (&property.kind, literal) {
            (Kind::Enum(_), Literal::Enum(..)) if enum_keys == EnumKeys::Missing => return Ok(None),
            (Kind::Enum(kind), Literal::Enum(name, member)) if *kind == name => member,
            (Kind::String | Kind::Guid, Literal::Text(text) | Literal::Guid(text)) => text,
            (Kind::Int32 | Kind::Int64 | Kind::Decimal, Literal::Number(digits)) => {
                Decimal::parse(&digits).map(|number| number.to_text()).unwrap_or(digits)
            }
            (Kind::DateTime, Literal::Date(date)) => date,
            (kind, literal) => {
                return Err(bad(format!(
                    "the key property '{name}' is of type '{}', the value of type '{}'.",
                    kind.edm(),
                    literal.kind()
                )));
            }
        };
        if name == COMPANY {
            company = text.to_ascii_lowercase();
        } else {
            parts.push(text);
        }
    }
    if let Some((name, _)) = given.first() {
        return Err(super::filter::unknown_property(name, entity));
    }
    Ok(Some(Key { company, key: join_key(entity, &parts) }))
}

/// Key values as one text. Company codes of `LegalEntities` compare without regard to case.
pub(crate) fn join_key(entity: &Entity, parts: &[String]) -> String {
    let key = parts.join("\u{1f}");
    if entity.aot == "OMLegalEntity" { key.to_ascii_lowercase() } else { key }
}

/// Where a row is, below `/data/`: its collection with all key properties by name.
pub(crate) fn address(entity: &Entity, row: &Row) -> String {
    let part = |name: &String| {
        let text = row.get(name).map_or("", Value::as_text);
        let literal = match entity.property(name).map(|property| &property.kind) {
            Some(Kind::Int32 | Kind::Int64 | Kind::Decimal | Kind::DateTime | Kind::Guid) => text.to_owned(),
            Some(Kind::Enum(kind)) => format!("{NAMESPACE}.{kind}'{text}'"),
            _ => format!("'{}'", text.replace('\'', "''")),
        };
        format!("{name}={}", utf8_percent_encode(&literal, IN_KEY))
    };
    let key: Vec<String> = entity.keys.iter().map(part).collect();
    format!("{}({})", entity.collection.as_deref().unwrap_or_default(), key.join(","))
}

/// What is percent-encoded in a key.
const IN_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'\'').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Query options of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) filter: Option<String>,
    pub(crate) select: Vec<String>,
    /// Navigation properties.
    pub(crate) expand: Vec<String>,
    pub(crate) order_by: Option<String>,
    pub(crate) top: Option<usize>,
    pub(crate) skip: usize,
    pub(crate) count: bool,
    pub(crate) cross_company: bool,
    /// Rows of the whole answer that earlier pages delivered.
    pub(crate) delivered: usize,
}

impl Options {
    /// Reads a query string. Options that the service does not know are errors; names without `$` are ignored, except
    /// `cross-company`.
    pub(crate) fn parse(query: &str) -> Result<Self, ODataError> {
        let mut options = Self::default();
        for (name, value) in decode_form(query.as_bytes()) {
            let number = || {
                value.parse::<usize>().map_err(|_| {
                    ODataError::bad_request(format!(
                        "Invalid value '{value}' for {name} query option found. The {name} query option requires a non-negative integer value."
                    ))
                })
            };
            match name.as_str() {
                "$filter" => options.filter = Some(value),
                "$select" => {
                    options.select = value
                        .split(',')
                        .map(str::trim)
                        .filter(|part| !part.is_empty() && *part != "*")
                        .map(str::to_owned)
                        .collect();
                }
                "$orderby" => options.order_by = Some(value),
                "$top" => options.top = Some(number()?),
                "$skip" => options.skip = number()?,
                "$skiptoken" => options.delivered = number()?,
                "$count" => {
                    options.count = match value.as_str() {
                        "true" => true,
                        "false" => false,
                        _ => {
                            return Err(ODataError::bad_request(format!(
                                "Invalid value '{value}' for $count query option found. Valid values are 'true' and 'false'."
                            )));
                        }
                    }
                }
                "$format" if value == "json" || value.starts_with("application/json") => {}
                "cross-company" => options.cross_company = value.eq_ignore_ascii_case("true"),
                "$expand" => options.expand = expand(&value)?,
                _ if name.starts_with('$') => {
                    return Err(ODataError::bad_request(format!(
                        "The query parameter '{name}' is not supported."
                    )));
                }
                _ => {}
            }
        }
        Ok(options)
    }
}

/// First level only. The words for what goes deeper are ours.
fn expand(value: &str) -> Result<Vec<String>, ODataError> {
    if value.contains(['(', '/', '*', ';']) {
        return Err(ODataError::query(format!(
            "The $expand '{value}' is not supported: only navigation properties of the first level can be expanded, without options."
        )));
    }
    let mut names: Vec<String> = Vec::new();
    for name in value.split(',').map(str::trim) {
        if name.is_empty() {
            return Err(ODataError::bad_request(format!("Syntax error in $expand: '{value}'.")));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn paths_are_told_apart() {
        assert_eq!(target("/data").unwrap(), Target::Service);
        assert_eq!(target("/data/").unwrap(), Target::Service);
        assert_eq!(target("/data/$metadata").unwrap(), Target::Metadata);
        assert_eq!(target("/data/VendorsV2/$count").unwrap(), Target::Count("VendorsV2".into()));
        assert_eq!(
            target("/data/VendorsV2(dataAreaId='usmf',VendorAccountNumber='a%2Fb/c')").unwrap(),
            Target::Entity("VendorsV2".into(), "dataAreaId='usmf',VendorAccountNumber='a/b/c'".into())
        );
        assert_eq!(
            target("/data/VendorsV2/Microsoft.Dynamics.DataEntities.GenerateVendorDetailFormURL").unwrap(),
            Target::Action { set: "VendorsV2".into(), key: None, name: "GenerateVendorDetailFormURL".into() }
        );
        assert_eq!(target("/data/VendorsV2/x/y").unwrap(), Target::Unknown);
        assert!(target("/data/VendorsV2('a'").is_err());
    }

    #[test]
    fn keys_are_read_against_the_entity() {
        let catalog = Catalog::embedded().unwrap();
        let lines = catalog.collection("CLMIntegrationPurchaseAgreementLines").unwrap();
        let read = |text| key(text, lines, EnumKeys::Missing);
        let found = read("LineNumber=1.0,dataAreaId='USMF',PurchaseAgreementId='000026'").unwrap().unwrap();
        assert_eq!(found, Key { company: "usmf".into(), key: "000026\u{1f}1".into() });
        assert!(read("PurchaseAgreementId='000026',LineNumber=1").unwrap_err().text().contains("dataAreaId"));
        assert!(read("'000026'").is_err());
        assert!(read("dataAreaId='usmf',PurchaseAgreementId='1',LineNumber='1'").is_err());
        assert!(read("dataAreaId='usmf',PurchaseAgreementId='1',LineNumber=1,X=2").is_err());
        let legal = catalog.collection("LegalEntities").unwrap();
        assert_eq!(key("'USMF'", legal, EnumKeys::Missing).unwrap().unwrap().key, "usmf");
        let links = catalog.collection("CLMIntegrationExternalNavigationLinks").unwrap();
        let by_enum =
            "NavigationType=Microsoft.Dynamics.DataEntities.CLMIntegrationNavigationType'ViewContract'";
        assert_eq!(key(by_enum, links, EnumKeys::Missing).unwrap(), None);
    }
}
