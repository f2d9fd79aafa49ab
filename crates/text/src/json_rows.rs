//! Records of a JSON answer, cut out of its bytes while they arrive: whole records go on in pieces, numbers that a float can't
//! hold are written as text, and of the rest of the answer only the link to the next page and the count are kept.

use std::collections::VecDeque;

use thiserror::Error;

/// A piece is handed on when it is this long: engines make short strings several times faster than long ones.
const PIECE: usize = 64 * 1024;
/// Longest text kept of a member beside the records.
const CAPTURED: usize = 64 * 1024;
/// Longest record.
const RECORD: usize = 64 * 1024 * 1024;
/// Deepest nesting.
const DEPTH: u8 = 60;
/// Whole numbers beyond this are not exact in a float.
const EXACT: u64 = 9_007_199_254_740_991;
/// No columns are known.
const NO_SET: u8 = u8::MAX;

/// Why bytes are no answer of that shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} at byte {at}")]
pub struct Malformed {
    /// Where, from 0.
    pub at: u64,
    /// What is wrong.
    pub what: What,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum What {
    /// A byte that JSON does not allow there.
    #[error("it is no JSON")]
    Syntax,
    /// The bytes ended too early.
    #[error("it is cut short")]
    Cut,
    /// There is no list of records.
    #[error("it has no list of records")]
    NoRecords,
    /// Nested too deeply.
    #[error("it is nested more than 60 deep")]
    Depth,
    /// A record of more than 64 MiB, or a link or count of more than 64 KiB.
    #[error("a record is longer than 64 MiB, or a link longer than 64 KiB")]
    Long,
    /// Asked for again, the answer has other records at its beginning.
    #[error("other records come where others had come before")]
    Changed,
}

/// How a numeric column comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 64 bits.
    Int64,
    /// A decimal number of any length.
    Decimal,
    /// A number that a float holds.
    Plain,
}

/// How Int64 and Decimal are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// As they came.
    Raw,
    /// As text.
    Text,
    /// Decimal as text, Int64 as `{"$int64":"…"}`: no property can have that name.
    Marked,
}

/// The numeric columns of one kind of record.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// By name.
    pub numbers: Vec<(String, Kind)>,
    /// Members that hold other records: which of the sets these have.
    pub nested: Vec<(String, u8)>,
}

/// What the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// An object whose `value` is a list of records; no more of them than that are wanted.
    Page(u64),
    /// Any value; a number alone or in a list is of that kind.
    Value(Option<Kind>),
}

/// See the module.
#[derive(Debug)]
pub struct Scanner {
    root: Root,
    numbers: Numbers,
    /// The first one is that of the records.
    sets: Vec<Columns>,
    /// Where the last number was found: the next one is mostly behind it.
    cursor: usize,

    read: u64,
    state: State,
    depth: u8,
    /// Whether the container at a depth is an object, one bit each.
    objects: u64,
    set_of: [u8; DEPTH as usize + 1],
    member: Member,
    listed: bool,

    /// What is under way; places below are places in it.
    out: Vec<u8>,
    key: (usize, usize),
    token: usize,
    /// Where the record under way begins, and where what is kept ends.
    record: usize,
    kept: usize,
    in_piece: bool,
    rows: u64,
    skip: u64,
    last: Vec<u8>,
    pieces: VecDeque<Vec<u8>>,
    next: Option<Vec<u8>>,
    count: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Mark(u8),
    Value,
    ValueOrEnd,
    KeyOrEnd,
    KeyStart,
    Key,
    Colon,
    Text,
    /// In a key or not; digits of `\u` still to come.
    Escape(bool, u8),
    Number,
    Literal,
    After,
    End,
    Enough,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Other,
    Rows,
    Next,
    Count,
}

impl Scanner {
    /// At most 255 sets of columns, the first for the records themselves.
    #[inline(never)]
    #[must_use]
    pub fn new(root: Root, numbers: Numbers, sets: Vec<Columns>) -> Self {
        Self {
            root,
            numbers,
            sets,
            cursor: 0,
            read: 0,
            state: State::Mark(0),
            depth: 0,
            objects: 0,
            set_of: [NO_SET; DEPTH as usize + 1],
            member: Member::Other,
            listed: false,
            out: Vec::new(),
            key: (0, 0),
            token: 0,
            record: 0,
            kept: 0,
            in_piece: false,
            rows: 0,
            skip: 0,
            last: Vec::new(),
            pieces: VecDeque::new(),
            next: None,
            count: None,
        }
    }

    /// Reads on. After as many records as are wanted the rest is ignored.
    #[inline(never)]
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut at = 0;
        let outcome = self.scan(bytes, &mut at);
        self.read += at as u64;
        outcome.map_err(|what| Malformed { at: self.read, what })
    }

    /// The bytes are all there.
    #[inline(never)]
    pub fn finish(&mut self) -> Result<(), Malformed> {
        if self.depth == 0 && matches!(self.state, State::Number | State::Literal) {
            self.scalar_ends().map_err(|what| Malformed { at: self.read, what })?;
        }
        let what = match self.state {
            State::Enough => None,
            State::End if self.root_is_page() && !self.listed => Some(What::NoRecords),
            State::End if self.skip > 0 => Some(What::Changed),
            State::End => None,
            _ => Some(What::Cut),
        };
        self.cut();
        what.map_or(Ok(()), |what| Err(Malformed { at: self.read, what }))
    }

    /// The answer broke off and is asked for again: records that were found already are left out, if the last of them comes in
    /// the same place again; otherwise [`What::Changed`] is the end.
    #[inline(never)]
    pub fn restart(&mut self) {
        self.cut();
        (self.out, self.key, self.token, self.record, self.kept) = (Vec::new(), (0, 0), 0, 0, 0);
        (self.read, self.state, self.depth, self.objects) = (0, State::Mark(0), 0, 0);
        (self.member, self.listed, self.skip) = (Member::Other, false, self.rows);
    }

    /// The next piece: a JSON list of whole records.
    #[must_use]
    pub fn take(&mut self) -> Option<Vec<u8>> {
        self.pieces.pop_front()
    }

    /// Bytes of pieces that were not taken yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Closes the piece under way, however short; a record under way is lost.
    fn cut(&mut self) {
        if !self.in_piece {
            return;
        }
        let mut piece = std::mem::take(&mut self.out);
        piece.truncate(self.kept);
        piece.push(b']');
        self.pieces.push_back(piece);
        (self.record, self.kept, self.in_piece) = (0, 0, false);
    }

    /// The value, for [`Root::Value`].
    #[must_use]
    pub fn into_value(self) -> Vec<u8> {
        self.out
    }

    /// Records found so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether as many records as wanted were found.
    #[must_use]
    pub const fn has_enough(&self) -> bool {
        matches!(self.state, State::Enough)
    }

    /// The link to the next page, as a JSON text.
    #[must_use]
    pub fn next_link(&self) -> Option<&[u8]> {
        self.next.as_deref()
    }

    /// The number of all records, as it stands there.
    #[must_use]
    pub fn count(&self) -> Option<&[u8]> {
        self.count.as_deref()
    }

    const fn root_is_page(&self) -> bool {
        matches!(self.root, Root::Page(_))
    }

    fn scan(&mut self, bytes: &[u8], place: &mut usize) -> Result<(), What> {
        let mut at = 0;
        // What lies between here and `at` is still to be copied.
        let mut from = 0;
        while let Some(&byte) = bytes.get(at) {
            *place = at;
            // Where this byte will be in `out`.
            let here = self.out.len() + (at - from);
            match self.state {
                State::Text | State::Key => {
                    at += plain(bytes.get(at..).unwrap_or_default());
                    let end = self.out.len() + (at - from);
                    match bytes.get(at) {
                        None => break,
                        Some(b'"') if self.state == State::Key => {
                            self.key.1 = end;
                            self.state = State::Colon;
                        }
                        Some(b'"') => {
                            self.state = if self.depth == 0 { State::End } else { State::After };
                            let special = self.numbers == Numbers::Marked || self.captures();
                            if special {
                                self.copy(bytes, &mut from, at + 1);
                                self.text_ends()?;
                            }
                        }
                        Some(b'\\') => self.state = State::Escape(self.state == State::Key, 0),
                        Some(_) => {
                            *place = at;
                            return Err(What::Syntax);
                        }
                    }
                    at += 1;
                }
                State::Escape(key, 0) => {
                    self.state = match byte {
                        b'u' => State::Escape(key, 4),
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => inside(key),
                        _ => return Err(What::Syntax),
                    };
                    at += 1;
                }
                State::Escape(key, digits) => {
                    if !byte.is_ascii_hexdigit() {
                        return Err(What::Syntax);
                    }
                    self.state = if digits == 1 { inside(key) } else { State::Escape(key, digits - 1) };
                    at += 1;
                }
                State::Number | State::Literal => {
                    let number = self.state == State::Number;
                    let more = |b: &&u8| match b {
                        b'0'..=b'9' | b'+' | b'-' | b'.' | b'E' => number,
                        b'e' => true,
                        b'a'..=b'z' => !number,
                        _ => false,
                    };
                    at += bytes.get(at..).unwrap_or_default().iter().take_while(more).count();
                    if at < bytes.len() {
                        self.copy(bytes, &mut from, at);
                        self.scalar_ends()?;
                    }
                }
                State::Enough => {
                    *place = bytes.len();
                    self.out.truncate(self.kept);
                    return Ok(());
                }
                _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
                    && !matches!(self.state, State::Mark(1..)) =>
                {
                    at += 1;
                }
                State::Mark(read) => {
                    // A byte order mark may come first.
                    match (read, byte) {
                        (0, 0xef) | (1, 0xbb) => (at, self.state) = (at + 1, State::Mark(read + 1)),
                        (2, 0xbf) => (at, self.state) = (at + 1, State::Value),
                        (0, _) => self.state = State::Value,
                        _ => return Err(What::Syntax),
                    }
                    from = at;
                    self.out.truncate(self.kept);
                }
                State::Value | State::ValueOrEnd => {
                    let empty = self.state == State::ValueOrEnd;
                    self.token = here;
                    at += 1;
                    match byte {
                        b'"' => self.state = State::Text,
                        b'-' | b'0'..=b'9' => self.state = State::Number,
                        b't' | b'f' | b'n' => self.state = State::Literal,
                        b'{' | b'[' => {
                            if self.opens_record() {
                                self.copy(bytes, &mut from, at - 1);
                                self.begin_record();
                            }
                            self.open(byte == b'{', bytes, &mut from, at)?;
                        }
                        b']' if empty => self.close(byte, bytes, &mut from, at)?,
                        _ => return Err(What::Syntax),
                    }
                    let scalar = !matches!(byte, b'{' | b'[' | b']');
                    if scalar && (self.opens_record() || (self.depth == 0 && self.root_is_page())) {
                        return Err(What::NoRecords);
                    }
                    if scalar && self.depth == 1 && self.root_is_page() && self.member == Member::Rows {
                        return Err(What::NoRecords);
                    }
                }
                State::KeyOrEnd | State::KeyStart => {
                    at += 1;
                    match byte {
                        b'"' => {
                            self.key.0 = here + 1;
                            self.state = State::Key;
                        }
                        b'}' if self.state == State::KeyOrEnd => self.close(byte, bytes, &mut from, at)?,
                        _ => return Err(What::Syntax),
                    }
                }
                State::Colon => {
                    if byte != b':' {
                        return Err(What::Syntax);
                    }
                    at += 1;
                    self.state = State::Value;
                    if self.depth == 1 && self.root_is_page() {
                        self.copy(bytes, &mut from, at);
                        self.name_member();
                    }
                }
                State::After => {
                    at += 1;
                    match byte {
                        b',' => {
                            self.state = if self.in_object() { State::KeyStart } else { State::Value };
                            if !self.in_record() {
                                self.drop_unkept(&mut from, at);
                            } else if self.in_object() && self.numbers != Numbers::Marked {
                                while let Some(length) = bytes.get(at..).and_then(text_member) {
                                    at += length;
                                    self.state = State::After;
                                    if bytes.get(at) != Some(&b',') {
                                        break;
                                    }
                                    at += 1;
                                    self.state = State::KeyStart;
                                }
                            }
                        }
                        b'}' | b']' => self.close(byte, bytes, &mut from, at)?,
                        _ => return Err(What::Syntax),
                    }
                }
                State::End => return Err(What::Syntax),
            }
        }
        *place = at;
        self.copy(bytes, &mut from, at);
        let under_way = self.out.len().saturating_sub(self.kept);
        if self.in_record() {
            return if under_way > RECORD { Err(What::Long) } else { Ok(()) };
        }
        // Beside the records only what is under way and will be looked at is kept.
        if self.captures() || matches!(self.state, State::Key | State::Number | State::Literal) {
            return if under_way > CAPTURED { Err(What::Long) } else { Ok(()) };
        }
        if !matches!(self.state, State::Colon | State::Escape(true, _)) {
            self.out.truncate(self.kept);
        }
        Ok(())
    }

    fn copy(&mut self, bytes: &[u8], from: &mut usize, to: usize) {
        self.out.extend_from_slice(bytes.get(*from..to).unwrap_or_default());
        *from = to;
    }

    /// Of what belongs to no record nothing is kept.
    fn drop_unkept(&mut self, from: &mut usize, to: usize) {
        self.out.truncate(self.kept);
        *from = to;
    }

    const fn in_object(&self) -> bool {
        self.depth > 0 && self.objects & (1 << self.depth) != 0
    }

    /// All of a single value counts as its record.
    fn in_record(&self) -> bool {
        !self.root_is_page() || (self.depth > 2 && self.member == Member::Rows)
    }

    fn opens_record(&self) -> bool {
        self.root_is_page() && self.depth == 2 && self.member == Member::Rows
    }

    fn captures(&self) -> bool {
        self.depth == 1 && self.root_is_page() && matches!(self.member, Member::Next | Member::Count)
    }

    fn name_member(&mut self) {
        let name = self.out.get(self.key.0..self.key.1).unwrap_or_default();
        self.member = match name {
            b"value" => Member::Rows,
            b"@odata.nextLink" => Member::Next,
            b"@odata.count" => Member::Count,
            _ => Member::Other,
        };
        self.out.truncate(self.kept);
    }

    fn begin_record(&mut self) {
        self.out.truncate(self.kept);
        self.out.push(if self.in_piece { b',' } else { b'[' });
        self.record = self.out.len();
        self.token = self.record;
    }

    fn open(&mut self, object: bool, bytes: &[u8], from: &mut usize, at: usize) -> Result<(), What> {
        let set = match (self.depth, self.root) {
            (0, Root::Value(_)) => 0,
            (0, Root::Page(_)) if object => NO_SET,
            (1, Root::Page(_)) if self.member == Member::Rows && !object => {
                self.listed = true;
                0
            }
            (2, Root::Page(_)) if self.member == Member::Rows && object => 0,
            (0, _) => return Err(What::NoRecords),
            (1 | 2, Root::Page(_)) if self.member == Member::Rows => return Err(What::NoRecords),
            _ if self.in_object() => {
                let set = self.set_of.get(usize::from(self.depth)).copied().unwrap_or(NO_SET);
                if self.sets.get(usize::from(set)).is_some_and(|set| !set.nested.is_empty()) {
                    self.copy(bytes, from, at);
                }
                self.nested(set)
            }
            _ => self.set_of.get(usize::from(self.depth)).copied().unwrap_or(NO_SET),
        };
        if self.depth == DEPTH {
            return Err(What::Depth);
        }
        self.depth += 1;
        let bit = 1 << self.depth;
        self.objects = if object { self.objects | bit } else { self.objects & !bit };
        if let Some(place) = self.set_of.get_mut(usize::from(self.depth)) {
            *place = set;
        }
        self.state = if object { State::KeyOrEnd } else { State::ValueOrEnd };
        Ok(())
    }

    fn close(&mut self, byte: u8, bytes: &[u8], from: &mut usize, at: usize) -> Result<(), What> {
        if self.depth == 0 || self.in_object() != (byte == b'}') {
            return Err(What::Syntax);
        }
        self.depth -= 1;
        self.state = if self.depth == 0 { State::End } else { State::After };
        if !self.root_is_page() {
            return Ok(());
        }
        if self.depth == 2 && self.member == Member::Rows {
            self.copy(bytes, from, at);
            return self.end_record();
        }
        if !self.in_record() {
            self.drop_unkept(from, at);
        }
        Ok(())
    }

    fn end_record(&mut self) -> Result<(), What> {
        let record = self.out.get(self.record..).unwrap_or_default();
        if self.skip > 0 {
            self.skip -= 1;
            if self.skip == 0 && record != self.last.as_slice() {
                return Err(What::Changed);
            }
            self.out.truncate(self.kept);
            return Ok(());
        }
        self.last.clear();
        self.last.extend_from_slice(record);
        (self.rows, self.in_piece, self.kept) = (self.rows + 1, true, self.out.len());
        if self.out.len() >= PIECE {
            self.cut();
        }
        if matches!(self.root, Root::Page(wanted) if self.rows >= wanted) {
            self.state = State::Enough;
            self.cut();
        }
        Ok(())
    }

    fn nested(&self, set: u8) -> u8 {
        let Some(columns) = self.sets.get(usize::from(set)) else { return NO_SET };
        let name = self.out.get(self.key.0..self.key.1).unwrap_or_default();
        columns.nested.iter().find(|(known, _)| known.as_bytes() == name).map_or(NO_SET, |(_, set)| *set)
    }

    /// The kind of the member whose key was read last, where it is known.
    fn kind(&mut self) -> Option<Kind> {
        // A number alone, or one of a list of numbers.
        if self.depth == 0 || (self.depth == 1 && !self.in_object()) {
            return if let Root::Value(kind) = self.root { kind } else { None };
        }
        if !self.in_object() {
            return None;
        }
        let set = self.set_of.get(usize::from(self.depth)).copied().unwrap_or(NO_SET);
        let columns = &self.sets.get(usize::from(set))?.numbers;
        let name = self.out.get(self.key.0..self.key.1).unwrap_or_default();
        let (before, after) = columns.split_at(self.cursor.min(columns.len()));
        let found = after.iter().chain(before).position(|(known, _)| known.as_bytes() == name)?;
        let index = (before.len() + found) % columns.len();
        self.cursor = index + 1;
        columns.get(index).map(|(_, kind)| *kind)
    }

    /// A number or a literal lies behind `token`.
    fn scalar_ends(&mut self) -> Result<(), What> {
        self.state = if self.depth == 0 { State::End } else { State::After };
        let token = self.out.get(self.token..).unwrap_or_default();
        match token {
            b"null" | b"true" | b"false" => return Ok(()),
            _ if !is_number(token) => return Err(What::Syntax),
            _ => {}
        }
        if self.captures() {
            if self.member == Member::Count {
                self.count = Some(token.to_vec());
            }
            self.out.truncate(self.kept);
            return Ok(());
        }
        if self.numbers == Numbers::Raw || !self.in_record() {
            return Ok(());
        }
        let large = is_large(token);
        match self.kind() {
            Some(Kind::Int64) => self.wrap(self.numbers == Numbers::Marked),
            Some(Kind::Decimal) => self.wrap(false),
            None if large => self.wrap(self.numbers == Numbers::Marked),
            Some(Kind::Plain) | None => {}
        }
        Ok(())
    }

    fn wrap(&mut self, mark: bool) {
        let token = self.out.split_off(self.token.min(self.out.len()));
        self.out.extend_from_slice(if mark { b"{\"$int64\":\"" } else { b"\"" });
        self.out.extend_from_slice(&token);
        self.out.extend_from_slice(if mark { b"\"}" } else { b"\"" });
    }

    /// A text lies behind `token`, quotes and all.
    fn text_ends(&mut self) -> Result<(), What> {
        let text = self.out.get(self.token..).unwrap_or_default();
        if self.captures() {
            if text.len() > CAPTURED {
                return Err(What::Long);
            }
            match self.member {
                Member::Next => self.next = Some(text.to_vec()),
                // A count may come quoted, as any Int64.
                _ => self.count = Some(digits_of(text).unwrap_or_default().to_vec()),
            }
            self.out.truncate(self.kept);
        } else if self.in_record() && digits_of(text).is_some() && self.kind() == Some(Kind::Int64) {
            let text = self.out.split_off(self.token.min(self.out.len()));
            self.out.extend_from_slice(b"{\"$int64\":");
            self.out.extend_from_slice(&text);
            self.out.push(b'}');
        }
        Ok(())
    }
}

const fn inside(key: bool) -> State {
    if key { State::Key } else { State::Text }
}

/// How many bytes at the beginning may stand in a text as they are; eight are looked at at once.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut length = 0;
    while let Some(block) = bytes.get(length..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*block);
        // The lowest high bit that is set belongs to the first byte that is zero; those above it may be wrong.
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let special = zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c)) | control;
        let special = special & (ONES * 0x80);
        if special != 0 {
            return length + (special.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let rest = bytes.get(length..).unwrap_or_default();
    length + rest.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= 0x20).count()
}

/// Length of a member whose value is a text, if all of it is there and nothing in it is escaped: most members are of that kind.
#[inline]
fn text_member(bytes: &[u8]) -> Option<usize> {
    let key = bytes.strip_prefix(b"\"")?;
    let key_length = plain(key);
    let text = key.get(key_length..)?.strip_prefix(b"\":\"")?;
    let text_length = plain(text);
    (text.get(text_length) == Some(&b'"')).then_some(key_length + text_length + 5)
}

/// Whether the bytes are a number as JSON writes it.
fn is_number(token: &[u8]) -> bool {
    let token = token.strip_prefix(b"-").unwrap_or(token);
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(token);
    if whole == 0 || (whole > 1 && token.first() == Some(&b'0')) {
        return false;
    }
    let mut rest = token.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        _ => false,
    }
}

/// A whole number that a float can't hold.
fn is_large(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    digits.len() >= 16
        && digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).is_none_or(|n: u64| n > EXACT)
}

/// What is between the quotes, where it is a whole number.
fn digits_of(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let digits = inner.strip_prefix(b"-").unwrap_or(inner);
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Columns> {
        let named =
            |list: &[(&str, Kind)]| list.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        vec![
            Columns {
                numbers: named(&[("Rec", Kind::Int64), ("Amount", Kind::Decimal), ("Year", Kind::Plain)]),
                nested: vec![("Lines".to_owned(), 1)],
            },
            Columns { numbers: named(&[("Line", Kind::Decimal)]), nested: vec![] },
        ]
    }

    fn scan(
        root: Root,
        numbers: Numbers,
        body: &[u8],
        chunk: usize,
    ) -> Result<(Vec<String>, Scanner), Malformed> {
        let mut scanner = Scanner::new(root, numbers, columns());
        for part in body.chunks(chunk) {
            scanner.push(part)?;
        }
        scanner.finish()?;
        let mut pieces = Vec::new();
        while let Some(piece) = scanner.take() {
            pieces.push(String::from_utf8(piece).unwrap());
        }
        Ok((pieces, scanner))
    }

    fn page(body: &str) -> Result<(Vec<String>, Scanner), Malformed> {
        scan(Root::Page(u64::MAX), Numbers::Text, body.as_bytes(), usize::MAX)
    }

    fn value(numbers: Numbers, kind: Option<Kind>, text: &str) -> Result<String, Malformed> {
        let (_, scanner) = scan(Root::Value(kind), numbers, text.as_bytes(), 1)?;
        Ok(String::from_utf8(scanner.into_value()).unwrap())
    }

    const BODY: &str = "\u{feff} {\"@odata.context\":\"x \\\"value\\\":[{}]\",\"other\":{\"value\":[{\"A\":1}]},\"@odata.count\": 12,\r\n\
        \"value\": [ {\"Rec\":5637144576,\"Amount\":-1.50e2,\"Year\":1999,\"T\":\"a]},{\\u0022\", \"U\":9007199254740993,\"N\":null},\n\
        {\"Amount\":0,\"Lines\":[{\"Line\":1.0,\"Rec\":2}],\"L\":[9007199254740992,true],\"Rec\":\"7\"} ],\
        \"@odata.nextLink\":\"https:\\/\\/c.example\\/n\",\"z\":[]} ";
    const ROWS: &str = "[{\"Rec\":\"5637144576\",\"Amount\":\"-1.50e2\",\"Year\":1999,\"T\":\"a]},{\\u0022\", \"U\":\"9007199254740993\",\"N\":null},\
        {\"Amount\":\"0\",\"Lines\":[{\"Line\":\"1.0\",\"Rec\":2}],\"L\":[\"9007199254740992\",true],\"Rec\":\"7\"}]";

    #[test]
    fn records_come_out_whole_whatever_the_chunks() {
        for chunk in 1..BODY.len() + 1 {
            let (pieces, scanner) =
                scan(Root::Page(u64::MAX), Numbers::Text, BODY.as_bytes(), chunk).unwrap();
            assert_eq!(pieces, [ROWS], "chunks of {chunk}");
            assert_eq!(scanner.rows(), 2);
            assert_eq!(scanner.next_link(), Some(&b"\"https:\\/\\/c.example\\/n\""[..]));
            assert_eq!(scanner.count(), Some(&b"12"[..]));
        }
    }

    #[test]
    fn numbers_are_left_or_marked_where_that_is_wanted() {
        let (raw, _) =
            scan(Root::Page(9), Numbers::Raw, br#"{"value":[{"Rec":1,"Amount":2.0}]}"#, 3).unwrap();
        assert_eq!(raw, [r#"[{"Rec":1,"Amount":2.0}]"#]);
        let body = br#"{"value":[{"Rec":1,"Amount":2.0,"T":"3"},{"Rec":"-4","U":90071992547409930}]}"#;
        let (marked, _) = scan(Root::Page(9), Numbers::Marked, body, 3).unwrap();
        assert_eq!(
            marked,
            [
                r#"[{"Rec":{"$int64":"1"},"Amount":"2.0","T":"3"},{"Rec":{"$int64":"-4"},"U":{"$int64":"90071992547409930"}}]"#
            ]
        );
    }

    #[test]
    fn single_values_are_read_too() {
        assert_eq!(value(Numbers::Text, Some(Kind::Int64), "12").unwrap(), "\"12\"");
        assert_eq!(value(Numbers::Marked, Some(Kind::Int64), " 12 ").unwrap().trim(), r#"{"$int64":"12"}"#);
        assert_eq!(value(Numbers::Text, Some(Kind::Decimal), "[1,2.5]").unwrap(), r#"["1","2.5"]"#);
        assert_eq!(value(Numbers::Text, None, "12").unwrap(), "12");
        assert_eq!(value(Numbers::Text, None, "\"12\"").unwrap(), "\"12\"");
        assert_eq!(value(Numbers::Text, None, r#"[{"Rec":1}]"#).unwrap(), r#"[{"Rec":"1"}]"#);
        assert_eq!(value(Numbers::Text, None, r#"{"Amount":1}"#).unwrap(), r#"{"Amount":"1"}"#);
    }

    #[test]
    fn no_more_records_than_wanted() {
        let body = br#"{"value":[{"A":1},{"A":2},{"A":3}],"@odata.nextLink":"x"}"#;
        let (pieces, scanner) = scan(Root::Page(2), Numbers::Text, body, 8).unwrap();
        assert_eq!((pieces, scanner.rows()), (vec![r#"[{"A":1},{"A":2}]"#.to_owned()], 2));
    }

    #[test]
    fn pieces_end_behind_a_record_and_nothing_waits_in_full() {
        let record = format!(r#"{{"T":"{}"}}"#, "x".repeat(1_000));
        let body = format!(r#"{{"value":[{}]}}"#, vec![record; 500].join(","));
        let (pieces, _) = scan(Root::Page(u64::MAX), Numbers::Text, body.as_bytes(), 10_000).unwrap();
        assert_eq!(pieces.len(), 8);
        assert!(pieces.iter().all(|piece| piece.len() < PIECE + 1_100 && piece.ends_with("\"}]")));
    }

    #[test]
    fn an_answer_that_broke_off_goes_on_behind_the_last_record() {
        let body = br#"{"value":[{"A":1},{"A":2},{"A":3}]}"#;
        for cut in 0..body.len() {
            let mut scanner = Scanner::new(Root::Page(u64::MAX), Numbers::Text, vec![]);
            scanner.push(&body[..cut]).unwrap();
            scanner.restart();
            scanner.push(body).unwrap();
            scanner.finish().unwrap();
            let mut all = String::new();
            while let Some(piece) = scanner.take() {
                all.push_str(&String::from_utf8(piece).unwrap());
            }
            assert_eq!(all.replace("][", ","), r#"[{"A":1},{"A":2},{"A":3}]"#, "broken at {cut}");
            assert_eq!(scanner.rows(), 3);
        }
        let mut scanner = Scanner::new(Root::Page(u64::MAX), Numbers::Text, vec![]);
        scanner.push(br#"{"value":[{"A":1},{"A":2},{"#).unwrap();
        scanner.restart();
        assert_eq!(scanner.push(br#"{"value":[{"A":1},{"A":4}]}"#).unwrap_err().what, What::Changed);
        let mut shorter = Scanner::new(Root::Page(u64::MAX), Numbers::Text, vec![]);
        shorter.push(br#"{"value":[{"A":1},{"A":2},{"#).unwrap();
        shorter.restart();
        shorter.push(br#"{"value":[{"A":1}]}"#).unwrap();
        assert_eq!(shorter.finish().unwrap_err().what, What::Changed);
    }

    #[test]
    fn what_is_no_answer_is_told_with_its_place() {
        let what = |body: &str| page(body).map(|_| ()).unwrap_err().what;
        for cut in 0..BODY.trim_end().len() {
            if let Some(body) = BODY.get(..cut) {
                assert_eq!(what(body), What::Cut, "{body}");
            }
        }
        for body in [
            "[]",
            "1",
            "\"x\"",
            "{}",
            r#"{"value":null}"#,
            r#"{"value":{}}"#,
            r#"{"value":[1]}"#,
            r#"{"value":[[]]}"#,
        ] {
            assert_eq!(what(body), What::NoRecords, "{body}");
        }
        for body in [
            "{]",
            "{\"a\" 1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":+1}",
            "{\"a\":tru}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{,}",
            "{\"a\":1,}",
            "{\"value\":[{}}",
            "{\"value\":[]} x",
            "{\"a\":\"\\u00g0\"}",
            "<html>",
            "\u{feff}\u{feff}{}",
            "{\"value\":[,]}",
        ] {
            assert_eq!(what(body), What::Syntax, "{body}");
        }
        assert_eq!(
            page("{\"value\":[{\"A\":!}]}").map(|_| ()).unwrap_err().to_string(),
            "it is no JSON at byte 15"
        );
        assert_eq!(what(&format!("{{\"value\":[{{\"a\":{}", "[".repeat(60))), What::Depth);
        assert_eq!(what(&format!("{{\"@odata.nextLink\":\"{}", "x".repeat(70_000))), What::Long);
    }

    #[test]
    fn a_text_ends_at_the_first_special_byte_wherever_it_stands() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![0x80; length];
                    bytes[at] = byte;
                    let wanted = if byte < 0x20 || byte == 0x22 || byte == 0x5c { at } else { length };
                    assert_eq!(plain(&bytes), wanted, "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn what_lies_beside_the_records_takes_no_memory() {
        let mut scanner = Scanner::new(Root::Page(u64::MAX), Numbers::Text, vec![]);
        scanner.push(b"{\"x\":\"").unwrap();
        for _ in 0..100 {
            scanner.push(&[b'x'; 10_000]).unwrap();
            assert!(scanner.out.len() < 20_000);
        }
        scanner.push(b"\",").unwrap();
        for _ in 0..100 {
            scanner.push(&[b' '; 10_000]).unwrap();
            assert!(scanner.out.len() < 20_000);
        }
        scanner.push(b"\"value\":[{\"A\":1}]}").unwrap();
        scanner.finish().unwrap();
        assert_eq!(scanner.take().unwrap(), b"[{\"A\":1}]");
    }
}
