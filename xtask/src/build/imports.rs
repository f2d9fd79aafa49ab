//! What a WebAssembly module imports.

use anyhow::{Context as _, ensure};

/// Fails when the module imports anything from `env`: no JavaScript host offers that, so it would load nowhere. It happens when
/// a C library or a function of the operating system slipped in.
pub(super) fn refuse_env(module: &[u8]) -> anyhow::Result<()> {
    let found: Vec<String> =
        imports(module)?.into_iter().filter(|(from, _)| from == "env").map(|(_, name)| name).collect();
    ensure!(
        found.is_empty(),
        "the module imports from \"env\", which no JavaScript host offers: {}",
        found.join(", ")
    );
    Ok(())
}

/// The pairs (module, name) of the import section, in order.
fn imports(module: &[u8]) -> anyhow::Result<Vec<(String, String)>> {
    let mut input = Input(module.strip_prefix(b"\0asm\x01\0\0\0").context("this is no WebAssembly module")?);
    while !input.0.is_empty() {
        let id = input.byte()?;
        let length = input.number()?;
        let section = input.take(length)?;
        if id == IMPORT_SECTION {
            return import_section(Input(section)).context("the import section is damaged");
        }
    }
    Ok(Vec::new())
}

const IMPORT_SECTION: u8 = 2;

fn import_section(mut input: Input<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let count = input.number()?;
    let mut found = Vec::new();
    for _ in 0..count {
        let from = input.text()?;
        let name = input.text()?;
        input.skip_description()?;
        found.push((from, name));
    }
    Ok(found)
}

/// The bytes that are still to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> anyhow::Result<u8> {
        let (first, rest) = self.0.split_first().context("the module ends too early")?;
        self.0 = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("the module ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// An unsigned LEB128 number of up to 64 bits.
    fn number(&mut self) -> anyhow::Result<usize> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(value).context("a number of the module is out of range");
            }
        }
        anyhow::bail!("a number of the module is too long")
    }

    fn text(&mut self) -> anyhow::Result<String> {
        let length = self.number()?;
        Ok(String::from_utf8(self.take(length)?.to_vec())?)
    }

    fn skip_description(&mut self) -> anyhow::Result<()> {
        match self.byte()? {
            // A function: the number of its type.
            0 => drop(self.number()?),
            // A table: the type of its elements, then limits. Memory: limits.
            1 => {
                self.byte()?;
                self.skip_limits()?;
            }
            2 => self.skip_limits()?,
            // A global: type and mutability. A tag: attribute and type.
            3 => drop(self.take(2)?),
            4 => {
                self.byte()?;
                self.number()?;
            }
            kind => anyhow::bail!("unknown kind of import {kind}"),
        }
        Ok(())
    }

    fn skip_limits(&mut self) -> anyhow::Result<()> {
        let has_maximum = self.byte()? & 1 == 1;
        self.number()?;
        if has_maximum {
            self.number()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type section with the one type `() -> ()`, then the given import section.
    fn module(import_section: &[u8]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\x00\x00".to_vec();
        bytes.push(2);
        bytes.push(u8::try_from(import_section.len()).unwrap());
        bytes.extend_from_slice(import_section);
        bytes
    }

    #[test]
    fn imports_of_every_kind_are_listed() {
        let section = [
            b"\x04".as_slice(),
            b"\x02./\x01f\x00\x00",
            b"\x01m\x01t\x01\x70\x01\x02\x81\x01",
            b"\x01m\x03mem\x02\x00\x11",
            b"\x03env\x01g\x03\x7f\x00",
        ]
        .concat();
        let expected = [("./", "f"), ("m", "t"), ("m", "mem"), ("env", "g")];
        let found = imports(&module(&section)).unwrap();
        assert_eq!(found, expected.map(|(from, name)| (from.to_owned(), name.to_owned())));
    }

    #[test]
    fn an_import_from_env_is_refused_by_name() {
        let error = refuse_env(&module(b"\x01\x03env\x06malloc\x00\x00")).unwrap_err().to_string();
        assert_eq!(error, "the module imports from \"env\", which no JavaScript host offers: malloc");
    }

    #[test]
    fn imports_from_the_glue_are_welcome() {
        refuse_env(&module(b"\x01\x09./glue.js\x01f\x00\x00")).unwrap();
        refuse_env(b"\0asm\x01\0\0\0").unwrap();
    }

    #[test]
    fn what_is_no_module_is_an_error() {
        assert_eq!(refuse_env(b"<!doctype html>").unwrap_err().to_string(), "this is no WebAssembly module");
        assert!(refuse_env(b"\0asm\x01\0\0\0\x02\x20\x01").is_err());
    }
}
