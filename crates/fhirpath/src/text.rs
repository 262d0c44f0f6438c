//! Functions of strings (<http://hl7.org/fhirpath/N1/#string-manipulation>). Positions count characters, not
//! bytes. Patterns are regular expressions of linear time and bounded size, so none can hang.

use crate::call::Call;
use crate::encoding;
use crate::evaluate::{Run, one, operand, type_fault};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::set::whole;
use base::Fault;
use base::error::code;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;

/// Bytes a compiled pattern may take.
const PATTERN_BYTES: usize = 1 << 20;
/// What compiling a pattern that is not a literal costs.
const PATTERN_STEPS: usize = 2_000;

/// A compiled pattern. A full stop matches a line's end too.
#[derive(Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    pub(crate) fn new(pattern: &str, full: bool) -> Result<Self, Fault> {
        let anchored: Cow<'_, str> =
            if full { format!("\\A(?:{pattern})\\z").into() } else { pattern.into() };
        RegexBuilder::new(&anchored)
            .dot_matches_new_line(true)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .nest_limit(64)
            .build()
            .map(Self)
            .map_err(|error| {
                // Why it does not parse would quote the pattern, which may come from a resource.
                let why = match error {
                    regex::Error::CompiledTooBig(_) => "is too large",
                    _ => "is no regular expression this server can match",
                };
                Fault::new(&code::FHIRPATH_SYNTAX, format!("a pattern {why}"))
            })
    }
}

pub(crate) fn call<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    if call.function == Function::Join {
        return join(run, focus, call);
    }
    let Some(item) = operand(focus, "a function of strings")? else { return Ok(Collection::new()) };
    let Some(text) = item.as_text() else {
        return Err(type_fault("a function of strings is called on something else"));
    };
    run.charge(text.len() / 16)?;
    Ok(match call.function {
        Function::Upper => one(Item::text(text.to_uppercase())),
        Function::Lower => one(Item::text(text.to_lowercase())),
        Function::Trim => one(Item::text(text.trim().to_owned())),
        Function::Length => count(text.chars().count()),
        Function::ToChars => {
            run.charge(text.len())?;
            text.chars().map(|c| Item::text(c.to_string())).collect()
        }
        Function::Substring => return substring(run, &text, call),
        Function::Matches | Function::MatchesFull => return matches(run, &text, call),
        function => {
            let Some(argument) = argument(run, call, 0)? else { return Ok(Collection::new()) };
            match function {
                Function::StartsWith => boolean(text.starts_with(&*argument)),
                Function::EndsWith => boolean(text.ends_with(&*argument)),
                Function::Contains => boolean(text.contains(&*argument)),
                Function::IndexOf => position(&text, text.find(&*argument)),
                Function::LastIndexOf => position(&text, text.rfind(&*argument)),
                Function::Split => split(run, &text, &argument)?,
                Function::Replace | Function::ReplaceMatches => {
                    return replace(run, &text, &argument, call);
                }
                Function::Encode => encoding::encode(&text, &argument)?,
                Function::Decode => encoding::decode(&text, &argument)?,
                Function::Escape => encoding::escape(&text, &argument)?,
                Function::Unescape => encoding::unescape(&text, &argument)?,
                _ => return Err(type_fault("no function of strings")),
            }
        }
    })
}

fn boolean<'a>(value: bool) -> Collection<'a> {
    one(Item::Boolean(value))
}

fn count<'a>(n: usize) -> Collection<'a> {
    i64::try_from(n).map(Item::Integer).into_iter().collect()
}

/// A byte offset as a number of characters; -1 for none.
fn position<'a>(text: &str, at: Option<usize>) -> Collection<'a> {
    match at {
        Some(at) => count(text.get(..at).map_or(0, |head| head.chars().count())),
        None => one(Item::Integer(-1)),
    }
}

/// An argument that must be a string.
fn argument<'a>(
    run: &Run<'a, '_>,
    call: &Call<'a, '_>,
    at: usize,
) -> Result<Option<Cow<'a, str>>, Fault> {
    let items = run.argument(call, at)?;
    match operand(&items, "an argument")? {
        None => Ok(None),
        Some(item) => item
            .as_text()
            .map(Some)
            .ok_or_else(|| type_fault("a function of strings has another argument than a string")),
    }
}

fn substring<'a>(
    run: &Run<'a, '_>,
    text: &str,
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let Some(start) = whole(&run.argument(call, 0)?, "substring()")? else {
        return Ok(Collection::new());
    };
    let length = whole(&run.argument(call, 1)?, "substring()")?;
    let Ok(start) = usize::try_from(start) else { return Ok(Collection::new()) };
    let mut rest = text.chars().skip(start).peekable();
    if rest.peek().is_none() {
        return Ok(Collection::new());
    }
    let length = length.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
    Ok(one(Item::text(rest.take(length).collect::<String>())))
}

fn split<'a>(run: &Run<'a, '_>, text: &str, separator: &str) -> Result<Collection<'a>, Fault> {
    run.charge(text.len())?;
    if separator.is_empty() {
        return Ok(text.chars().map(|c| Item::text(c.to_string())).collect());
    }
    Ok(text.split(separator).map(|part| Item::text(part.to_owned())).collect())
}

fn join<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let separator = argument(run, call, 0)?.unwrap_or_default();
    let mut out = String::new();
    let valued = focus.iter().filter(|item| !item.is_valueless());
    for (index, item) in valued.enumerate() {
        let Some(text) = item.as_text() else {
            return Err(type_fault("join() joins strings only"));
        };
        run.charge((text.len() + separator.len()) / 16)?;
        if index > 0 {
            out.push_str(&separator);
        }
        out.push_str(&text);
    }
    Ok(if focus.is_empty() { Collection::new() } else { one(Item::text(out)) })
}

/// Uses the pattern compiled with the program, or compiles the one the data gives.
fn with_pattern<'a, T>(
    run: &Run<'a, '_>,
    call: &Call<'a, '_>,
    text: &str,
    use_it: impl FnOnce(&Regex) -> T,
) -> Result<T, Fault> {
    if let Some(pattern) = call.pattern {
        return Ok(use_it(&pattern.0));
    }
    run.charge(PATTERN_STEPS)?;
    Ok(use_it(&Pattern::new(text, call.function == Function::MatchesFull)?.0))
}

fn matches<'a>(
    run: &Run<'a, '_>,
    text: &str,
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let Some(pattern) = argument(run, call, 0)? else { return Ok(Collection::new()) };
    with_pattern(run, call, &pattern, |regex| boolean(regex.is_match(text)))
}

fn replace<'a>(
    run: &Run<'a, '_>,
    text: &str,
    pattern: &str,
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let Some(substitution) = argument(run, call, 1)? else { return Ok(Collection::new()) };
    // The answer may be this much longer.
    run.charge(text.len().saturating_mul(substitution.len() + 1) / 16)?;
    if call.function == Function::Replace {
        return Ok(one(Item::text(text.replace(pattern, &substitution))));
    }
    if pattern.is_empty() {
        return Ok(one(Item::text(text.to_owned())));
    }
    with_pattern(run, call, pattern, |regex| {
        one(Item::text(regex.replace_all(text, &*substitution).into_owned()))
    })
}
