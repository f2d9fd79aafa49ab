//! What the service would misread in one of the two files, though it can be understood here.

/// An element whose value we took, but that the service's serializer drops or fails on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManifestIssue {
    /// Name of the file.
    pub(crate) file: &'static str,
    pub(crate) kind: IssueKind,
    /// Name of the element, without prefix.
    pub(crate) element: &'static str,
    /// 0-based index of the entity that it belongs to.
    pub(crate) entity: Option<usize>,
    /// 1-based.
    pub(crate) line: u64,
    /// 1-based, in characters.
    pub(crate) column: u64,
}

/// What is wrong with the element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IssueKind {
    /// The root is in another namespace: the service recognises nothing in the file.
    WrongRootNamespace,
    /// In another namespace, with what is in it: the service ignores it. We take its value where there is no other.
    ForeignNamespace,
    /// Comes after a member that it should precede: the service ignores it. We take its value.
    Late {
        /// The member that it should precede.
        after: &'static str,
    },
    /// Was there before: the service ignores it, and so do we.
    Twice,
    /// A .NET data contract fails on the value, or (a fixed one) the service does not know it; how the service words that is
    /// unverified. We take 0, false or an empty text.
    BadValue {
        /// The first 40 characters; `i:nil` for no value.
        found: String,
        /// In words.
        expected: &'static str,
    },
}

impl std::fmt::Display for ManifestIssue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.element;
        match &self.kind {
            IssueKind::WrongRootNamespace => {
                write!(f, "the root element <{name}> is not in the namespace of data packages")
            }
            IssueKind::ForeignNamespace => write!(f, "<{name}> is not in the namespace of data packages"),
            IssueKind::Late { after } => write!(f, "<{name}> comes too late, after <{after}>"),
            IssueKind::Twice => write!(f, "<{name}> stands there twice"),
            IssueKind::BadValue { found, expected } => write!(f, "<{name}> is {found:?}, not {expected}"),
        }
    }
}
