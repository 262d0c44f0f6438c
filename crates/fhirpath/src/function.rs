//! The table of functions: name, how many arguments, and which of them are evaluated for every item
//! (<http://hl7.org/fhirpath/N1/#functions>, <https://hl7.org/fhir/R4/fhirpath.html#functions>; those of the
//! version after N1 that HL7's tests for R4 use are here too).

/// A function, resolved from its name when an expression is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Empty,
    Exists,
    All,
    AllTrue,
    AnyTrue,
    AllFalse,
    AnyFalse,
    SubsetOf,
    SupersetOf,
    Count,
    Distinct,
    IsDistinct,
    Where,
    Select,
    Repeat,
    Sort,
    Single,
    First,
    Last,
    Tail,
    Skip,
    Take,
    Intersect,
    Exclude,
    Union,
    Combine,
    Iif,
    Aggregate,
    Not,
    To(Conversion),
    ConvertsTo(Conversion),
    IndexOf,
    LastIndexOf,
    Substring,
    StartsWith,
    EndsWith,
    Contains,
    Upper,
    Lower,
    Replace,
    Matches,
    MatchesFull,
    ReplaceMatches,
    Length,
    ToChars,
    Encode,
    Decode,
    Escape,
    Unescape,
    Trim,
    Split,
    Join,
    Abs,
    Ceiling,
    Exp,
    Floor,
    Ln,
    Log,
    Power,
    Round,
    Sqrt,
    Truncate,
    LowBoundary,
    HighBoundary,
    Precision,
    Comparable,
    Children,
    Descendants,
    Trace,
    Now,
    Today,
    TimeOfDay,
    Type,
    Extension,
    HasExtension,
    HasValue,
    GetValue,
    Resolve,
    MemberOf,
    HtmlChecks,
    ConformsTo,
    CheckModifiers,
}

/// What a value is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,
}

/// One row: name, function, fewest and most arguments.
type Row = (&'static str, Function, usize, usize);

const MANY: usize = 64;

static TABLE: &[Row] = {
    use Conversion as C;
    use Function as F;
    &[
        ("where", F::Where, 1, 1),
        ("exists", F::Exists, 0, 1),
        ("empty", F::Empty, 0, 0),
        ("not", F::Not, 0, 0),
        ("all", F::All, 1, 1),
        ("count", F::Count, 0, 0),
        ("resolve", F::Resolve, 0, 0),
        ("extension", F::Extension, 1, 1),
        ("hasExtension", F::HasExtension, 1, 1),
        ("hasValue", F::HasValue, 0, 0),
        ("getValue", F::GetValue, 0, 0),
        ("matches", F::Matches, 1, 2),
        ("select", F::Select, 1, 1),
        ("first", F::First, 0, 0),
        ("last", F::Last, 0, 0),
        ("single", F::Single, 0, 0),
        ("tail", F::Tail, 0, 0),
        ("skip", F::Skip, 1, 1),
        ("take", F::Take, 1, 1),
        ("intersect", F::Intersect, 1, 1),
        ("exclude", F::Exclude, 1, 1),
        ("union", F::Union, 1, 1),
        ("combine", F::Combine, 1, 1),
        ("distinct", F::Distinct, 0, 0),
        ("isDistinct", F::IsDistinct, 0, 0),
        ("allTrue", F::AllTrue, 0, 0),
        ("anyTrue", F::AnyTrue, 0, 0),
        ("allFalse", F::AllFalse, 0, 0),
        ("anyFalse", F::AnyFalse, 0, 0),
        ("subsetOf", F::SubsetOf, 1, 1),
        ("supersetOf", F::SupersetOf, 1, 1),
        ("repeat", F::Repeat, 1, 1),
        ("sort", F::Sort, 0, MANY),
        ("aggregate", F::Aggregate, 1, 2),
        ("iif", F::Iif, 2, 3),
        ("toBoolean", F::To(C::Boolean), 0, 0),
        ("toInteger", F::To(C::Integer), 0, 0),
        ("toDecimal", F::To(C::Decimal), 0, 0),
        ("toString", F::To(C::String), 0, 0),
        ("toDate", F::To(C::Date), 0, 0),
        ("toDateTime", F::To(C::DateTime), 0, 0),
        ("toTime", F::To(C::Time), 0, 0),
        ("toQuantity", F::To(C::Quantity), 0, 1),
        ("convertsToBoolean", F::ConvertsTo(C::Boolean), 0, 0),
        ("convertsToInteger", F::ConvertsTo(C::Integer), 0, 0),
        ("convertsToDecimal", F::ConvertsTo(C::Decimal), 0, 0),
        ("convertsToString", F::ConvertsTo(C::String), 0, 0),
        ("convertsToDate", F::ConvertsTo(C::Date), 0, 0),
        ("convertsToDateTime", F::ConvertsTo(C::DateTime), 0, 0),
        ("convertsToTime", F::ConvertsTo(C::Time), 0, 0),
        ("convertsToQuantity", F::ConvertsTo(C::Quantity), 0, 1),
        ("indexOf", F::IndexOf, 1, 1),
        ("lastIndexOf", F::LastIndexOf, 1, 1),
        ("substring", F::Substring, 1, 2),
        ("startsWith", F::StartsWith, 1, 1),
        ("endsWith", F::EndsWith, 1, 1),
        ("contains", F::Contains, 1, 1),
        ("upper", F::Upper, 0, 0),
        ("lower", F::Lower, 0, 0),
        ("replace", F::Replace, 2, 2),
        ("matchesFull", F::MatchesFull, 1, 2),
        ("replaceMatches", F::ReplaceMatches, 2, 3),
        ("length", F::Length, 0, 0),
        ("toChars", F::ToChars, 0, 0),
        ("encode", F::Encode, 1, 1),
        ("decode", F::Decode, 1, 1),
        ("escape", F::Escape, 1, 1),
        ("unescape", F::Unescape, 1, 1),
        ("trim", F::Trim, 0, 0),
        ("split", F::Split, 1, 1),
        ("join", F::Join, 0, 1),
        ("abs", F::Abs, 0, 0),
        ("ceiling", F::Ceiling, 0, 0),
        ("exp", F::Exp, 0, 0),
        ("floor", F::Floor, 0, 0),
        ("ln", F::Ln, 0, 0),
        ("log", F::Log, 1, 1),
        ("power", F::Power, 1, 1),
        ("round", F::Round, 0, 1),
        ("sqrt", F::Sqrt, 0, 0),
        ("truncate", F::Truncate, 0, 0),
        ("lowBoundary", F::LowBoundary, 0, 1),
        ("highBoundary", F::HighBoundary, 0, 1),
        ("precision", F::Precision, 0, 0),
        ("comparable", F::Comparable, 1, 1),
        ("children", F::Children, 0, 0),
        ("descendants", F::Descendants, 0, 0),
        ("trace", F::Trace, 1, 2),
        ("now", F::Now, 0, 0),
        ("today", F::Today, 0, 0),
        ("timeOfDay", F::TimeOfDay, 0, 0),
        ("type", F::Type, 0, 0),
        ("memberOf", F::MemberOf, 1, 1),
        ("htmlChecks", F::HtmlChecks, 0, 0),
        ("conformsTo", F::ConformsTo, 1, 1),
        ("checkModifiers", F::CheckModifiers, 0, MANY),
    ]
};

/// Functions FHIR defines that need what this engine is not given: a profile or a code system.
static UNSUPPORTED: [&str; 4] = ["elementDefinition", "slice", "subsumes", "subsumedBy"];

/// Resolves a function by name and number of arguments; the fault says what is wrong.
pub(crate) fn find(name: &str, arguments: usize) -> Result<Function, &'static str> {
    let Some((_, function, least, most)) = TABLE.iter().find(|(n, ..)| *n == name) else {
        return Err(if UNSUPPORTED.contains(&name) {
            "is a function this server does not support"
        } else {
            "is no function of FHIRPath"
        });
    };
    if (*least..=*most).contains(&arguments) {
        Ok(*function)
    } else {
        Err("has the wrong number of arguments")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_once() {
        let mut names: Vec<_> = TABLE.iter().map(|(n, ..)| *n).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(find("where", 1), Ok(Function::Where));
        assert!(find("where", 2).is_err() && find("wher", 1).is_err() && find("slice", 2).is_err());
    }
}
