//! Kept rows of a line: the key of each, and a hash of its values. For telling what changed and what is gone.
//!
//! They live in pieces of at most 1 MB, each under a place of its own. A batch that is committed adds a piece; now and then all
//! pieces are written anew into places that are free. The state of the line names the pieces that count, each with the version
//! that was written: so a piece that somebody else has overwritten is found out, and what it held comes again.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::state::Chunk;
use crate::error::{Error, ErrorCode};
use crate::http::{Input, Io, Polled, Store};

/// Bytes of a piece. A store's value is at most 1 MB.
const PIECE: usize = 1_000_000;
/// More pieces than this are written anew when a run ends.
const PIECES: usize = 8;

/// Key → hash.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<String, u64>);

/// What a batch changes: a hash, or nothing for a record that is gone.
pub(super) type Changes = Vec<(String, Option<u64>)>;

impl Table {
    /// Whether the row is there with these values.
    pub(super) fn has(&self, key: &str, hash: u64) -> bool {
        self.0.get(key) == Some(&hash)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    pub(super) fn apply(&mut self, changes: &Changes) {
        for (key, hash) in changes {
            match hash {
                Some(hash) => self.0.insert(key.clone(), *hash),
                None => self.0.remove(key),
            };
        }
    }

    /// Takes up a piece; false where it is none.
    pub(super) fn read(&mut self, text: &str) -> bool {
        let Ok(Value::Object(rows)) = serde_json::from_str::<Value>(text) else { return false };
        let mut changes = Changes::with_capacity(rows.len());
        for (key, value) in rows {
            match value {
                Value::Null => changes.push((key, None)),
                Value::String(hash) => match u64::from_str_radix(&hash, 16) {
                    Ok(hash) => changes.push((key, Some(hash))),
                    Err(_) => return false,
                },
                _ => return false,
            }
        }
        self.apply(&changes);
        true
    }

    /// Pieces to write for these changes, and whether they replace all others.
    pub(super) fn pieces(&self, changes: &Changes, kept: usize, ends: bool) -> (VecDeque<String>, bool) {
        if !ends || kept < PIECES {
            return (pieces(changes.iter().map(|(key, hash)| (key, *hash))), false);
        }
        let mut whole = Self(self.0.clone());
        whole.apply(changes);
        (pieces(whole.0.iter().map(|(key, hash)| (key, Some(*hash)))), true)
    }
}

fn pieces<'a>(rows: impl Iterator<Item = (&'a String, Option<u64>)>) -> VecDeque<String> {
    let mut pieces = VecDeque::new();
    let mut piece = Map::new();
    let mut size = 0;
    for (key, hash) in rows {
        // Keys are JSON themselves: their quotes are escaped.
        let bytes = Value::from(key.as_str()).to_string().len() + 24;
        if size + bytes > PIECE && !piece.is_empty() {
            pieces.push_back(Value::Object(std::mem::take(&mut piece)).to_string());
            size = 0;
        }
        size += bytes;
        piece.insert(key.clone(), hash.map_or(Value::Null, |hash| format!("{hash:x}").into()));
    }
    if !piece.is_empty() {
        pieces.push_back(Value::Object(piece).to_string());
    }
    pieces
}

/// Writes pieces to free places: a part of a conversation.
#[derive(Debug)]
pub(super) struct Keep {
    key: String,
    left: VecDeque<String>,
    /// Places that count already, and those written.
    taken: Vec<u32>,
    written: Vec<Chunk>,
    state: At,
    /// They replace all others.
    pub(super) replaces: bool,
}

#[derive(Debug)]
enum At {
    Next,
    Looking(u32),
    Write(u32, Option<String>),
    Writing(u32),
    Failed(Box<Error>),
}

impl Keep {
    pub(super) fn new(key: &str, pieces: VecDeque<String>, chunks: &[Chunk], replaces: bool) -> Self {
        let taken = chunks.iter().map(|chunk| chunk.slot).collect();
        Self { key: key.to_owned(), left: pieces, taken, written: Vec::new(), state: At::Next, replaces }
    }

    pub(super) fn next(&mut self) -> Polled<Result<Vec<Chunk>, Box<Error>>> {
        match std::mem::replace(&mut self.state, At::Next) {
            At::Next if self.left.is_empty() => Polled::Ready(Ok(std::mem::take(&mut self.written))),
            At::Next => {
                let free = (0..u32::MAX).find(|slot| !self.taken.contains(slot)).unwrap_or(u32::MAX);
                self.state = At::Looking(free);
                Polled::Io(Io::Load(slot_key(&self.key, free)))
            }
            At::Write(slot, version) => {
                self.state = At::Writing(slot);
                let piece = self.left.front().cloned().unwrap_or_default();
                Polled::Io(Io::Store(Store::new(slot_key(&self.key, slot), piece, version)))
            }
            At::Failed(error) => Polled::Ready(Err(error)),
            state @ (At::Looking(_) | At::Writing(_)) => {
                self.state = state;
                let error = Error::argument("the driver called next before it handed over the outcome");
                Polled::Ready(Err(Box::new(error)))
            }
        }
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.state = match (std::mem::replace(&mut self.state, At::Next), input) {
            (At::Looking(slot), Input::Loaded(found)) => At::Write(slot, found.map(|found| found.version)),
            (At::Writing(slot), Input::Stored(version)) => {
                self.left.pop_front();
                self.taken.push(slot);
                self.written.push(Chunk { slot, version });
                At::Next
            }
            (At::Writing(_), Input::StoreConflict) => At::Failed(Box::new(conflict(&self.key))),
            (At::Looking(_) | At::Writing(_), Input::StoreFailed(error)) => At::Failed(error),
            (state, _) => state,
        };
    }
}

/// Where a piece is.
pub(super) fn slot_key(key: &str, slot: u32) -> String {
    format!("{key}/rows/{slot}")
}

/// Somebody else works on the line.
pub(super) fn conflict(key: &str) -> Error {
    Error::new(ErrorCode::CheckpointConflict, format!("another process has moved the sync under \"{key}\""))
        .hint("Let one process at a time run a sync of this name. Start it again, and it goes on where the store says; nothing is skipped.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> String {
        format!("{{\"Key\":\"{number:06}\"}}")
    }

    #[test]
    fn pieces_have_a_megabyte_at_most_and_tell_all() {
        let changes: Changes = (0..60_000).map(|number| (key(number), Some(number as u64))).collect();
        let (pieces, replaces) = Table::default().pieces(&changes, 0, false);
        assert!(!replaces && pieces.len() > 1, "{} pieces", pieces.len());
        let mut table = Table::default();
        for piece in &pieces {
            assert!(piece.len() <= 1_000_000, "{} bytes", piece.len());
            assert!(table.read(piece));
        }
        assert_eq!(table.keys().count(), 60_000);
        assert!(table.has(&key(59_999), 59_999) && !table.has(&key(59_999), 1));
        assert!(!table.read("[]") && !table.read(r#"{"a":"x"}"#));
    }

    #[test]
    fn later_pieces_count_and_all_are_written_anew_at_the_end() {
        let mut table = Table::default();
        assert!(table.read(r#"{"a":"1","b":"2"}"#) && table.read(r#"{"a":null,"b":"3"}"#));
        assert!(!table.has("a", 1) && table.has("b", 3));
        let gone: Changes = vec![("c".to_owned(), Some(4))];
        let (more, replaces) = table.pieces(&gone, 7, true);
        assert_eq!(
            (more.into_iter().collect::<Vec<_>>(), replaces),
            (vec![r#"{"c":"4"}"#.to_owned()], false)
        );
        let (whole, replaces) = table.pieces(&gone, 8, true);
        assert_eq!(
            (whole.into_iter().collect::<Vec<_>>(), replaces),
            (vec![r#"{"b":"3","c":"4"}"#.to_owned()], true)
        );
        assert!(!table.pieces(&gone, 8, false).1, "only when a run ends");
    }
}
