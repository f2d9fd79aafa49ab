//! From text to a filter: precedence climbing with the types of every operand.

use super::number::Arithmetic;
use super::typed::{Node, Type, arithmetic, incompatible};
use super::{DatePart, Filter, Operator, Sort, Term, unknown_property};
use crate::catalog::{Catalog, Entity};
use crate::odata::behaviour::{Behaviour, DateFunctions, EqEmpty, EqNull, TextCase};
use crate::odata::error::ODataError;
use crate::odata::lexer::{Literal, Token, tokens};
use crate::value::{Value, default_value};

pub(super) fn parse(
    text: &str,
    entity: &Entity,
    catalog: &Catalog,
    behaviour: &Behaviour,
) -> Result<Filter, ODataError> {
    let mut parser =
        Parser { tokens: tokens(text)?, at: 0, text, entity, catalog, behaviour, depth: 0, operators: 0 };
    let found = parser.or()?;
    if parser.peek().is_some() {
        return Err(parser.syntax());
    }
    match found {
        Node::Test(filter) => Ok(filter),
        Node::Value(..) => {
            Err(ODataError::bad_request("The $filter expression must evaluate to a single boolean value."))
        }
    }
}

/// Deepest nesting of parentheses, `not` and minus signs.
const MAX_DEPTH: usize = 100;

/// Most tokens.
const MAX_TOKENS: usize = 4_000;

/// Most operators that nest: arithmetic, and comparisons of conditions.
const MAX_OPERATORS: usize = 200;

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
    entity: &'a Entity,
    catalog: &'a Catalog,
    behaviour: &'a Behaviour,
    depth: usize,
    /// Operators that nest, so far.
    operators: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Node, ODataError> {
        if self.tokens.len() > MAX_TOKENS {
            return Err(too_long());
        }
        let first = self.and()?;
        self.chain("or", "Or", first, Self::and, Filter::Or)
    }

    fn and(&mut self) -> Result<Node, ODataError> {
        let first = self.comparison()?;
        self.chain("and", "And", first, Self::comparison, Filter::And)
    }

    /// `first` alone, or with all that `word` joins to it.
    fn chain(
        &mut self,
        word: &str,
        operator: &str,
        first: Node,
        next: fn(&mut Self) -> Result<Node, ODataError>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Node, ODataError> {
        if !self.word(word) {
            return Ok(first);
        }
        let mut left = first;
        let mut tests = Vec::new();
        loop {
            let right = next(self)?;
            let edm = (left.edm(), right.edm());
            let (Node::Test(a), Node::Test(b)) = (left, right) else {
                return Err(incompatible(&edm.0, &edm.1, operator));
            };
            tests.push(a);
            left = Node::Test(b);
            if !self.word(word) {
                break;
            }
        }
        tests.push(left.test(operator)?);
        Ok(Node::Test(join(tests)))
    }

    fn comparison(&mut self) -> Result<Node, ODataError> {
        let mut left = self.additive()?;
        while let Some(Token::Word(word)) = self.peek() {
            let operator = match word.as_str() {
                "eq" => Operator::Equal,
                "ne" => Operator::NotEqual,
                "gt" => Operator::GreaterThan,
                "ge" => Operator::GreaterThanOrEqual,
                "lt" => Operator::LessThan,
                "le" => Operator::LessThanOrEqual,
                "has" | "in" => {
                    return Err(ODataError::query(format!("The query operator '{word}' is not supported.")));
                }
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.additive()?;
            if matches!(left, Node::Test(_)) {
                self.nest()?;
            }
            left = Node::Test(self.compare(left, operator, right)?);
        }
        Ok(left)
    }

    fn additive(&mut self) -> Result<Node, ODataError> {
        let mut left = self.multiplicative()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Word(word)) if word == "add" => Arithmetic::Add,
                Some(Token::Word(word)) if word == "sub" => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.multiplicative()?;
            self.nest()?;
            left = arithmetic(left, operator, right)?;
        }
    }

    fn multiplicative(&mut self) -> Result<Node, ODataError> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Word(word)) => match word.as_str() {
                    "mul" => Arithmetic::Multiply,
                    "div" => Arithmetic::Divide,
                    "divby" => Arithmetic::DivideBy,
                    "mod" => Arithmetic::Modulo,
                    _ => return Ok(left),
                },
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.unary()?;
            self.nest()?;
            left = arithmetic(left, operator, right)?;
        }
    }

    fn unary(&mut self) -> Result<Node, ODataError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_long());
        }
        let node = match self.next() {
            // Binds tightly: what is negated stands in parentheses.
            Some(Token::Word(word)) if word == "not" => {
                Node::Test(Filter::Not(Box::new(self.unary()?.test("Not")?)))
            }
            Some(Token::Minus) => {
                let inner = self.unary()?;
                match inner {
                    Node::Value(term, kind) if kind.is_number() => {
                        let zero = Node::Value(Term::Literal(Value::number(0)), Type::Int32);
                        arithmetic(zero, Arithmetic::Subtract, Node::Value(term, kind))?
                    }
                    other => {
                        return Err(ODataError::bad_request(format!(
                            "A unary operator with an incompatible type was detected. Found operand type '{}' for operator kind 'Negate'.",
                            other.edm()
                        )));
                    }
                }
            }
            Some(Token::Open) => {
                let inner = self.or()?;
                if self.next() != Some(Token::Close) {
                    return Err(self.syntax());
                }
                inner
            }
            Some(Token::Word(name)) if self.peek() == Some(&Token::Open) => self.function(&name)?,
            Some(Token::Word(name)) => {
                let property =
                    self.entity.property(&name).ok_or_else(|| unknown_property(&name, self.entity))?;
                let default = default_value(property, self.catalog);
                let kind = Type::of(&name, &property.kind);
                Node::Value(Term::Property { name, default }, kind)
            }
            Some(Token::Literal(literal)) => self.literal(literal)?,
            _ => return Err(self.syntax()),
        };
        self.depth -= 1;
        Ok(node)
    }

    /// Only parts of dates, and those only where the settings say so.
    fn function(&mut self, name: &str) -> Result<Node, ODataError> {
        let part = match name {
            _ if self.behaviour.date_functions == DateFunctions::Refused => return Err(refused(name)),
            "year" => DatePart::Year,
            "month" => DatePart::Month,
            "day" => DatePart::Day,
            "hour" => DatePart::Hour,
            "minute" => DatePart::Minute,
            "second" => DatePart::Second,
            _ => return Err(refused(name)),
        };
        self.at += 1;
        let Node::Value(term, Type::Date) = self.or()? else {
            return Err(ODataError::bad_request(format!(
                "No function signature for the function with name '{name}' matches the specified arguments."
            )));
        };
        match self.next() {
            Some(Token::Close) => Ok(Node::Value(Term::DatePart(Box::new(term), part), Type::Int32)),
            _ => Err(self.syntax()),
        }
    }

    fn literal(&self, literal: Literal) -> Result<Node, ODataError> {
        let kind = match &literal {
            Literal::Bool(value) => return Ok(Node::Test(Filter::Constant(*value))),
            Literal::Null => Type::Null,
            Literal::Text(_) => Type::Text { company: false },
            Literal::Number(_) => match literal.kind() {
                "Edm.Int32" => Type::Int32,
                "Edm.Int64" => Type::Int64,
                _ => Type::Decimal,
            },
            Literal::Date(_) => Type::Date,
            Literal::Guid(_) => Type::Guid,
            Literal::Enum(name, member) => {
                if !self.catalog.members(name).contains(member) {
                    return Err(ODataError::bad_request(format!(
                        "The string '{member}' is not a valid enumeration type constant."
                    )));
                }
                Type::Enum(name.clone())
            }
        };
        let value = match literal {
            Literal::Number(digits) => Value::Number(digits),
            Literal::Text(text) | Literal::Date(text) | Literal::Guid(text) | Literal::Enum(_, text) => {
                Value::Text(text)
            }
            Literal::Null | Literal::Bool(_) => Value::Null,
        };
        Ok(Node::Value(Term::Literal(value), kind))
    }

    fn compare(&self, left: Node, operator: Operator, right: Node) -> Result<Filter, ODataError> {
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let wrong = incompatible(&left.edm(), &right.edm(), format!("{operator:?}"));
        let ((left, kind), (right, other)) = match (left, right) {
            (Node::Value(left, kind), Node::Value(right, other)) => ((left, kind), (right, other)),
            (Node::Test(left), Node::Test(right)) if equality => {
                let same = Filter::Same(Box::new(left), Box::new(right));
                return Ok(if operator == Operator::Equal { same } else { Filter::Not(Box::new(same)) });
            }
            _ => return Err(wrong),
        };
        if kind == Type::Null || other == Type::Null {
            if self.behaviour.eq_null == EqNull::Refused {
                return Err(ODataError::query("A comparison with null is not supported."));
            }
            // The service has no nulls: null means the default of the property's type.
            let (term, kind) = if kind == Type::Null { (right, other) } else { (left, kind) };
            let (Term::Property { default, .. }, true) = (&term, equality) else { return Err(wrong) };
            let right = Term::Literal(default.clone());
            return Ok(Filter::Compare { left: term, operator, right, sort: self.sort(&kind) });
        }
        let fits = match (&kind, &other) {
            (Type::Text { .. }, Type::Text { .. }) | (Type::Date, Type::Date) | (Type::Guid, Type::Guid) => {
                true
            }
            (Type::Enum(a), Type::Enum(b)) => a == b && equality,
            (a, b) => a.is_number() && b.is_number(),
        };
        if !fits {
            return Err(wrong);
        }
        if let (true, Type::Text { .. }, Type::Text { .. }) = (equality, &kind, &other) {
            let (term, kind, literal) = match (left, right) {
                (left @ Term::Property { .. }, right) => (left, kind, right),
                (left, right) => (right, other, left),
            };
            return self.equal_texts(term, &kind, operator, literal);
        }
        // With a company on either side the case does not matter.
        let kind = if other == (Type::Text { company: true }) { other } else { kind };
        Ok(Filter::Compare { left, operator, right, sort: self.sort(&kind) })
    }

    /// A star in a literal is a wildcard, except in companies.
    fn equal_texts(
        &self,
        term: Term,
        kind: &Type,
        operator: Operator,
        other: Term,
    ) -> Result<Filter, ODataError> {
        if let Term::Literal(Value::Text(text)) = &other {
            if text.is_empty() && self.behaviour.eq_empty == EqEmpty::Refused {
                return Err(ODataError::query("A comparison with an empty text is not supported."));
            }
            if text.contains('*') && *kind == (Type::Text { company: false }) {
                let case = self.behaviour.text_case;
                let parts = case.form(text).split('*').map(str::to_owned).collect();
                let like = Filter::Like { term, parts, case };
                return Ok(if operator == Operator::Equal { like } else { Filter::Not(Box::new(like)) });
            }
        }
        Ok(Filter::Compare { left: term, operator, right: other, sort: self.sort(kind) })
    }

    fn sort(&self, kind: &Type) -> Sort {
        match kind {
            Type::Text { company: true } => Sort::Text(TextCase::Ignore),
            Type::Text { company: false } => Sort::Text(self.behaviour.text_case),
            Type::Int32 | Type::Int64 | Type::Decimal => Sort::Number,
            Type::Date => Sort::Date,
            Type::Null | Type::Guid | Type::Binary | Type::Enum(_) => Sort::Text(TextCase::Exact),
        }
    }

    fn nest(&mut self) -> Result<(), ODataError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS { Err(too_long()) } else { Ok(()) }
    }

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
}

/// The words measured for `startswith`; taken for the other string functions too (unverified).
fn refused(name: &str) -> ODataError {
    match name {
        "startswith" | "endswith" | "contains" | "substringof" | "indexof" | "substring" | "tolower"
        | "toupper" | "trim" | "concat" | "length" | "matchesPattern" => {
            ODataError::query("The type System.String for the query operator is not Queryable!")
        }
        "any" | "all" => ODataError::bad_request(format!("The lambda operator '{name}' is not supported.")),
        _ => ODataError::query(format!("The query function '{name}' is not supported.")),
    }
}

fn too_long() -> ODataError {
    ODataError::bad_request("The node count limit of the filter has been exceeded.")
}
