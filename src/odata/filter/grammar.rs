//! `$filter` by the grammar of OData: operators, their precedence, and what they make of both sides.

use super::cursor::Cursor;
use super::literals::literal;
use super::member::member;
use super::tree::{Arithmetic, Compare, Filter, Operand};
use super::{MAX_ARITHMETIC, MAX_TEXT};
use crate::error::{Error, Result};
use crate::odata::literal::Scalar;

impl Filter {
    /// Reads the text of `$filter`, percent-decoded, by the grammar of OData 4.01.
    ///
    /// A text with `*` that is compared by `eq` is a pattern, as in the service, and becomes `like`; by `ne`, the opposite. `not`
    /// takes the comparison behind it (`not A eq 1` is `not (A eq 1)`), since the service has no property that it could take
    /// alone. Operators may be written in any case. A text with `%` outside of quotes can only be percent-encoded, and is decoded
    /// first; characters are then counted in what comes of it. At most [`MAX_TEXT`](super::MAX_TEXT) bytes,
    /// [`MAX_DEPTH`](super::MAX_DEPTH) levels and [`MAX_ARITHMETIC`] arithmetic operators.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the 1-based character and what is expected there, where the text does not fit the grammar or passes
    /// a limit. `UNSUPPORTED_QUERY` by name for what the grammar allows and the service does not support: `has`, `in`, all
    /// functions, `any` and `all`, paths, `$it`, `$this`, `$root`, `$count`, aliases, annotations, casts, lists, objects, literals
    /// of types that the service lacks, and a value where a condition belongs.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = decoded(text);
        let mut cursor = Cursor::new(plain.as_deref().unwrap_or(text), "filter")?;
        let node = expression(&mut cursor, 0)?;
        let filter = condition(&mut cursor, node);
        cursor.finish("an operator or the end")?;
        Ok(filter)
    }
}

/// The text without percent-encoding, if it has one: outside of quotes a `%` has no other meaning.
fn decoded(text: &str) -> Option<String> {
    let outside = text.split('\'').step_by(2).any(|part| part.contains('%'));
    if !outside || text.len() > MAX_TEXT {
        return None;
    }
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let hex = part.get(..2).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        bytes.extend(part.get(2..)?.bytes());
    }
    String::from_utf8(bytes).ok()
}

/// What an expression turned out to be.
pub(super) enum Node {
    Value(Operand),
    Condition(Filter),
    /// Something that is refused; the cursor knows what.
    Refused,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Or,
    And,
    Compare(Compare),
    Calc(Arithmetic),
    Has,
    In,
}

const OPERATORS: [(&str, Operator); 16] = [
    ("eq", Operator::Compare(Compare::Eq)),
    ("ne", Operator::Compare(Compare::Ne)),
    ("gt", Operator::Compare(Compare::Gt)),
    ("ge", Operator::Compare(Compare::Ge)),
    ("lt", Operator::Compare(Compare::Lt)),
    ("le", Operator::Compare(Compare::Le)),
    ("and", Operator::And),
    ("or", Operator::Or),
    ("add", Operator::Calc(Arithmetic::Add)),
    ("sub", Operator::Calc(Arithmetic::Sub)),
    ("mul", Operator::Calc(Arithmetic::Mul)),
    ("div", Operator::Calc(Arithmetic::Div)),
    ("divby", Operator::Calc(Arithmetic::DivBy)),
    ("mod", Operator::Calc(Arithmetic::Mod)),
    ("has", Operator::Has),
    ("in", Operator::In),
];

impl Operator {
    /// The higher, the tighter.
    const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Compare(Compare::Eq | Compare::Ne) => 3,
            Self::Compare(_) => 4,
            Self::Calc(Arithmetic::Add | Arithmetic::Sub) => 5,
            Self::Calc(_) => 6,
            Self::Has | Self::In => 7,
        }
    }
}

/// An expression of operators that bind at least so tight.
pub(super) fn expression(cursor: &mut Cursor<'_>, least: u8) -> Result<Node> {
    cursor.deeper(|cursor| {
        let mut left = operand(cursor)?;
        loop {
            let from = cursor.at();
            let Some(operator) = cursor.operator(&OPERATORS) else { return Ok(left) };
            let precedence = operator.precedence();
            if precedence < least {
                cursor.back_to(from);
                return Ok(left);
            }
            left = match operator {
                Operator::And | Operator::Or => joined(cursor, operator, left)?,
                Operator::Compare(op) => {
                    let right = expression(cursor, precedence + 1)?;
                    comparison(cursor, left, op, right)
                }
                Operator::Calc(op) => {
                    cursor.arithmetic += 1;
                    if cursor.arithmetic > MAX_ARITHMETIC {
                        return Err(Error::argument(format!(
                            "the filter has more than {MAX_ARITHMETIC} arithmetic operators"
                        )));
                    }
                    let right = expression(cursor, precedence + 1)?;
                    calculation(cursor, left, op, right)
                }
                Operator::Has => {
                    let from = cursor.at();
                    if !matches!(literal(cursor)?, Some(Scalar::Enum { .. } | Scalar::Text(_))) {
                        cursor.back_to(from);
                        return Err(cursor.expected("an enum literal"));
                    }
                    cursor.refuse(
                        "the operator has",
                        "Enums of this service hold one member: use eq or anyOf.",
                    );
                    Node::Refused
                }
                Operator::In => {
                    cursor.refuse("the operator in", "Use anyOf, or several eq joined by or.");
                    listed(cursor)?;
                    Node::Refused
                }
            };
        }
    })
}

/// A whole chain of one kind, as one join.
fn joined(cursor: &mut Cursor<'_>, operator: Operator, left: Node) -> Result<Node> {
    let precedence = operator.precedence();
    let mut parts = vec![condition(cursor, left)];
    loop {
        let part = expression(cursor, precedence + 1)?;
        parts.push(condition(cursor, part));
        let from = cursor.at();
        match cursor.operator(&OPERATORS) {
            Some(next) if next.precedence() == precedence => {}
            _ => {
                cursor.back_to(from);
                break;
            }
        }
    }
    let filter = if precedence == Operator::Or.precedence() { Filter::or(parts) } else { Filter::and(parts) };
    Ok(Node::Condition(filter))
}

/// What stands between operators.
fn operand(cursor: &mut Cursor<'_>) -> Result<Node> {
    let from = cursor.at();
    if cursor.eat_word("not") {
        if cursor.blanks() {
            let inner = expression(cursor, 3)?;
            return Ok(Node::Condition(Filter::Not(Box::new(condition(cursor, inner)))));
        }
        if cursor.byte(0) == b'(' {
            return Err(cursor.expected("a blank behind not"));
        }
        cursor.back_to(from);
    }
    if cursor.eat(b'(') {
        cursor.blanks();
        let inner = expression(cursor, 0)?;
        cursor.blanks();
        cursor.expect(b')')?;
        return Ok(inner);
    }
    if let Some(value) = literal(cursor)? {
        return Ok(supported(cursor, value));
    }
    if cursor.eat(b'-') {
        cursor.blanks();
        let inner = expression(cursor, 7)?;
        return Ok(match inner {
            Node::Value(inner) => Node::Value(Operand::Negate(Box::new(inner))),
            Node::Condition(_) => {
                cursor.refuse("a sign before a condition", "Use not.");
                Node::Refused
            }
            Node::Refused => Node::Refused,
        });
    }
    member(cursor)
}

/// The right side of `in`: literals in parentheses, or an expression.
fn listed(cursor: &mut Cursor<'_>) -> Result<()> {
    let from = cursor.at();
    if cursor.eat(b'(') {
        cursor.blanks();
        let mut more = cursor.byte(0) != b')';
        let mut literals = true;
        while more && literals {
            literals = literal(cursor)?.is_some();
            cursor.blanks();
            more = cursor.eat(b',');
            if more {
                cursor.blanks();
            }
        }
        if literals && cursor.eat(b')') {
            return Ok(());
        }
        cursor.back_to(from);
    }
    expression(cursor, 7).map(|_| ())
}

fn supported(cursor: &mut Cursor<'_>, value: Scalar) -> Node {
    let what = match value {
        Scalar::Binary(_) => "a binary literal",
        Scalar::Duration(_) => "a duration literal",
        Scalar::TimeOfDay(_) => "a time of day",
        value => return Node::Value(Operand::Value(value)),
    };
    cursor.refuse(what, "The service filters by text, number, date and time, enum, GUID.");
    Node::Refused
}

/// What is wanted where a condition belongs.
pub(super) fn condition(cursor: &mut Cursor<'_>, node: Node) -> Filter {
    match node {
        Node::Condition(filter) => return filter,
        Node::Value(Operand::Value(Scalar::Bool(flag))) => return Filter::Always(flag),
        Node::Value(Operand::Property(name)) => cursor.refuse(
            format!("the property {name} as a condition of its own"),
            format!(
                "Yes and No are an enum in this service: write {name} eq true, or compare with a member."
            ),
        ),
        Node::Value(_) => cursor.refuse("a value as a condition", "Compare it with another value."),
        Node::Refused => {}
    }
    Filter::Always(true)
}

fn comparison(cursor: &mut Cursor<'_>, left: Node, op: Compare, right: Node) -> Node {
    let (left, right) = match (left, right) {
        (Node::Value(left), Node::Value(right)) => (left, right),
        (Node::Refused, _) | (_, Node::Refused) => return Node::Refused,
        _ => {
            cursor.refuse("a comparison with a condition", "Join the conditions by and, or, not.");
            return Node::Refused;
        }
    };
    let (left, op, right) = match left {
        Operand::Value(_) if !matches!(right, Operand::Value(_)) => (right, op.mirrored(), left),
        _ => (left, op, right),
    };
    let pattern = matches!(&right, Operand::Value(Scalar::Text(text)) if text.contains('*'))
        && matches!(left, Operand::Property(_));
    let compare = |left, op, right| Filter::Compare { left, op, right, exact: false };
    Node::Condition(match op {
        Compare::Eq if pattern => compare(left, Compare::Like, right),
        Compare::Ne if pattern => Filter::Not(Box::new(compare(left, Compare::Like, right))),
        _ => compare(left, op, right),
    })
}

fn calculation(cursor: &mut Cursor<'_>, left: Node, op: Arithmetic, right: Node) -> Node {
    match (left, right) {
        (Node::Value(left), Node::Value(right)) => {
            Node::Value(Operand::Calc { op, left: Box::new(left), right: Box::new(right) })
        }
        (Node::Refused, _) | (_, Node::Refused) => Node::Refused,
        _ => {
            cursor.refuse("arithmetic with a condition", "Calculate with numbers.");
            Node::Refused
        }
    }
}
