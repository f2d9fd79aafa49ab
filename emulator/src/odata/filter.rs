//! `$filter`: parsed against an entity, then asked about rows.
//!
//! Supported as the service documents it: `eq ne gt ge lt le and or not` and parentheses, `*` as a wildcard in `eq`
//! and `ne`. Functions, `has` and `in` are refused with the service's words. Arithmetic (`add sub mul div mod`), which
//! the service knows, is not here and says so.

use std::cmp::Ordering;

use super::error::ODataError;
use super::lexer::{Literal, Token, tokens};
use crate::catalog::{COMPANY, Catalog, Entity, Kind, Property};
use crate::value::{Decimal, Row, Value, default_value};

/// A filter that fits its entity.
#[derive(Debug)]
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare { property: String, default: Value, operator: Operator, operand: Operand },
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// What a property is compared with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Text(String),
    /// Compared without regard to case.
    Company(String),
    /// Parts between the `*`.
    Pattern(Vec<String>),
    Number(Decimal),
    Date(String),
}

impl Filter {
    /// Parses `text` for `entity`.
    pub(crate) fn parse(text: &str, entity: &Entity, catalog: &Catalog) -> Result<Self, ODataError> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, text, entity, catalog, depth: 0 };
        let filter = parser.or()?;
        match parser.peek() {
            None => Ok(filter),
            Some(_) => Err(parser.syntax()),
        }
    }

    /// Whether a row passes.
    pub(crate) fn matches(&self, row: &Row) -> bool {
        match self {
            Self::And(a, b) => a.matches(row) && b.matches(row),
            Self::Or(a, b) => a.matches(row) || b.matches(row),
            Self::Not(inner) => !inner.matches(row),
            Self::Compare { property, default, operator, operand } => {
                let value = row.get(property).unwrap_or(default).as_text();
                match operator {
                    Operator::Eq => equals(value, operand),
                    Operator::Ne => !equals(value, operand),
                    _ => order(value, operand).is_some_and(|found| match operator {
                        Operator::Gt => found == Ordering::Greater,
                        Operator::Ge => found != Ordering::Less,
                        Operator::Lt => found == Ordering::Less,
                        _ => found != Ordering::Greater,
                    }),
                }
            }
        }
    }
}

fn equals(value: &str, operand: &Operand) -> bool {
    match operand {
        Operand::Text(text) => value == text,
        Operand::Company(text) => value.eq_ignore_ascii_case(text),
        Operand::Pattern(parts) => wildcard(value, parts),
        _ => order(value, operand) == Some(Ordering::Equal),
    }
}

fn order(value: &str, operand: &Operand) -> Option<Ordering> {
    match operand {
        Operand::Text(text) | Operand::Company(text) => Some(value.cmp(text)),
        Operand::Number(number) => Decimal::parse(value).map(|value| value.cmp(number)),
        Operand::Date(date) => compare_dates(value, date),
        Operand::Pattern(_) => None,
    }
}

/// Order of two canonical dates.
pub(crate) fn compare_dates(a: &str, b: &str) -> Option<Ordering> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let read = |text| OffsetDateTime::parse(text, &Rfc3339).ok();
    Some(read(a)?.cmp(&read(b)?))
}

/// `parts` are what stands between the `*`: the first must begin the value, the last must end it.
fn wildcard(value: &str, parts: &[String]) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
    entity: &'a Entity,
    catalog: &'a Catalog,
    depth: usize,
}

/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 100;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        if found {
            self.at += 1;
        }
        found
    }

    fn syntax(&self) -> ODataError {
        ODataError::bad_request(format!("Syntax error at position {} in '{}'.", self.at, self.text))
    }

    fn or(&mut self) -> Result<Filter, ODataError> {
        let mut left = self.and()?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, ODataError> {
        let mut left = self.unary()?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Filter, ODataError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ODataError::bad_request("The node count limit of the filter has been exceeded."));
        }
        let filter = if self.word("not") {
            Filter::Not(Box::new(self.unary()?))
        } else if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.or()?;
            if self.next() != Some(Token::Close) {
                return Err(self.syntax());
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, ODataError> {
        let (name, operator, literal) = match self.next() {
            Some(Token::Word(name)) => {
                if self.peek() == Some(&Token::Open) {
                    return Err(function(&name));
                }
                let operator = self.operator()?;
                match self.next() {
                    Some(Token::Literal(literal)) => (name, operator, literal),
                    Some(Token::Word(word)) if self.peek() == Some(&Token::Open) => {
                        return Err(function(&word));
                    }
                    _ => return Err(self.syntax()),
                }
            }
            Some(Token::Literal(literal)) => {
                let operator = mirrored(self.operator()?);
                match self.next() {
                    Some(Token::Word(name)) if self.peek() == Some(&Token::Open) => {
                        return Err(function(&name));
                    }
                    Some(Token::Word(name)) => (name, operator, literal),
                    _ => return Err(self.syntax()),
                }
            }
            _ => return Err(self.syntax()),
        };
        let property = self.entity.property(&name).ok_or_else(|| unknown_property(&name, self.entity))?;
        let operand = operand(property, operator, literal, self.catalog)?;
        Ok(Filter::Compare {
            property: name,
            default: default_value(property, self.catalog),
            operator,
            operand,
        })
    }

    fn operator(&mut self) -> Result<Operator, ODataError> {
        let Some(Token::Word(word)) = self.next() else { return Err(self.syntax()) };
        match word.as_str() {
            "eq" => Ok(Operator::Eq),
            "ne" => Ok(Operator::Ne),
            "gt" => Ok(Operator::Gt),
            "ge" => Ok(Operator::Ge),
            "lt" => Ok(Operator::Lt),
            "le" => Ok(Operator::Le),
            "has" | "in" => Err(ODataError::query(format!("The query operator '{word}' is not supported."))),
            "add" | "sub" | "mul" | "div" | "divby" | "mod" => {
                Err(ODataError::not_here(&format!("The arithmetic operator '{word}' in $filter")))
            }
            _ => Err(self.syntax()),
        }
    }
}

fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Gt => Operator::Lt,
        Operator::Ge => Operator::Le,
        Operator::Lt => Operator::Gt,
        Operator::Le => Operator::Ge,
        other => other,
    }
}

/// The words measured for `startswith`; taken for the other string functions too (unverified).
fn function(name: &str) -> ODataError {
    match name {
        "startswith" | "endswith" | "contains" | "substringof" | "indexof" | "substring" | "tolower"
        | "toupper" | "trim" | "concat" | "length" => {
            ODataError::query("The type System.String for the query operator is not Queryable!")
        }
        "any" | "all" => ODataError::bad_request(format!("The lambda operator '{name}' is not supported.")),
        _ => ODataError::query(format!("The query function '{name}' is not supported.")),
    }
}

/// The service's words for a property that an entity does not have.
pub(crate) fn unknown_property(name: &str, entity: &Entity) -> ODataError {
    ODataError::bad_request(format!(
        "Could not find a property named '{name}' on type '{}.{}'.",
        crate::catalog::NAMESPACE,
        entity.type_name
    ))
}

fn operand(
    property: &Property,
    operator: Operator,
    literal: Literal,
    catalog: &Catalog,
) -> Result<Operand, ODataError> {
    let mismatch = |literal: &Literal| {
        ODataError::bad_request(format!(
            "A binary operator with incompatible types was detected. Found operand types '{}' and '{}' for operator kind '{operator:?}'.",
            property.kind.edm(),
            literal.kind()
        ))
    };
    match (&property.kind, literal) {
        // The service has no nulls: null means the default of the type.
        (kind, Literal::Null) => match default_value(property, catalog) {
            Value::Number(digits) => {
                Decimal::parse(&digits).map(Operand::Number).ok_or_else(|| mismatch(&Literal::Null))
            }
            value if *kind == Kind::DateTime => Ok(Operand::Date(value.as_text().to_owned())),
            value => Ok(Operand::Text(value.as_text().to_owned())),
        },
        (Kind::String, Literal::Text(text)) => {
            let equality = matches!(operator, Operator::Eq | Operator::Ne);
            if property.name == COMPANY || property.name == "LegalEntityId" {
                Ok(Operand::Company(text))
            } else if equality && text.contains('*') {
                Ok(Operand::Pattern(text.split('*').map(str::to_owned).collect()))
            } else {
                Ok(Operand::Text(text))
            }
        }
        (Kind::Enum(name), Literal::Enum(given, member)) if *name == given => {
            if !matches!(operator, Operator::Eq | Operator::Ne) {
                return Err(mismatch(&Literal::Enum(given, member)));
            }
            if !catalog.members(name).contains(&member) {
                return Err(ODataError::bad_request(format!(
                    "The string '{member}' is not a valid enumeration type constant."
                )));
            }
            Ok(Operand::Text(member))
        }
        (Kind::Int32 | Kind::Int64 | Kind::Decimal, Literal::Number(digits)) => {
            Decimal::parse(&digits).map(Operand::Number).ok_or_else(|| mismatch(&Literal::Number(digits)))
        }
        (Kind::DateTime, Literal::Date(date)) => Ok(Operand::Date(date)),
        (Kind::Guid, Literal::Guid(id)) => Ok(Operand::Text(id)),
        (_, literal) => Err(mismatch(&literal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    fn passes(filter: &str, json: &str) -> bool {
        let catalog = Catalog::embedded().unwrap();
        let entity = catalog.collection("CLMIntegrationContracts").unwrap();
        Filter::parse(filter, entity, &catalog).unwrap().matches(&row(json))
    }

    fn refused(filter: &str) -> String {
        let catalog = Catalog::embedded().unwrap();
        let entity = catalog.collection("CLMIntegrationPurchaseAgreementLines").unwrap();
        Filter::parse(filter, entity, &catalog).unwrap_err().text().to_owned()
    }

    const ROW: &str = r#"{"dataAreaId":"usmf","ContractId":"C1","ContractName":"Retail lease","ContractStatus":"Executed","EffectiveDate":"2026-04-01T12:00:00Z"}"#;

    #[test]
    fn operators_bind_as_in_odata() {
        assert!(passes("ContractId eq 'C1' or ContractId eq 'C2' and ContractName eq 'x'", ROW));
        assert!(!passes("(ContractId eq 'C1' or ContractId eq 'C2') and ContractName eq 'x'", ROW));
        assert!(passes("not (ContractId eq 'C2')", ROW));
        assert!(passes("'C0' lt ContractId", ROW));
        assert!(passes("dataAreaId eq 'USMF'", ROW));
        assert!(!passes("ContractId eq 'c1'", ROW));
    }

    #[test]
    fn a_star_is_a_wildcard_in_eq_and_ne() {
        for good in ["*lease", "Retail*", "*tail*", "R*l*e", "*"] {
            assert!(passes(&format!("ContractName eq '{good}'"), ROW), "{good}");
            assert!(!passes(&format!("ContractName ne '{good}'"), ROW), "{good}");
        }
        for bad in ["*retail*", "lease*", "R*x*e", "Retail lease*e"] {
            assert!(!passes(&format!("ContractName eq '{bad}'"), ROW), "{bad}");
        }
    }

    #[test]
    fn dates_enums_and_absent_values() {
        assert!(passes(
            "EffectiveDate ge 2026-04-01T00:00:00Z and EffectiveDate lt 2026-04-02T00:00:00Z",
            ROW
        ));
        assert!(passes("EffectiveDate eq 2026-04-01T14:00:00+02:00", ROW));
        assert!(passes(
            "ContractStatus eq Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Executed'",
            ROW
        ));
        assert!(passes("PartyNumber eq '' and PartyNumber eq null", ROW));
        assert!(passes("ExpirationDate eq 1900-01-01T00:00:00Z", ROW));
    }

    #[test]
    fn what_the_service_lacks_is_refused() {
        let words = "The type System.String for the query operator is not Queryable!";
        for text in [
            "startswith(ItemNumber,'A')",
            "contains(ItemNumber,'A') eq true",
            "tolower(ItemNumber) eq 'a'",
            "'a' eq tolower(ItemNumber)",
        ] {
            assert_eq!(refused(text), words, "{text}");
        }
        assert_eq!(refused("ItemNumber in ('A','B')"), "The query operator 'in' is not supported.");
        assert_eq!(
            refused("Nope eq 1"),
            "Could not find a property named 'Nope' on type 'Microsoft.Dynamics.DataEntities.CLMIntegrationPurchaseAgreementLine'."
        );
        assert!(refused("ItemNumber eq 1").contains("incompatible types"));
        assert!(refused("LineNumber eq '1'").contains("incompatible types"));
        assert!(refused("CommitmentType eq 'ProductQuantity'").contains("incompatible types"));
        assert!(
            refused("CommitmentType gt Microsoft.Dynamics.DataEntities.CommitmentType'ProductQuantity'")
                .contains("incompatible types")
        );
        assert!(refused("LineNumber eq 1 LineNumber").contains("Syntax error"));
        assert!(refused(&"(".repeat(5000)).contains("limit"));
    }
}
