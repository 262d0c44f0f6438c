//! What a search asks, typed and resolved: atoms instead of names, ranges instead of texts. Engines
//! turn it into their own language and need to know nothing else of FHIR.

use crate::registry::AtomId;
use fhir::date::DateRange;
use fhir::decimal::Decimal;
use fhir::definitions::{SearchKind, TypeId};

/// A whole search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The types searched; all when empty (system level without `_type`).
    pub types: Vec<TypeId>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// Sort keys, most significant first. Without any, records come in the order they were created.
    pub sort: Vec<SortKey>,
    /// Resources of a page; the server's default when not given, lowered to its limit when above.
    pub count: Option<usize>,
    /// Whether and how to count all matches.
    pub total: Total,
    /// What part of each resource to answer.
    pub summary: Summary,
    /// `_elements`: top-level elements to answer; all when empty.
    pub elements: Vec<String>,
    /// `_include`
    pub include: Vec<Include>,
    /// `_revinclude`
    pub revinclude: Vec<Include>,
    /// The opaque page cursor, when following a link.
    pub cursor: Option<String>,
    /// `_explain=true`
    pub explain: bool,
    /// The parameters as understood, for the self link: names and values, decoded, in order.
    pub understood: Vec<(String, String)>,
    /// Parameters left out because handling is lenient: a warning for each.
    pub ignored: Vec<base::Issue>,
}

/// One condition on a record.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Some atom holds some of the values.
    Match {
        /// The parameter's name as written, for messages and plans.
        name: String,
        /// Any of these atoms.
        atoms: Vec<AtomId>,
        /// Any of these values.
        any: Vec<Match>,
        /// `:not`: no atom holds any of the values (records without any value match).
        negate: bool,
    },
    /// `:missing`: no atom holds any value (or, when false, some does).
    Missing {
        /// The parameter's name.
        name: String,
        /// The atoms.
        atoms: Vec<AtomId>,
        /// The value of `:missing`.
        missing: bool,
    },
    /// A composite: for some alternative and some value list, all components match together.
    Composite {
        /// The parameter's name.
        name: String,
        /// The combinations, each a conjunction.
        any: Vec<CompositeMatch>,
    },
    /// A chain: some reference at `atoms` leads to a record of `target` for which `filter` holds.
    Chain {
        /// The parameter's name.
        name: String,
        /// The reference atoms.
        atoms: Vec<AtomId>,
        /// The target types, each with what must hold there. Any of them.
        targets: Vec<(TypeId, Self)>,
    },
    /// `_has`: some record of `source` points here through `atoms`, and `filter` holds for it.
    Has {
        /// The type that points here.
        source: TypeId,
        /// Its reference atoms.
        atoms: Vec<AtomId>,
        /// What must hold for it.
        filter: Box<Self>,
    },
    /// `_id`
    Id {
        /// Any of these logical ids.
        any: Vec<String>,
        /// `_id:not`
        negate: bool,
    },
    /// `_lastUpdated`
    LastUpdated {
        /// Any of these.
        any: Vec<(Prefix, DateRange)>,
    },
    /// `_type` inside a filter, and types narrowed by a chain.
    Type {
        /// Any of these.
        any: Vec<TypeId>,
    },
    /// `_list`: members of a `List` resource by id.
    InList {
        /// The list's logical id.
        list: String,
    },
    /// `_text` (narrative) and `_content` (whole resource): all words occur, folded.
    Words {
        /// Only the narrative.
        narrative_only: bool,
        /// Folded words, all of which must occur.
        words: Vec<String>,
    },
    /// A compartment: the record is in it, by any of the atoms pointing at the focus, or is the focus.
    Compartment {
        /// The focus type.
        focus_type: TypeId,
        /// The focus id.
        focus: String,
    },
    /// Any of these holds.
    Any(Vec<Self>),
    /// All of these hold.
    All(Vec<Self>),
}

/// One combination of a composite.
#[derive(Debug, Clone)]
pub struct CompositeMatch {
    /// Every part must match.
    pub parts: Vec<CompositePart>,
}

/// One component of a composite with the value asked for.
#[derive(Debug, Clone)]
pub struct CompositePart {
    /// Any of these atoms.
    pub atoms: Vec<AtomId>,
    /// Must be in the same repeat as the other grouped parts.
    pub grouped: bool,
    /// The value.
    pub value: Match,
}

/// The comparison a value was given with (<https://hl7.org/fhir/R4/search.html#prefix>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// The stored range is inside the value's range.
    Eq,
    /// It is not.
    Ne,
    /// Some of the stored range is above the value.
    Gt,
    /// Some of the stored range is below the value.
    Lt,
    /// `Gt` or `Eq`
    Ge,
    /// `Lt` or `Eq`
    Le,
    /// The stored range begins after the value ends.
    Sa,
    /// The stored range ends before the value begins.
    Eb,
    /// They overlap, after widening the value by a tenth (of the gap to now, for dates).
    Ap,
}

/// The system part of a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SystemMatch {
    /// `code`: any system.
    Any,
    /// `|code`: no system.
    Absent,
    /// `system|code`
    Is(String),
}

/// One value asked for.
#[derive(Debug, Clone)]
pub enum Match {
    /// `system|code` against Token and Identifier atoms; `code` is `None` for `system|`.
    Token {
        /// The system.
        system: SystemMatch,
        /// The code or identifier value.
        code: Option<String>,
    },
    /// `:text` on a token: the folded text begins the display or any word of it.
    TokenText(String),
    /// `:of-type`
    OfType {
        /// System of the identifier's type.
        system: String,
        /// Code of the identifier's type.
        code: String,
        /// The identifier's value.
        value: String,
    },
    /// The folded text begins the value.
    StartsWith(String),
    /// `:contains`, folded.
    Contains(String),
    /// `:exact`
    Exact(String),
    /// A reference to a record here.
    Reference {
        /// Any of these types; any type at all when empty.
        types: Vec<TypeId>,
        /// The logical id.
        id: String,
    },
    /// A reference to another address.
    Address(String),
    /// A date.
    Date {
        /// The comparison.
        prefix: Prefix,
        /// The value's span, already widened for `Ap`.
        range: DateRange,
    },
    /// A number.
    Number {
        /// The comparison.
        prefix: Prefix,
        /// The value.
        value: Decimal,
    },
    /// A quantity.
    Quantity {
        /// The comparison.
        prefix: Prefix,
        /// The value.
        value: Decimal,
        /// Its unit; `None` compares numbers whatever their unit.
        unit: Option<UnitMatch>,
    },
    /// A uri, exactly.
    Uri(String),
    /// `:below`: the value and everything under it.
    UriBelow(String),
    /// `:above`: the value and everything it is under.
    UriAbove(String),
}

/// The unit part of a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitMatch {
    /// `||code` leaves it open: the code then also matches the human-readable unit.
    pub system: SystemMatch,
    /// The unit.
    pub code: String,
}

/// One sort key.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// The parameter's name.
    pub name: String,
    /// What to sort by.
    pub by: SortBy,
    /// Highest first.
    pub descending: bool,
}

/// What a sort key reads. A record with several values sorts by its lowest (ascending) or highest.
/// Records without a value come last in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortBy {
    /// `_id`
    Id,
    /// `_lastUpdated`
    LastUpdated,
    /// `_type`
    Type,
    /// A parameter.
    Atoms {
        /// Any of these atoms.
        atoms: Vec<AtomId>,
        /// Its kind.
        kind: SearchKind,
    },
}

/// `_total`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Total {
    /// Do not count unless it is free.
    #[default]
    Unasked,
    /// `none`
    None,
    /// `estimate`
    Estimate,
    /// `accurate`
    Accurate,
}

/// `_summary`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Summary {
    /// The whole resource.
    #[default]
    False,
    /// Summary elements only.
    True,
    /// Narrative, id, meta and mandatory top-level elements.
    Text,
    /// Everything but the narrative.
    Data,
    /// No resources, only the total.
    Count,
}

/// One `_include` or `_revinclude`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The type whose reference is followed.
    pub source: TypeId,
    /// Its reference atoms; all of the type's reference atoms for `*`.
    pub atoms: Vec<AtomId>,
    /// Only references to this type.
    pub target: Option<TypeId>,
    /// Follow from included resources too.
    pub iterate: bool,
    /// As written, for the self link.
    pub written: String,
}
