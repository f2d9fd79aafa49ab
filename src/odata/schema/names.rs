//! Names by number: a document repeats the same ones a hundred times.

/// Every name once. Number 0 is the empty name.
#[derive(Debug)]
pub(super) struct Names {
    text: String,
    /// Where each name ends in `text`.
    ends: Vec<u32>,
    /// Numbers by hash, 0 where free; a power of two of them, at most three quarters taken.
    slots: Vec<u32>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { text: String::new(), ends: vec![0], slots: vec![0; 1024] }
    }

    pub(super) fn get(&self, number: u32) -> &str {
        let at = number as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Nothing where 4 GiB of names would not be enough.
    pub(super) fn add(&mut self, name: &str) -> Option<u32> {
        if name.is_empty() {
            return Some(0);
        }
        let mut slot = hash(name);
        loop {
            slot &= self.slots.len() - 1;
            match self.slots.get(slot).copied() {
                None | Some(0) => break,
                Some(number) if self.get(number) == name => return Some(number),
                Some(_) => slot += 1,
            }
        }
        let number = u32::try_from(self.ends.len()).ok()?;
        let end = u32::try_from(self.text.len() + name.len()).ok()?;
        self.text.push_str(name);
        self.ends.push(end);
        if let Some(free) = self.slots.get_mut(slot) {
            *free = number;
        }
        if self.ends.len() > self.slots.len() / 4 * 3 {
            self.grow();
        }
        Some(number)
    }

    /// The number of a name that may not be there.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        let mut slot = hash(name);
        loop {
            slot &= self.slots.len() - 1;
            match self.slots.get(slot).copied() {
                None | Some(0) => return None,
                Some(number) if self.get(number) == name => return Some(number),
                Some(_) => slot += 1,
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.text.capacity() + (self.ends.capacity() + self.slots.capacity()) * 4
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let mut slots = vec![0_u32; size];
        for number in 1..u32::try_from(self.ends.len()).unwrap_or(u32::MAX) {
            let mut slot = hash(self.get(number)) & (size - 1);
            while slots.get(slot).is_some_and(|taken| *taken != 0) {
                slot = (slot + 1) & (size - 1);
            }
            if let Some(free) = slots.get_mut(slot) {
                *free = number;
            }
        }
        self.slots = slots;
    }
}

fn hash(name: &str) -> usize {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = name.len() as u64;
    let mut pieces = name.as_bytes().chunks_exact(8);
    for piece in &mut pieces {
        let word = piece.try_into().map_or(0, u64::from_le_bytes);
        hash = (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
    for byte in pieces.remainder() {
        hash = (hash.rotate_left(9) ^ u64::from(*byte)).wrapping_mul(FACTOR);
    }
    (hash ^ (hash >> 32)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_however_many_there_are() {
        let mut names = Names::new();
        assert_eq!(names.add(""), Some(0));
        let numbers: Vec<u32> = (0..5000).map(|i| names.add(&format!("Name{i}")).unwrap()).collect();
        assert_eq!(names.len(), 5001);
        for (i, number) in numbers.iter().enumerate() {
            assert_eq!(names.get(*number), format!("Name{i}"));
            assert_eq!(names.add(&format!("Name{i}")), Some(*number));
            assert_eq!(names.find(&format!("Name{i}")), Some(*number));
        }
        assert_eq!((names.find("Other"), names.get(0), names.get(99_999)), (None, "", ""));
    }
}
