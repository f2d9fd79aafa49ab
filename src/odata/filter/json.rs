//! Lists and objects among expressions. The grammar allows them, the service does not; only where they end matters.

use super::cursor::Cursor;
use super::grammar::expression;
use crate::error::Result;

/// A list or an object in the manner of JSON, whose values may be expressions.
pub(super) fn json(cursor: &mut Cursor<'_>) -> Result<()> {
    cursor.deeper(|cursor| {
        let (object, close) = if cursor.byte(0) == b'{' { (true, b'}') } else { (false, b']') };
        cursor.skip(1);
        cursor.blanks();
        if cursor.eat(close) {
            return Ok(());
        }
        loop {
            if object {
                json_string(cursor)?;
                cursor.blanks();
                cursor.expect(b':')?;
                cursor.blanks();
            }
            match cursor.byte(0) {
                b'"' => json_string(cursor)?,
                b'[' | b'{' => json(cursor)?,
                _ => expression(cursor, 0).map(|_| ())?,
            }
            cursor.blanks();
            if !cursor.eat(b',') {
                return cursor.expect(close);
            }
            cursor.blanks();
        }
    })
}

fn json_string(cursor: &mut Cursor<'_>) -> Result<()> {
    cursor.expect(b'"')?;
    loop {
        match cursor.peek() {
            None => return Err(cursor.expected("the quotation mark that ends the text")),
            Some('"') => {
                cursor.skip(1);
                return Ok(());
            }
            Some('\\') => {
                cursor.skip(1);
                match cursor.byte(0) {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => cursor.skip(1),
                    b'u' if (1..=4).all(|ahead| cursor.byte(ahead).is_ascii_hexdigit()) => cursor.skip(5),
                    _ => return Err(cursor.expected("an escape of JSON")),
                }
            }
            Some(c) => cursor.skip(c.len_utf8()),
        }
    }
}
