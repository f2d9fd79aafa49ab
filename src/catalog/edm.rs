//! The types of the wire.

use super::NAMESPACE;

/// Type of a property or parameter as the service names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EdmType {
    /// `Edm.String`.
    String,
    /// `Edm.Boolean`; parameters of actions only, properties use the enum `NoYes`.
    Boolean,
    /// `Edm.Int32`.
    Int32,
    /// `Edm.Int64`: larger than what a JavaScript number holds, so never passed through a float.
    Int64,
    /// `Edm.Decimal`: kept as text, never passed through a float.
    Decimal,
    /// `Edm.Double`.
    Double,
    /// `Edm.DateTimeOffset`, also for dates without time (noon UTC).
    DateTimeOffset,
    /// `Edm.Guid`.
    Guid,
    /// `Edm.Binary`, base64 in JSON.
    Binary,
    /// An enum of the service's namespace, by its short name.
    Enum(String),
    /// An enum whose type name no source gives.
    UnnamedEnum,
    /// Anything else, by its full name.
    Other(String),
}

impl EdmType {
    /// Reads `Edm.X`, `Microsoft.Dynamics.DataEntities.X`, or the short name of an enum.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "Edm.String" => Self::String,
            "Edm.Boolean" => Self::Boolean,
            "Edm.Int32" => Self::Int32,
            "Edm.Int64" => Self::Int64,
            "Edm.Decimal" => Self::Decimal,
            "Edm.Double" => Self::Double,
            "Edm.DateTimeOffset" => Self::DateTimeOffset,
            "Edm.Guid" => Self::Guid,
            "Edm.Binary" => Self::Binary,
            "Enum" => Self::UnnamedEnum,
            _ => match name.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix('.')) {
                Some(short) if !short.is_empty() => Self::Enum(short.to_owned()),
                // A namespace alone, or nothing, names no enum.
                Some(_) => Self::Other(name.to_owned()),
                None if name.is_empty() || name.contains(['.', '(']) => Self::Other(name.to_owned()),
                None => Self::Enum(name.to_owned()),
            },
        }
    }

    /// The name as the service writes it, the reverse of [`parse`](Self::parse).
    #[must_use]
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::String => "Edm.String".into(),
            Self::Boolean => "Edm.Boolean".into(),
            Self::Int32 => "Edm.Int32".into(),
            Self::Int64 => "Edm.Int64".into(),
            Self::Decimal => "Edm.Decimal".into(),
            Self::Double => "Edm.Double".into(),
            Self::DateTimeOffset => "Edm.DateTimeOffset".into(),
            Self::Guid => "Edm.Guid".into(),
            Self::Binary => "Edm.Binary".into(),
            Self::UnnamedEnum => "Enum".into(),
            Self::Enum(short) => format!("{NAMESPACE}.{short}").into(),
            Self::Other(name) => name.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        for name in [
            "Edm.String",
            "Edm.Boolean",
            "Edm.Int32",
            "Edm.Int64",
            "Edm.Decimal",
            "Edm.Double",
            "Edm.DateTimeOffset",
            "Edm.Guid",
            "Edm.Binary",
            "Enum",
            "Microsoft.Dynamics.DataEntities.NoYes",
            "Collection(Edm.String)",
            "Edm.Date",
        ] {
            assert_eq!(EdmType::parse(name).name(), name);
        }
        assert_eq!(EdmType::parse("NoYes"), EdmType::Enum("NoYes".into()));
    }
}
