//! The smaller texts of a request: `$orderby`, `$select`, `$expand`, keys.

use super::cursor::Cursor;
use super::grammar::{Node, expression};
use super::literals::literal;
use super::tree::Operand;
use crate::error::Result;
use crate::odata::literal::Scalar;

/// One criterion of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// Property.
    pub name: String,
    /// Largest first.
    pub descending: bool,
}

/// Reads `Name desc,Other`, percent-decoded.
///
/// # Errors
/// `INVALID_ARGUMENT` with the character for what is no order, `UNSUPPORTED_QUERY` for an order by anything but a property.
pub fn parse_orderby(text: &str) -> Result<Vec<Order>> {
    let mut cursor = Cursor::new(text, "orderBy")?;
    let mut orders = Vec::new();
    loop {
        let node = expression(&mut cursor, 0)?;
        let from = cursor.at();
        let mut descending = false;
        if cursor.blanks() {
            descending = cursor.eat_word("desc");
            if !descending && !cursor.eat_word("asc") {
                cursor.back_to(from);
                return Err(cursor.expected("an operator, asc, desc, a comma or the end"));
            }
        }
        match node {
            Node::Value(Operand::Property(name)) => orders.push(Order { name, descending }),
            Node::Refused => {}
            _ => cursor.refuse("an order by an expression", "Order by properties."),
        }
        if !comma(&mut cursor) {
            cursor.finish("a comma or the end")?;
            return Ok(orders);
        }
    }
}

/// Reads `Name,Other`, percent-decoded. `*` gives no names: all properties.
///
/// # Errors
/// `INVALID_ARGUMENT` with the character for what is no list of names, `UNSUPPORTED_QUERY` for paths, casts, nested options,
/// annotations and actions.
pub fn parse_select(text: &str) -> Result<Vec<String>> {
    let mut cursor = Cursor::new(text, "select")?;
    let mut names = Vec::new();
    let mut all = false;
    loop {
        let found = name(&mut cursor, "Name properties of the entity itself.")?;
        all |= found == "*";
        names.push(found);
        if !comma(&mut cursor) {
            cursor.finish("a comma or the end")?;
            return Ok(if all { Vec::new() } else { names });
        }
    }
}

/// Reads `Name,Other`, percent-decoded: navigation properties of the entity itself.
///
/// # Errors
/// `INVALID_ARGUMENT` with the character for what is no list of names, `UNSUPPORTED_QUERY` for all beyond the first level:
/// paths, `$ref`, `$count`, options in parentheses, `*`.
pub fn parse_expand(text: &str) -> Result<Vec<String>> {
    let mut cursor = Cursor::new(text, "expand")?;
    let mut names = Vec::new();
    loop {
        let found = name(
            &mut cursor,
            "The service expands the first level only; read the other collection for more.",
        )?;
        if found == "*" {
            cursor.refuse("expand of *", "Name the navigation properties.");
        }
        names.push(found);
        if !comma(&mut cursor) {
            cursor.finish("a comma or the end")?;
            return Ok(names);
        }
    }
}

/// Reads the inside of a key's parentheses, percent-decoded: `'A1'` (no name), or `dataAreaId='usmf',LineNumber=1`.
///
/// # Errors
/// `INVALID_ARGUMENT` with the character for what is no key, `UNSUPPORTED_QUERY` for an alias (`@key`) and for null.
pub fn parse_key(text: &str) -> Result<Vec<(Option<String>, Scalar)>> {
    let mut cursor = Cursor::new(text, "key")?;
    let mut parts = Vec::new();
    loop {
        let from = cursor.at();
        let name = match cursor.identifier()? {
            Some(name) if cursor.eat(b'=') => Some(name.to_owned()),
            _ => {
                cursor.back_to(from);
                None
            }
        };
        if cursor.eat(b'@') {
            if cursor.identifier()?.is_none() {
                return Err(cursor.expected("a name behind @"));
            }
            cursor.refuse("an alias in a key", "Put the value in its place.");
        } else {
            let value = literal(&mut cursor)?.ok_or_else(|| cursor.expected("a literal"))?;
            match value {
                Scalar::Null => return Err(cursor.expected("a value other than null")),
                Scalar::Binary(_) => return Err(cursor.expected("a value that a key can hold")),
                value => parts.push((name.clone(), value)),
            }
        }
        let named = name.is_some();
        if !named || !cursor.eat(b',') {
            cursor.finish(if named { "a comma or the end" } else { "the end" })?;
            return Ok(parts);
        }
        let from = cursor.at();
        if cursor.identifier()?.is_none() || cursor.byte(0) != b'=' {
            cursor.back_to(from);
            return Err(cursor.expected("Name=value"));
        }
        cursor.back_to(from);
    }
}

fn comma(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat(b',')
}

/// A name or `*`. What else the grammar allows is refused here, and only its end looked for.
fn name(cursor: &mut Cursor<'_>, hint: &str) -> Result<String> {
    if cursor.eat(b'*') && cursor.byte(0) != b'/' && cursor.byte(0) != b'(' {
        return Ok("*".to_owned());
    }
    let name = cursor.identifier()?.unwrap_or_default().to_owned();
    let what = match cursor.byte(0) {
        b'/' => "a path",
        b'(' => "options in parentheses",
        b'.' if !name.is_empty() => "a qualified name",
        b'@' if name.is_empty() => "an annotation",
        b'$' if name.is_empty() => "$value",
        _ if name.is_empty() => return Err(cursor.expected("a name")),
        _ => return Ok(name),
    };
    cursor.refuse(what, hint);
    foreign(cursor)?;
    Ok(name)
}

/// Past all that belongs to the item.
fn foreign(cursor: &mut Cursor<'_>) -> Result<()> {
    let (mut open, mut quoted) = (0_usize, false);
    while let Some(c) = cursor.peek() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted && open == 0 => return Err(cursor.expected("a comma or the end")),
            ')' if !quoted => open -= 1,
            ',' if !quoted && open == 0 => break,
            _ => {}
        }
        cursor.skip(c.len_utf8());
    }
    if open > 0 || quoted { Err(cursor.expected("the end of the options")) } else { Ok(()) }
}
