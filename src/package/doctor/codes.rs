//! What the doctor can find: every code with its severity, its paragraph and its advice, in one table.
//!
//! The codes are API: never reused, never renamed. `docs/diagnostics.md` is made of this table.

use serde::{Serialize, Serializer};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; the service takes the package as it is meant.
    Info,
    /// The service takes the package, but perhaps not as it is meant.
    Warning,
    /// The service refuses the package or a part of it, or silently skips some of it.
    Error,
}

impl Severity {
    /// As in messages: `error`, `warning`, `info`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Whether `repair` corrects what a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// Always.
    Yes,
    /// Where only one correction can be meant; the finding says so.
    Sometimes,
    /// Never: nobody but the author knows what was meant.
    No,
}

/// All that is known of a code.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CodeInfo {
    /// The public spelling.
    pub code: &'static str,
    /// Of a finding where nothing else is said in the paragraph.
    pub severity: Severity,
    /// Whether `repair` corrects it.
    pub repair: Repair,
    /// A few words.
    pub title: &'static str,
    /// What the service does, and where that is known from.
    pub paragraph: &'static str,
    /// What to do.
    pub hint: &'static str,
}

/// In a module for JavaScript, where findings alone are shown, the words of the documentation would only cost size.
const fn for_docs(text: &'static str) -> &'static str {
    if cfg!(all(feature = "wasm", target_arch = "wasm32")) { "" } else { text }
}

macro_rules! codes {
    ($($name:ident $code:literal $severity:ident $repair:ident $title:literal $paragraph:literal $hint:literal)*) => {
        /// A stable code of the doctor.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $name),* }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// All that is known of it.
            #[must_use]
            pub const fn info(self) -> CodeInfo {
                match self {
                    $(Self::$name => CodeInfo {
                        code: $code,
                        severity: Severity::$severity,
                        repair: Repair::$repair,
                        title: for_docs($title),
                        paragraph: for_docs($paragraph),
                        hint: $hint,
                    }),*
                }
            }
        }
    };
}

codes! {
    // ── the zip ──
    NotAPackage "PKG-NOT-A-PACKAGE" Error No "No data package"
        "The bytes are no zip, or a zip of something else. The service answers 400 or 500 and makes no project (field reports)."
        "Put the data file into a zip with PackageHeader.xml and Manifest.xml."
    Corrupt "PKG-CORRUPT" Error No "Damaged zip"
        "The zip is cut off, contradicts itself, or a checksum is wrong. The service can't unpack it."
        "Fetch the package again, or have it written again."
    Limit "PKG-LIMIT" Error No "Beyond a limit"
        "The package has more entries or bytes than the reader was allowed to take. That is a limit of this library, set by the caller; the service's own are 256 MB for an exported file, 5,000 MB with a newer storage version (*Data management error descriptions*)."
        "Raise the limit, or split the package."
    ZipFolder "PKG-ZIP-FOLDER" Error Sometimes "Entry in a folder"
        "The service unpacks the zip into one folder and opens files by their names alone: a file in a folder is not found, ImportFromPackage answers 400 and makes no project (field report). Only `Resources/` may be a folder. Repairable where the file's own name is free at the root."
        "Zip the files, not the folder that holds them."
    ZipDuplicateName "PKG-ZIP-DUPLICATE-NAME" Error No "Two entries of one name"
        "Two entries have the same name, or names that differ by case only, which Windows takes for the same. Unpacking stops at the second (the behaviour of .NET's ZipFile; unverified for the service)."
        "Keep one of the entries."
    ZipEncrypted "PKG-ZIP-ENCRYPTED" Error No "Encrypted entry"
        "An entry needs a password. The service has no place to give one."
        "Write the package again without a password."
    ZipMethod "PKG-ZIP-METHOD" Error No "Unusual compression"
        "An entry is compressed by another method than deflate, or not at all. .NET reads stored, deflated and deflate64 entries; others stop the unpacking (unverified for the service)."
        "Write the package again with deflate, the ordinary method of zip."
    ZipUnsafeName "PKG-ZIP-UNSAFE-NAME" Error No "Name that Windows can't have"
        "An entry's name leads out of its folder or has one of the characters \\ : * ? \" < > | or a control character. Unpacking stops there (the behaviour of .NET on Windows; unverified for the service). The service itself deletes such characters when it makes a file name of a label."
        "Leave those characters out of the file's name and out of InputFilePath."
    ZipExtraFile "PKG-ZIP-EXTRA-FILE" Info No "File that no entity uses"
        "No line of the manifest names the file. The service unpacks it and does nothing with it."
        "Leave it out, or check that no entity was meant to have it."

    // ── PackageHeader.xml ──
    HeaderMissing "PKG-HEADER-MISSING" Error Yes "No PackageHeader.xml"
        "Without it ImportFromPackage answers 400, \"Could not find file …\\PackageHeader.xml\" (field report)."
        "Add a PackageHeader.xml at the root of the zip."
    HeaderName "PKG-HEADER-NAME" Error Yes "PackageHeader.xml in another spelling"
        "The service opens the file by its exact name (field report)."
        "Rename the entry to PackageHeader.xml."
    HeaderUnreadable "PKG-HEADER-UNREADABLE" Error Yes "PackageHeader.xml can't be read"
        "It is no well-formed XML, has a document type, or another root element than DataManagementPackageHeader. The service's serializer fails on it."
        "Write the file again: its content is the same in every package."
    HeaderNamespace "PKG-HEADER-NAMESPACE" Error Yes "PackageHeader.xml in another namespace"
        "The root must be in http://schemas.microsoft.com/dynamics/2015/01/DataManagement, or nothing of the package is recognised (field report)."
        "Set the default namespace of the root element."
    HeaderElement "PKG-HEADER-ELEMENT" Error Yes "PackageHeader.xml: element is ignored or missing"
        "ManifestType and PackageType must be there, in alphabetical order and in the namespace of the root: the service's .NET serializer silently skips what comes too late, and the value is lost."
        "Put the elements into the order Description, ManifestType, PackageType, PackageVersion."
    HeaderType "PKG-HEADER-TYPE" Error Yes "Another kind of package"
        "ManifestType and PackageType have one value each in data packages; with another the manifest is not read as one."
        "Set ManifestType and PackageType to the values of the documentation."
    HeaderVersion "PKG-HEADER-VERSION" Warning Yes "Unknown package version"
        "PackageVersion is 1 in packages of 2017 and 2 today. What the service does with others is unverified."
        "Set PackageVersion to 2."
    Template "PKG-TEMPLATE" Error No "Data template"
        "The manifest is that of a data template, which names entities but holds no data."
        "Export a data project instead."

    // ── Manifest.xml ──
    ManifestMissing "PKG-MANIFEST-MISSING" Error No "No Manifest.xml"
        "The service opens the file by its exact name and fails where it is missing."
        "Add the manifest at the root of the zip."
    ManifestName "PKG-MANIFEST-NAME" Error Yes "Manifest.xml in another spelling"
        "The service opens the file by its exact name."
        "Rename the entry to Manifest.xml."
    ManifestUnreadable "PKG-MANIFEST-UNREADABLE" Error No "Manifest.xml can't be read"
        "It is no well-formed XML, has a document type, or another root element than DataManagementPackageManifest. The service's serializer fails on it."
        "Write the manifest again; the message has the place."
    ManifestNamespace "PKG-MANIFEST-NAMESPACE" Error Yes "Manifest.xml in another namespace"
        "The root must be in http://schemas.microsoft.com/dynamics/2015/01/DataManagement: with another nothing is recognised, and the import \"succeeds\" without a row (field report)."
        "Set the default namespace of the root element."
    ManifestOrder "PKG-MANIFEST-ORDER" Error Yes "Element out of order"
        "The members of the manifest are alphabetical. The service's .NET serializer walks them in that order and silently skips an element that comes too late; its value becomes empty, false or 0."
        "Put the elements into alphabetical order."
    ManifestTwice "PKG-MANIFEST-TWICE" Error Yes "Element stands there twice"
        "The service's serializer takes the first and silently skips the second; repair removes what is skipped."
        "Remove the one that is not meant."
    ManifestForeign "PKG-MANIFEST-FOREIGN" Error Yes "Element in another namespace"
        "The service's serializer silently skips an element that is not in the namespace of the manifest."
        "Remove the element's own xmlns or prefix."
    ManifestValue "PKG-MANIFEST-VALUE" Error No "Value that is none"
        "Flags are true or false in lower case, numbers are whole. Anything else stops the serializer, and with it the whole package."
        "Write true or false, or a whole number."
    NoEntities "PKG-NO-ENTITIES" Error No "No entity"
        "The manifest lists no entity: the import \"succeeds\" and does nothing."
        "List the entities in PackageEntityList."
    ProjectName "PKG-PROJECT-NAME" Warning No "No project name"
        "DefinitionGroupName is empty. Uploaders take it for the argument definitionGroupId, which must have a value."
        "Name the data project in the manifest."
    ProjectApostrophe "PKG-PROJECT-APOSTROPHE" Error No "Apostrophe in the project's name"
        "Jobs of a data project with an apostrophe in its name fail (*Data management overview*, flight DMFExecuteSSISInProc)."
        "Use a name without apostrophe, in the manifest and as definitionGroupId."
    LabelMissing "PKG-LABEL-MISSING" Error No "Entity without name"
        "EntityName is empty or lost, so the line belongs to no entity."
        "Write the label of the entity, as the list of data entities shows it."
    LabelTwice "PKG-LABEL-TWICE" Error No "Entity listed twice"
        "Two lines of one project have the same label; DMF confuses them (DMF030, DMF1966; *Data management error descriptions*)."
        "Put all rows of the entity into one file, or use two packages."
    LabelOdata "PKG-LABEL-ODATA" Error Yes "OData name instead of the label"
        "EntityName is the label of the data entity (\"Vendors V2\"), not its OData collection (\"VendorsV2\"): the service answers 400, \"Entity … does not exist in the target environment\" (field report)."
        "Write the label. Labels are in the language of the environment's integration user."
    LabelAot "PKG-LABEL-AOT" Error Yes "AOT name instead of the label"
        "EntityName is the label of the data entity (\"Vendors V2\"), not its name in the application object tree (\"VendVendorV2Entity\"): the service does not find the entity."
        "Write the label. Labels are in the language of the environment's integration user."
    LabelUnknown "PKG-LABEL-UNKNOWN" Warning No "Unknown entity"
        "The catalogue has no entity of that label. An environment has thousands of entities more, many of them without OData, so this is an error only against a schema in the form of the catalogue; the service answers 400, \"Entity … does not exist in the target environment\". No schema lists composite entities, so a label with the word composite is never an error."
        "Check the label: it must be spelled as in the list of data entities, in the language of the integration user."
    FormatMissing "PKG-FORMAT-MISSING" Error No "Entity without format"
        "SourceFormat is empty or lost, so the service does not know how to read the file."
        "Write the name of the source data format, for example CSV-Unicode."
    FormatUnknown "PKG-FORMAT-UNKNOWN" Warning No "Unknown format"
        "SourceFormat is the name of a record on the page *Configure data sources*; an administrator can add some, so this is an error only against a schema in the form of the catalogue. The file is not examined."
        "Use CSV-Unicode, CSV, XML-Element, XML-Attribute or EXCEL, spelled exactly so, or make sure that the environment has the format."
    FileUnnamed "PKG-FILE-UNNAMED" Error No "Entity without file"
        "InputFilePath is empty or lost."
        "Write the name of the data file."
    FileMissing "PKG-FILE-MISSING" Error Sometimes "Data file is missing"
        "InputFilePath must be the name of an entry at the root of the zip, or the entity fails (*Data management overview*; flight DMFDisableInputFileCheckInPackageImport). Repairable where exactly one entry differs by case or folder only."
        "Make InputFilePath and the name of the entry the same."
    FileTwice "PKG-FILE-TWICE" Warning No "One file for two entities"
        "Two lines of the manifest name the same file. The service reads it for both; columns of one are unmapped for the other."
        "Give each entity a file of its own."
    SheetName "PKG-SHEET-NAME" Warning No "Sheet name as the service does not write it"
        "For EXCEL the service writes the label with spaces as underscores, cut to 30 characters, and a dollar sign at the end. What it does with others is unverified."
        "Write ExcelSheetName in that form, and name the sheet so, without the dollar sign."
    EntityDisabled "PKG-ENTITY-DISABLED" Info No "Entity is disabled"
        "The line stays in the project, but is not run: none of its rows arrive."
        "Set Disable to false if the rows are meant to arrive."
    LevelOrder "PKG-LEVEL-ORDER" Error No "Lines before their header"
        "The entity refers by its key to another one of the package that runs later: rows that need a new header fail. Which entity is a header is told by the catalogue: its key is the beginning of the other's key, or, among the entities that a contract system writes, its key is a property of the other."
        "Give the header a lower LevelInExecutionUnit in the same ExecutionUnit."
    LevelParallel "PKG-LEVEL-PARALLEL" Warning No "Lines beside their header"
        "Entities of different execution units run in parallel, and so may those of one level (*Data import and export jobs*): rows may come before the header that they need."
        "Give the header a lower LevelInExecutionUnit in the same ExecutionUnit."
    SharedEntity "PKG-SHARED-ENTITY" Info No "Entity of all companies"
        "The entity has no company: its rows are those of every company, whatever legal entity the job names (field report). It is a warning where a map names the company (DATAAREAID) all the same: whoever made the file takes its rows for those of one company."
        "Check that the rows are meant for all companies."

    // ── maps and columns ──
    MapMissing "PKG-MAP-MISSING" Error Sometimes "No maps"
        "EntityMapList is empty, nil or lost: the service registers no entity, and the import \"succeeds\" with zero rows and zero errors (field report). Repairable where the file has a header to make maps of."
        "Write one EntityMap for each column of the file."
    MapIncomplete "PKG-MAP-INCOMPLETE" Error No "Map without column or field"
        "XMLField or EntityField is empty or lost."
        "Write both: XMLField is the column of the file, EntityField the field of the staging table."
    MapColumnTwice "PKG-MAP-COLUMN-TWICE" Error No "Column mapped twice"
        "Two maps name the same column (DMF1966, *Data management error descriptions*)."
        "Keep one of them."
    MapFieldTwice "PKG-MAP-FIELD-TWICE" Error No "Field mapped twice"
        "Two columns go to the same field (DMF1966, *Data management error descriptions*)."
        "Map one column to each field."
    ColumnUnnamed "PKG-COLUMN-UNNAMED" Error No "Column without name"
        "The header row has an empty cell, often after a comma at the end of the line."
        "Name the column, or remove the comma from every line."
    ColumnTwice "PKG-COLUMN-TWICE" Error No "Column stands there twice"
        "Two columns of the file have the same name (DMF1966)."
        "Give every column a name of its own."
    ColumnMissing "PKG-COLUMN-MISSING" Error No "Mapped column is not in the file"
        "A map names a column that the file lacks (DMF2022, *Data management error descriptions*)."
        "Add the column, empty if need be, or remove the map."
    ColumnUnmapped "PKG-COLUMN-UNMAPPED" Error No "Column is not mapped"
        "The file has a column without a map (DMF2025, *Data management error descriptions*)."
        "Add a map, or remove the column."
    ColumnCase "PKG-COLUMN-CASE" Error Sometimes "Column and map differ by case"
        "Names of columns match exactly; DMF2022 and DMF2025 follow (that the service never ignores case is unverified). Repairable where the map has no conversions or defaults."
        "Write the column in the map as the file has it."
    FieldUnknown "PKG-FIELD-UNKNOWN" Warning No "Unknown field"
        "The catalogue has no such field for the entity. A tenant may have extended it, so this is an error only where the schema of a tenant has the entity; there the service finds the mapping incorrect."
        "Check the spelling of EntityField."
    CompanyColumn "PKG-COMPANY-COLUMN" Error No "Company as a column"
        "The staging table of an entity with a company has no column for it: the company of the job decides (legalEntityId)."
        "Remove the column, and import into one company after the other."
    KeyMissing "PKG-KEY-MISSING" Error No "Key column is missing"
        "A key field of the entity is neither in the file nor given by a default: no row can be identified."
        "Add the column."

    // ── values ──
    KeyEmpty "PKG-KEY-EMPTY" Error No "Row without key"
        "All key fields of the row are empty."
        "Give the row a key, or remove it."
    KeyDuplicate "PKG-KEY-DUPLICATE" Error No "Two rows of one key"
        "The service refuses a file with two rows of the same key (DMF1959, *Data management error descriptions*). Texts are compared without regard to case and to blanks at the end, numbers and dates by value, as the database does (unverified)."
        "Keep one of the rows."
    ValueType "PKG-VALUE-TYPE" Error No "Value is not of the field's type"
        "The row is refused (DMF2016, *Data management error descriptions*). Numbers have a decimal point and no thousands separator, dates are YYYY-MM-DD, date-times YYYY-MM-DDTHH:MM:SS with or without a zone (a blank in place of the T is taken too; other forms depend on the language of the format and are not relied on). Nothing is every type's default."
        "Write the value in the form of the field's type."
    ValueEnum "PKG-VALUE-ENUM" Warning No "Unknown member of an enum"
        "The value is neither a member of the field's enum nor the number of one. A tenant may have extended the enum, so this is an error only for NoYes and where the schema of a tenant has the entity (DMF2016)."
        "Write the member's name, or its number."
    ValueLength "PKG-VALUE-LENGTH" Error No "Text is too long"
        "The text has more characters (UTF-16 code units) than the schema gives the field (DMF2018, *Data management error descriptions*). Without a schema that has lengths nothing is said."
        "Shorten the text."
    DatetimeZone "PKG-DATETIME-ZONE" Info No "Date-times depend on a time zone"
        "The file has times of day. The service reads them in the time zone of the source data format: they shift where that is not UTC (*Synchronize date and time*)."
        "Set the format's time zone to UTC and its language to en-US."

    // ── text of data files ──
    NoRow "PKG-NO-ROW" Error No "No data row"
        "A file without any data row is an error on import (DMF2053, *Data management error descriptions*)."
        "Leave the entity out of the package."
    Undecodable "PKG-UNDECODABLE" Error No "Bytes that are no text"
        "Some bytes do not form text of the file's encoding. The file is not examined beyond them."
        "The file is damaged, or was put together from parts in different encodings."
    Nul "PKG-NUL" Error No "NUL character"
        "No format of the service can carry the character; most often the file is in another encoding than it seems (unverified for CSV)."
        "Remove the character."
    Utf8InUnicode "PKG-UTF8-IN-UNICODE" Error Yes "UTF-8 under CSV-Unicode"
        "CSV-Unicode is UTF-16LE with byte order mark; the entity fails with \"Selected file is not Unicode\" (field report)."
        "Write the file as UTF-16LE with byte order mark."
    AnsiInUnicode "PKG-ANSI-IN-UNICODE" Error No "Code page under CSV-Unicode"
        "CSV-Unicode is UTF-16LE with byte order mark, the file is text of a code page; the entity fails with \"Selected file is not Unicode\" (field report). Which code page it is can't be told. The file is not examined beyond the first such character."
        "Write the file as UTF-16LE with byte order mark, or use the format CSV."
    UnicodeNoMark "PKG-UNICODE-NO-BOM" Error Yes "UTF-16 without byte order mark"
        "Without the mark the service does not take the file for Unicode: \"Selected file is not Unicode\"."
        "Begin the file with the bytes FF FE."
    UnicodeBigEndian "PKG-UTF16BE-IN-UNICODE" Error Yes "UTF-16BE under CSV-Unicode"
        "CSV-Unicode is UTF-16LE; the bytes of each character are swapped."
        "Write the file as UTF-16LE with byte order mark."
    CsvUtf8Mark "PKG-CSV-UTF8-BOM" Error Sometimes "UTF-8 mark under CSV"
        "CSV is text of a code page: the mark becomes part of the first column's name, and other letters than those of English are misread. Repairable where all characters exist in Windows-1252."
        "Write the file as Windows-1252, or use CSV-Unicode."
    CsvUtf8 "PKG-CSV-UTF8" Warning No "UTF-8 under CSV"
        "The whole file is valid UTF-8 and not plain ASCII. CSV is read in the code page of the format's record, Windows-1252 unless an administrator set 65001 (*Data import and export jobs*): letters beyond ASCII are misread otherwise."
        "Write the file as Windows-1252, use CSV-Unicode, or make sure that the format has code page 65001."
    CsvUtf16 "PKG-CSV-UTF16" Error Sometimes "UTF-16 under CSV"
        "CSV is text of a code page: every other byte of the file is read as NUL. Repairable where all characters exist in Windows-1252."
        "Use the format CSV-Unicode, or write the file as Windows-1252."
    LineFeed "PKG-CSV-LINE-FEED" Error Yes "Lines end with LF alone"
        "ImportFromPackage itself fails with the misleading words \"mapping is incorrect for entity … and field {GUID}\" (field report)."
        "End every line with CR LF."
    LoneReturn "PKG-CSV-LONE-RETURN" Warning No "Carriage return without line feed"
        "Outside of quotes it ends no row, but becomes part of the value (unverified)."
        "End lines with CR LF, and put values with line breaks into double quotes."
    NoHeader "PKG-CSV-NO-HEADER" Error No "No header row"
        "The first row must be the names of the columns, in a workbook too (FF004, DMF2050, *Data management error descriptions*; for workbooks unverified)."
        "Write the names of the columns into the first row."
    BlankLine "PKG-CSV-BLANK-LINE" Error Yes "Blank line"
        "A blank line before the header or between rows is refused (FF004, DMF2050, *Data management error descriptions*)."
        "Remove the line. An empty value in a file of one column is written as \"\"."
    Ragged "PKG-CSV-RAGGED" Error No "Row of another length"
        "The row has more or fewer cells than the header (DMF1999: delimiter or text qualifier, *Data management error descriptions*)."
        "Put values with commas, quotes or line breaks into double quotes; write empty cells as nothing between commas."
    Quoting "PKG-CSV-QUOTING" Error No "Quotes don't match"
        "Text follows a closing quote, or a quote is never closed; where the row ends is anyone's guess (DMF1999)."
        "Double the quotes inside a quoted cell, begin it right after the comma and end it right before the next."
    RowSize "PKG-ROW-SIZE" Error No "Row of more than 16 MiB"
        "Most likely a quote was left open. The file is not examined beyond it."
        "Look for a cell that begins with a double quote and does not end with one."
    FinalLineEnd "PKG-CSV-FINAL-LINE-END" Info Yes "No line end after the last row"
        "The service's own files end with CR LF; that it takes others too is unverified."
        "End the last line with CR LF."

    // ── XML files ──
    XmlMalformed "PKG-XML-MALFORMED" Error No "Not well-formed XML"
        "The service's parser stops there (DMF1830, *Data management error descriptions*). The file is not examined beyond it."
        "Correct the XML at the place in the message."
    XmlDoctype "PKG-XML-DOCTYPE" Error No "Document type"
        "Document types and entities are refused, here and (unverified) by the service."
        "Remove the DOCTYPE."
    XmlCharacter "PKG-XML-CHARACTER" Error No "Character that XML can't have"
        "Control characters other than tab, CR and LF are refused (*Data import and export jobs*)."
        "Remove the character."
    XmlRecord "PKG-XML-RECORD" Error No "Unexpected record element"
        "Records are the children of the root, each named as the upper-cased AOT name of the entity (Pascal case where the flight EntityNamesInPascalCaseInXMLFiles is on), all the same (*Data management overview*)."
        "Name the record elements after the entity."
    XmlFieldMissing "PKG-XML-FIELD-MISSING" Warning No "Record without a mapped field"
        "A connector's documents ask for every mapped field in every record, empty if it has no value (field report). What becomes of a record that lacks one which others have is unverified; a field that no record has is PKG-COLUMN-MISSING (DMF1830)."
        "Write an empty element or attribute for a field without value."

    // ── composite entities ──
    CompositeTwo "PKG-COMPOSITE-TWO" Error No "Two composite entities"
        "A package can have one composite entity at most (*Data management package REST API*)."
        "Write one package for each."
    CompositeCsv "PKG-COMPOSITE-CSV" Error No "Composite entity that is no XML"
        "Composite entities travel as XML-Element or XML-Attribute only (DMF1963, *Data management error descriptions*)."
        "Write the entity as XML."
    CompositeMember "PKG-COMPOSITE-MEMBER" Error No "Member of a composite entity is missing"
        "The file of a composite entity must have an element for every member, an empty one where the member has no row (MAP011, DMF1830, *Data management error descriptions*). Which members there are only the environment knows. So this is an error where a mapped field is in no record and no member stands there as an empty element: then the element of its member is missing, or the field in a member that has rows. It is a warning where no record contains another one, for a composite has at least two members. A missing member is not found where none of its fields is mapped and another member is nested."
        "Write an element for every member, empty if it has no row, and every mapped field in its records."

    // ── workbooks ──
    ExcelUnreadable "PKG-EXCEL-UNREADABLE" Error No "Workbook can't be read"
        "The file is no .xlsx workbook, or damaged."
        "Save it again as .xlsx."
    ExcelSheet "PKG-EXCEL-SHEET" Error No "Sheet is missing"
        "The workbook has no sheet of the name in ExcelSheetName (there with a dollar sign at its end; without it the database driver takes the name for that of a range, unverified for the service)."
        "Rename the sheet, or correct ExcelSheetName."
    ExcelColumns "PKG-EXCEL-COLUMNS" Error No "More than 255 columns"
        "The service reads 255 columns at most (DMF2009, *Data management error descriptions*)."
        "Use another format, or fewer columns."
    ExcelCut "PKG-EXCEL-CUT" Warning No "Cell of exactly 255 characters"
        "An export to EXCEL cuts values at 255 characters (*Data management error descriptions*): this one may have been longer."
        "Export in another format if the value matters."
    NotExamined "PKG-NOT-EXAMINED" Info No "File was not examined"
        "The rows of this format can't be read here, or what reads workbooks is missing: the message says which. Nothing is said of the rows."
        "Use CSV-Unicode or XML-Element for files that should be examined."
}

impl Code {
    /// Whether it is about the text of a file, which `repair` writes anew.
    pub(super) const fn is_of_text(self) -> bool {
        matches!(
            self,
            Self::Utf8InUnicode
                | Self::UnicodeNoMark
                | Self::UnicodeBigEndian
                | Self::CsvUtf8Mark
                | Self::CsvUtf16
                | Self::LineFeed
                | Self::BlankLine
                | Self::FinalLineEnd
        )
    }

    /// The public spelling, for example `PKG-MAP-MISSING`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.info().code
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_differ_and_look_alike() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.starts_with("PKG-"));
            assert!(
                text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'),
                "{text}"
            );
        }
        assert_eq!(serde_json::to_string(&Code::MapMissing).unwrap(), "\"PKG-MAP-MISSING\"");
        assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Info);
    }
}
