//! A schema as TypeScript, in the style of the package's own catalogue.

use serde_json::Value;

use super::document::unknown;
use crate::catalog::{EdmType, Entity, Property, Schema};
use crate::error::Result;

const HEAD: &str = "// Made by d365-clm from the metadata of an environment: make it anew rather than change it.

/**
 * The environment's entities by OData collection. Int64 and Decimal are texts (see `numbers` of the client), times ISO 8601 texts;
 * a point in time without date is \"1900-01-01T00:00:00Z\".
 */
export interface TenantEntities {
";
const TAIL: &str = "}

declare module \"d365-clm\" {
  interface TenantCatalog extends TenantEntities {}
}
";

/// Declarations of the entities of these collections, or of all: a module that a host puts beside its own ones. Where it is
/// compiled along, it types `client.entity(\"…\")`.
///
/// # Errors
/// `UNKNOWN_ENTITY` for a collection that the schema lacks.
pub fn typescript(schema: &Schema, collections: Option<&[String]>) -> Result<String> {
    let known = || schema.entities.iter().filter_map(|it| it.collection.as_deref());
    let chosen: Vec<&Entity> = match collections {
        None => schema.entities.iter().collect(),
        Some(names) => names
            .iter()
            .map(|name| schema.entity(name).ok_or_else(|| unknown(name, known())))
            .collect::<Result<_>>()?,
    };
    let mut types = Types { schema, used: Vec::new() };
    let mut out = String::from(HEAD);
    for entity in chosen {
        comment(&mut out, entity);
        push(&mut out, &["  ", &key(entity.collection.as_deref().unwrap_or_default()), ": {\n"]);
        for property in &entity.properties {
            let null = if property.nullable == Some(true) { " | null" } else { "" };
            push(&mut out, &["    ", &key(&property.name), ": ", &types.of(property), null, ";\n"]);
        }
        out.push_str("  };\n");
    }
    out.push_str(TAIL);
    for name in types.used {
        let members = schema.enums.iter().find(|(known, _)| known == name).map(|(_, members)| members);
        declaration(&mut out, name, members.map(Vec::as_slice).unwrap_or_default());
    }
    Ok(out)
}

fn comment(out: &mut String, entity: &Entity) {
    let whose = match entity.company {
        Some(true) => ", by company",
        Some(false) => ", shared by all companies",
        None => "",
    };
    let name = if entity.label.is_empty() { entity.type_name.as_deref() } else { Some(&*entity.label) };
    let text = [name.unwrap_or_default(), ". Key: ", &entity.keys.join(", "), whose, "."].concat();
    let text = text.replace("*/", "* /").replace(|c: char| c.is_control() || is_line_end(c), " ");
    push(out, &["  /** ", &text, " */\n"]);
}

struct Types<'a> {
    schema: &'a Schema,
    /// In alphabetical order.
    used: Vec<&'a str>,
}

impl<'a> Types<'a> {
    fn of(&mut self, property: &Property) -> String {
        match &property.edm {
            EdmType::UnnamedEnum if !property.members.is_empty() => union(&property.members, " | "),
            EdmType::UnnamedEnum => "string".to_owned(),
            edm => self.named(edm),
        }
    }

    fn named(&mut self, edm: &EdmType) -> String {
        match edm {
            EdmType::Boolean => "boolean".to_owned(),
            EdmType::Int32 | EdmType::Double => "number".to_owned(),
            EdmType::Enum(name) => self.of_enum(name),
            EdmType::Other(name) => other(name),
            _ => "string".to_owned(),
        }
    }

    /// By name, where the name can be that of a type.
    fn of_enum(&mut self, name: &str) -> String {
        let Some((name, members)) = self.schema.enums.iter().find(|(known, _)| known == name) else {
            return "string".to_owned();
        };
        if members.is_empty() {
            return "string".to_owned();
        }
        if !is_identifier(name) || RESERVED.contains(&name.as_str()) {
            return ["(", &union(members, " | "), ")"].concat();
        }
        if let Err(place) = self.used.binary_search(&name.as_str()) {
            self.used.insert(place, name);
        }
        name.clone()
    }
}

fn other(name: &str) -> String {
    if let Some(inner) = name.strip_prefix("Collection(").and_then(|inner| inner.strip_suffix(')')) {
        return match inner {
            "Edm.Boolean" => "boolean[]",
            "Edm.Int32" | "Edm.Double" => "number[]",
            "Edm.String" | "Edm.Int64" | "Edm.Decimal" | "Edm.Guid" | "Edm.DateTimeOffset" => "string[]",
            _ => "unknown[]",
        }
        .to_owned();
    }
    match name {
        "Edm.Int16" | "Edm.Byte" | "Edm.SByte" | "Edm.Single" => "number",
        "Edm.Date" | "Edm.TimeOfDay" | "Edm.Duration" => "string",
        _ => "unknown",
    }
    .to_owned()
}

fn push(out: &mut String, parts: &[&str]) {
    out.extend(parts.iter().copied());
}

/// On one line where it fits, as the formatter wants it.
fn declaration(out: &mut String, name: &str, members: &[String]) {
    let line = union(members, " | ");
    if "export type  = ;".len() + name.len() + line.chars().count() <= 120 {
        push(out, &["\nexport type ", name, " = ", &line, ";\n"]);
    } else {
        push(out, &["\nexport type ", name, " =\n  | ", &union(members, "\n  | "), ";\n"]);
    }
}

fn union(members: &[String], between: &str) -> String {
    let quoted: Vec<String> = members.iter().map(|member| literal(member)).collect();
    quoted.join(between)
}

/// A text of JSON is one of TypeScript, but for two line ends.
fn literal(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn key(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { literal(name) }
}

fn is_identifier(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'$';
    name.bytes().all(word) && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Words that can't name a type, or that the module uses otherwise.
const RESERVED: [&str; 61] = [
    "any",
    "as",
    "async",
    "await",
    "bigint",
    "boolean",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "declare",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "module",
    "namespace",
    "never",
    "new",
    "null",
    "number",
    "object",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "string",
    "super",
    "switch",
    "symbol",
    "this",
    "throw",
    "true",
    "try",
    "type",
    "typeof",
    "undefined",
    "unknown",
    "void",
    "while",
    "with",
    "TenantEntities",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    const SCHEMA: &str = r#"{"entities":[
        {"collection":"Things","type":"Thing","label":"Things */ evil\n","company":true,"keys":["dataAreaId","Id"],"properties":[
            {"name":"dataAreaId","type":"Edm.String","nullable":false},
            {"name":"Id","type":"Edm.Int64","nullable":false},
            {"name":"Amount","type":"Edm.Decimal","nullable":true},
            {"name":"Count","type":"Edm.Int32","nullable":false},
            {"name":"Open","type":"x","enum":"NoYes","nullable":true},
            {"name":"Kind","type":"x","enum":"type","nullable":false},
            {"name":"Tags","type":"Collection(Edm.String)"},
            {"name":"Where","type":"Microsoft.Dynamics.DataEntities.Place","enum":"Nowhere"},
            {"name":"Geo","type":"Edm.GeographyPoint"},
            {"name":"a\": any; } evil","type":"Edm.Boolean"}]},
        {"collection":"Others","type":"Other","keys":[],"properties":[]}],
        "enums":{"NoYes":["No","Yes"],"type":["A","B\"; evil \u2028"],"Unused":["X"]}}"#;

    #[test]
    fn declarations_are_those_of_the_schema() {
        let schema = Schema::from_json(SCHEMA).unwrap();
        let text = typescript(&schema, Some(&["Things".to_owned()])).unwrap();
        let expected = r#"export interface TenantEntities {
  /** Things * / evil . Key: dataAreaId, Id, by company. */
  Things: {
    dataAreaId: string;
    Id: string;
    Amount: string | null;
    Count: number;
    Open: NoYes | null;
    Kind: ("A" | "B\"; evil \u2028");
    Tags: string[];
    Where: string;
    Geo: unknown;
    "a\": any; } evil": boolean;
  };
}

declare module "d365-clm" {
  interface TenantCatalog extends TenantEntities {}
}

export type NoYes = "No" | "Yes";
"#;
        assert_eq!(
            text.split_once("export interface").unwrap().1,
            expected.split_once("export interface").unwrap().1
        );
        assert!(typescript(&schema, None).unwrap().contains("  Others: {\n  };\n"));
    }

    #[test]
    fn a_long_enum_has_a_line_for_each_member() {
        let mut schema = Schema::from_json(SCHEMA).unwrap();
        schema.enums[0].1 = (0..20).map(|i| format!("Member{i}")).collect();
        let text = typescript(&schema, None).unwrap();
        assert!(text.contains("\nexport type NoYes =\n  | \"Member0\"\n  | \"Member1\"\n"), "{text}");
    }

    #[test]
    fn a_collection_that_is_not_there_is_told_with_the_nearest() {
        let schema = Schema::from_json(SCHEMA).unwrap();
        let error = typescript(&schema, Some(&["Thing".to_owned()])).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownEntity);
        assert!(error.hint.as_deref().unwrap().contains("\"Things\""));
    }
}
