//! What begins with a name: properties, and all that the grammar allows beside them, which is refused by name.

use super::cursor::Cursor;
use super::grammar::{Node, expression};
use super::json::json;
use super::literals::{literal, qualified};
use super::tree::Operand;
use crate::error::Result;

/// Functions of the standard, with the fewest and most arguments.
const FUNCTIONS: [(&str, usize, usize); 35] = [
    ("concat", 2, 2),
    ("contains", 2, 2),
    ("endswith", 2, 2),
    ("startswith", 2, 2),
    ("indexof", 2, 2),
    ("length", 1, 1),
    ("matchesPattern", 2, 2),
    ("substring", 2, 3),
    ("tolower", 1, 1),
    ("toupper", 1, 1),
    ("trim", 1, 1),
    ("year", 1, 1),
    ("month", 1, 1),
    ("day", 1, 1),
    ("hour", 1, 1),
    ("minute", 1, 1),
    ("second", 1, 1),
    ("fractionalseconds", 1, 1),
    ("totalseconds", 1, 1),
    ("date", 1, 1),
    ("time", 1, 1),
    ("totaloffsetminutes", 1, 1),
    ("mindatetime", 0, 0),
    ("maxdatetime", 0, 0),
    ("now", 0, 0),
    ("round", 1, 1),
    ("floor", 1, 1),
    ("ceiling", 1, 1),
    ("geo.distance", 2, 2),
    ("geo.length", 1, 1),
    ("geo.intersects", 2, 2),
    ("hassubset", 2, 2),
    ("hassubsequence", 2, 2),
    ("isof", 1, 2),
    ("cast", 1, 2),
];

const ONE_LEVEL: &str =
    "The service compares properties of the entity itself; read the other collection and filter there.";

/// A property, or something refused.
pub(super) fn member(cursor: &mut Cursor<'_>) -> Result<Node> {
    match cursor.byte(0) {
        b'[' | b'{' => {
            let what = if cursor.byte(0) == b'[' { "a list" } else { "an object" };
            json(cursor)?;
            cursor.refuse(what, "Use anyOf for several values of one property.");
            return Ok(Node::Refused);
        }
        b'$' => return variable(cursor),
        b'@' => {
            annotation(cursor, "an alias or annotation", "Put the value in its place.")?;
            return path(cursor);
        }
        _ => {}
    }
    let name = qualified(cursor)?;
    if name.is_empty() {
        return Err(cursor.expected("a property, a literal, a parenthesis or not"));
    }
    if cursor.byte(0) == b'(' {
        call(cursor, name)?;
        return path(cursor);
    }
    if name.contains('.') {
        if cursor.byte(0) != b'/' {
            return Err(cursor.expected("a slash or a parenthesis behind the name of a type or function"));
        }
        cursor.refuse(format!("the type cast {name}"), ONE_LEVEL);
    } else if cursor.byte(0) != b'/' {
        return Ok(Node::Value(Operand::Property(name.to_owned())));
    }
    path(cursor)
}

/// What may follow a first segment that is refused, or is a property with a slash behind it.
fn path(cursor: &mut Cursor<'_>) -> Result<Node> {
    loop {
        if cursor.byte(0) == b'(' {
            // A key behind a function that gives a collection.
            call(cursor, "")?;
        } else if cursor.eat(b'/') {
            segment(cursor)?;
        } else {
            break;
        }
    }
    // Where nothing inside was more telling.
    cursor.refuse("a path over other records", ONE_LEVEL);
    Ok(Node::Refused)
}

fn segment(cursor: &mut Cursor<'_>) -> Result<()> {
    if cursor.byte(0) == b'@' {
        return annotation(cursor, "an annotation", "Annotations can't be compared.");
    }
    if cursor.eat(b'$') {
        if cursor.eat_word("count") {
            cursor.refuse("$count in a filter", ONE_LEVEL);
            return if cursor.eat(b'(') { options(cursor) } else { Ok(()) };
        }
        if cursor.eat_word("filter") {
            cursor.refuse("$filter in a path", ONE_LEVEL);
            cursor.expect(b'(')?;
            expression(cursor, 0)?;
            return cursor.expect(b')');
        }
        return Err(cursor.expected("count or filter"));
    }
    let name = qualified(cursor)?;
    match (name, cursor.byte(0)) {
        ("any" | "all", b'(') => lambda(cursor, name),
        ("", _) => Ok(()), // The grammar lets a path end in a slash.
        (_, b'(') => call(cursor, name),
        (_, _) => {
            if name.contains('.') {
                cursor.refuse(format!("the type cast {name}"), ONE_LEVEL);
            }
            Ok(())
        }
    }
}

/// `$it`, `$this`, `$root/…`
fn variable(cursor: &mut Cursor<'_>) -> Result<Node> {
    for name in ["$it", "$this", "$root"] {
        // These words alone are case-sensitive.
        if cursor.rest().starts_with(name) && cursor.eat_word(name) {
            cursor.refuse(name, "Name the property without it.");
            if name == "$root" {
                cursor.expect(b'/')?;
                let set = qualified(cursor)?;
                if set.is_empty() {
                    return Err(cursor.expected("the name of a collection"));
                }
                if cursor.byte(0) == b'(' {
                    call(cursor, set)?;
                }
            }
            return path(cursor);
        }
    }
    Err(cursor.expected("$it, $this or $root/"))
}

/// `@name`, `@Namespace.Term#Qualifier`
fn annotation(cursor: &mut Cursor<'_>, what: &str, hint: &str) -> Result<()> {
    cursor.skip(1);
    if qualified(cursor)?.is_empty() {
        return Err(cursor.expected("a name behind @"));
    }
    if cursor.eat(b'#') && cursor.identifier()?.is_none() {
        return Err(cursor.expected("a qualifier behind #"));
    }
    cursor.refuse(what, hint);
    Ok(())
}

/// `any(x:x/Name eq 'A')`, behind a path.
fn lambda(cursor: &mut Cursor<'_>, name: &str) -> Result<()> {
    cursor.skip(1);
    cursor.blanks();
    cursor.refuse(format!("the lambda operator {name}"), ONE_LEVEL);
    if name == "any" && cursor.eat(b')') {
        return Ok(());
    }
    if cursor.identifier()?.is_none() {
        return Err(cursor.expected("a variable"));
    }
    cursor.blanks();
    cursor.expect(b':')?;
    cursor.blanks();
    expression(cursor, 0)?;
    cursor.blanks();
    cursor.expect(b')')
}

/// A function with its arguments, or with no name a key.
fn call(cursor: &mut Cursor<'_>, name: &str) -> Result<()> {
    if matches!(name, "any" | "all") {
        return Err(cursor.expected(&format!("an operator, since {name} needs a path before it")));
    }
    if name == "case" {
        return cases(cursor);
    }
    let standard = FUNCTIONS.iter().find(|(known, _, _)| known.eq_ignore_ascii_case(name));
    let shown = standard.map_or(name, |(known, _, _)| known);
    let hint = match shown {
        "contains" | "startswith" | "endswith" => {
            "Use like with *: '*part*' contains, 'start*' starts with, '*end' ends with."
        }
        "tolower" | "toupper" => "Text is compared without regard to case anyway (unverified).",
        "year" | "month" | "day" | "date" => {
            "Compare with a range: ge the first moment and lt the one after."
        }
        _ => "Compare the property itself, or compare here what was fetched.",
    };
    // First, so that it is named before what its arguments hold.
    match (standard, name) {
        (None, "") => cursor.refuse("a key in a path", ONE_LEVEL),
        (None, name) => cursor.refuse(format!("{name}(…), a function or a key in a path"), hint),
        (Some(_), _) => cursor.refuse(format!("the function {shown}"), hint),
    }
    let opened = cursor.at();
    cursor.skip(1);
    cursor.blanks();
    let (mut named, mut plain) = (0, 0);
    if !cursor.eat(b')') {
        loop {
            let kind = match shown {
                "isof" | "cast" => Argument::TypeToo,
                _ if standard.is_some() => Argument::Any,
                _ => Argument::Key,
            };
            if argument(cursor, kind)? {
                named += 1;
            } else {
                plain += 1;
            }
            cursor.blanks();
            if !cursor.eat(b',') {
                break;
            }
            cursor.blanks();
        }
        cursor.expect(b')')?;
    }
    let fits = match standard {
        Some((_, fewest, most)) => named == 0 && (*fewest..=*most).contains(&plain),
        None => plain == 0 || (plain == 1 && named == 0),
    };
    if !fits {
        cursor.back_to(opened);
        return Err(cursor.expected(match standard {
            Some(_) => "the number of arguments that the function takes",
            None => "Name=value for each parameter, or one value",
        }));
    }
    Ok(())
}

/// What may stand as a positional argument.
#[derive(Clone, Copy, PartialEq)]
enum Argument {
    Any,
    TypeToo,
    /// A literal or an alias.
    Key,
}

/// An argument; whether it was `Name=value`.
fn argument(cursor: &mut Cursor<'_>, kind: Argument) -> Result<bool> {
    let from = cursor.at();
    if cursor.identifier()?.is_some() && cursor.eat(b'=') {
        expression(cursor, 0)?;
        return Ok(true);
    }
    cursor.back_to(from);
    if kind == Argument::Key && cursor.byte(0) != b'@' {
        return match literal(cursor)? {
            Some(_) => Ok(false),
            None => Err(cursor.expected("Name=value, or a literal")),
        };
    }
    if kind == Argument::TypeToo {
        // A type stands where a value does, and may be a collection.
        let name = qualified(cursor)?;
        let whole = match name {
            "Collection" if cursor.eat(b'(') => !qualified(cursor)?.is_empty() && cursor.eat(b')'),
            _ => !name.is_empty(),
        };
        let behind = cursor.at();
        cursor.blanks();
        if whole && matches!(cursor.byte(0), b')' | b',') {
            cursor.back_to(behind);
            return Ok(false);
        }
        cursor.back_to(from);
    }
    expression(cursor, 0)?;
    Ok(false)
}

/// `case(A eq 1:'one',true:'other')`
fn cases(cursor: &mut Cursor<'_>) -> Result<()> {
    cursor.refuse("the function case", "Join conditions by and, or.");
    cursor.skip(1);
    cursor.blanks();
    loop {
        expression(cursor, 0)?;
        cursor.blanks();
        cursor.expect(b':')?;
        cursor.blanks();
        expression(cursor, 0)?;
        cursor.blanks();
        if !cursor.eat(b',') {
            return cursor.expect(b')');
        }
        cursor.blanks();
    }
}

/// `$filter=…;$search=…` behind `/$count(`.
fn options(cursor: &mut Cursor<'_>) -> Result<()> {
    loop {
        cursor.eat(b'$');
        if cursor.eat_word("filter") {
            cursor.expect(b'=')?;
            expression(cursor, 0)?;
        } else if cursor.eat_word("search") {
            cursor.expect(b'=')?;
            search(cursor)?;
        } else {
            return Err(cursor.expected("$filter or $search"));
        }
        if !cursor.eat(b';') {
            return cursor.expect(b')');
        }
    }
}

/// Words and phrases; only where they end matters here.
fn search(cursor: &mut Cursor<'_>) -> Result<()> {
    let (mut open, mut phrase) = (0_usize, false);
    let start = cursor.at();
    while let Some(c) = cursor.peek() {
        match c {
            '"' => phrase = !phrase,
            ';' if !phrase => break,
            '(' if !phrase => open += 1,
            ')' if !phrase && open == 0 => break,
            ')' if !phrase => open -= 1,
            _ => {}
        }
        cursor.skip(c.len_utf8());
    }
    if cursor.at() == start || phrase || open > 0 {
        return Err(cursor.expected("a search expression"));
    }
    Ok(())
}
