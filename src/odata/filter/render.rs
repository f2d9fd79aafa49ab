//! A filter checked against its entity and written as the service wants it.

use super::tree::{Compare, Filter, Operand};
use crate::catalog::{Catalog, EdmType, Entity};
use crate::error::{Error, ErrorCode, Result};
use crate::odata::literal::{Scalar, Typed};

impl Filter {
    /// The text for `$filter`, not yet percent-encoded. Without an entity the literals speak for themselves.
    ///
    /// # Errors
    /// `UNKNOWN_PROPERTY` with the nearest name, `INVALID_ARGUMENT` for a value that does not fit its property,
    /// `UNSUPPORTED_QUERY` for what the service would refuse or misread.
    pub fn render(&self, entity: Option<&Entity>, catalog: &Catalog) -> Result<String> {
        let mut out = String::new();
        Writer { entity, catalog, out: &mut out }.filter(self, false)?;
        Ok(out)
    }
}

struct Writer<'a> {
    entity: Option<&'a Entity>,
    catalog: &'a Catalog,
    out: &'a mut String,
}

/// What can be compared with what.
#[derive(Debug, PartialEq)]
enum Class {
    Text,
    Number,
    Date,
    Bool,
    Guid,
    /// By the name of its type, where it is known.
    Enum(Option<String>),
    Unknown,
}

impl Writer<'_> {
    fn filter(&mut self, filter: &Filter, nested: bool) -> Result<()> {
        match filter {
            Filter::Always(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Filter::Compare { left: Operand::Property(p), op, right: Operand::Value(v), exact } => {
                self.simple(p, *op, v, *exact)?;
            }
            Filter::Compare { left, op, right, .. } => self.general(left, *op, right)?,
            Filter::AnyOf { p, v } => {
                if v.is_empty() {
                    return Err(Error::argument(format!("anyOf of \"{p}\" needs at least one value")));
                }
                let parens = nested && v.len() > 1;
                self.list(v, " or ", parens, |writer, v| writer.simple(p, Compare::Eq, v, false))?;
            }
            Filter::And(parts) => self.join(parts, " and ", nested)?,
            Filter::Or(parts) => self.join(parts, " or ", nested)?,
            Filter::Not(part) => {
                self.out.push_str("not (");
                self.filter(part, false)?;
                self.out.push(')');
            }
        }
        Ok(())
    }

    fn join(&mut self, parts: &[Filter], word: &str, nested: bool) -> Result<()> {
        match parts {
            [] => Err(Error::argument("an empty and, or has no meaning")),
            [one] => self.filter(one, nested),
            parts => self.list(parts, word, nested, |writer, part| writer.filter(part, true)),
        }
    }

    fn list<T>(
        &mut self,
        parts: &[T],
        word: &str,
        parens: bool,
        write: impl Fn(&mut Self, &T) -> Result<()>,
    ) -> Result<()> {
        if parens {
            self.out.push('(');
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.out.push_str(word);
            }
            write(self, part)?;
        }
        if parens {
            self.out.push(')');
        }
        Ok(())
    }

    /// A property and a literal of its type.
    fn simple(&mut self, name: &str, op: Compare, value: &Scalar, exact: bool) -> Result<()> {
        let misfit = |why: String| Error::argument(format!("\"{name}\": {why}")).at_column(name);
        let unsupported =
            |why: &str| Error::new(ErrorCode::UnsupportedQuery, format!("\"{name}\": {why}")).at_column(name);
        let property = property(self.entity, name)?;
        let typed = match property {
            Some(property) if *value != Scalar::Null => {
                if property.edm == EdmType::Binary {
                    return Err(unsupported("binary columns can't be filtered"));
                }
                Typed::of(property, value, self.catalog).map_err(misfit)?
            }
            _ => Typed::untyped(value).map_err(misfit)?,
        };
        if matches!(typed, Typed::Prefixed(_)) {
            return Err(unsupported("no property of this service has the type of this value"));
        }
        let ordered = matches!(op, Compare::Gt | Compare::Ge | Compare::Lt | Compare::Le);
        if ordered && matches!(typed, Typed::Enum { .. } | Typed::Bool(_) | Typed::Null) {
            return Err(unsupported("the service compares enums and null with eq and ne only")
                .hint("Name the members that you want with anyOf."));
        }
        if op == Compare::Like && !matches!(typed, Typed::Text(_)) {
            return Err(unsupported("like is for text"));
        }
        let star = matches!(&typed, Typed::Text(text) if text.contains('*'));
        if star && matches!(op, Compare::Eq | Compare::Ne) {
            let error = unsupported(
                "the service takes the * in this text for a wildcard, so it can't be compared exactly",
            );
            return Err(if exact {
                error.hint("Only a list can do this: it fetches what fits the pattern and compares here.")
            } else {
                error.hint("Use like when a pattern is meant; eq with exact compares here what was fetched.")
            });
        }
        let literal = typed.uri().map_err(misfit)?;
        self.out.push_str(&format!("{name} {} {literal}", op.word()));
        Ok(())
    }

    /// Properties with each other, and arithmetic.
    fn general(&mut self, left: &Operand, op: Compare, right: &Operand) -> Result<()> {
        let class = self.operand(left, false)?;
        self.out.push_str(&format!(" {} ", op.word()));
        let other = self.operand(right, false)?;
        if op == Compare::Like {
            return Err(unsupported("like compares a property with a text"));
        }
        let enums =
            matches!(class, Class::Enum(_) | Class::Bool) || matches!(other, Class::Enum(_) | Class::Bool);
        if enums && !matches!(op, Compare::Eq | Compare::Ne) {
            return Err(unsupported("the service compares enums with eq and ne only"));
        }
        if class != other && class != Class::Unknown && other != Class::Unknown {
            return Err(Error::argument(format!("the two sides of {} are of different types", op.word())));
        }
        Ok(())
    }

    fn operand(&mut self, operand: &Operand, nested: bool) -> Result<Class> {
        match operand {
            Operand::Property(name) => {
                let property = property(self.entity, name)?;
                self.out.push_str(name);
                Ok(property.map_or(Class::Unknown, |property| match &property.edm {
                    EdmType::String => Class::Text,
                    EdmType::Int32 | EdmType::Int64 | EdmType::Decimal | EdmType::Double => Class::Number,
                    EdmType::DateTimeOffset => Class::Date,
                    EdmType::Boolean => Class::Bool,
                    EdmType::Guid => Class::Guid,
                    EdmType::Enum(name) => Class::Enum(Some(name.clone())),
                    EdmType::UnnamedEnum => Class::Enum(None),
                    EdmType::Binary | EdmType::Other(_) => Class::Unknown,
                }))
            }
            Operand::Value(value) => {
                let typed = Typed::untyped(value).map_err(Error::argument)?;
                self.out.push_str(&typed.uri().map_err(Error::argument)?);
                Ok(match typed {
                    Typed::Text(text) if text.contains('*') => {
                        return Err(unsupported("a text with * is compared with a property by like only"));
                    }
                    Typed::Text(_) => Class::Text,
                    Typed::Number(_) => Class::Number,
                    Typed::Bool(_) => Class::Bool,
                    Typed::Date(_) => Class::Date,
                    Typed::Guid(_) => Class::Guid,
                    Typed::Enum { name, .. } => Class::Enum(name),
                    Typed::Prefixed(_) | Typed::Null => Class::Unknown,
                })
            }
            Operand::Negate(inner) => {
                self.out.push('-');
                let literal = matches!(**inner, Operand::Value(_));
                if literal {
                    self.out.push('(');
                }
                let class = self.operand(inner, true)?;
                if literal {
                    self.out.push(')');
                }
                number(class)
            }
            Operand::Calc { op, left, right } => {
                if nested {
                    self.out.push('(');
                }
                let class = self.operand(left, true)?;
                number(class)?;
                self.out.push_str(&format!(" {} ", op.word()));
                let class = self.operand(right, true)?;
                if nested {
                    self.out.push(')');
                }
                number(class)
            }
        }
    }
}

fn number(class: Class) -> Result<Class> {
    match class {
        Class::Number | Class::Unknown => Ok(Class::Number),
        _ => Err(Error::argument("arithmetic is for numbers")),
    }
}

fn unsupported(why: &str) -> Error {
    Error::new(ErrorCode::UnsupportedQuery, why)
}

/// The property of the entity; of an unknown entity only the name is looked at, so that nothing else gets into the text.
fn property<'a>(entity: Option<&'a Entity>, name: &str) -> Result<Option<&'a crate::catalog::Property>> {
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(Error::argument(format!("\"{name}\" is no property name")));
    }
    entity.map(|entity| entity.require(name)).transpose()
}
