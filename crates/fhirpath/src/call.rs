//! Calling functions: those that evaluate an argument for every item
//! (<http://hl7.org/fhirpath/N1/#filtering-and-projection>) and those on collections as a whole are here; the
//! others are handed to the file of their group.

use crate::compare::{self, Order};
use crate::evaluate::{Focus, Run, Scope, answer, one, operand, single, truth, type_fault};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::navigate;
use crate::program::Op;
use crate::temporal::Temporal;
use crate::text::Pattern;
use crate::{convert, fhir_function, math, set, text};
use base::Fault;
use std::cmp::Ordering;

/// A call under way.
pub(crate) struct Call<'a, 's> {
    pub(crate) function: Function,
    pub(crate) args: &'a [Op],
    pub(crate) pattern: Option<&'a Pattern>,
    pub(crate) scope: Scope<'a, 's>,
    /// Written behind something, rather than first in a path.
    pub(crate) bound: bool,
}

impl<'a> Run<'a, '_> {
    /// An argument, evaluated where the call stands; empty when it is not given.
    pub(crate) fn argument(&self, call: &Call<'a, '_>, at: usize) -> Result<Collection<'a>, Fault> {
        call.args.get(at).map_or(Ok(Collection::new()), |op| self.eval(op, call.scope))
    }

    pub(crate) fn call(
        &self,
        focus: Focus<'a, '_>,
        call: &Call<'a, '_>,
    ) -> Result<Collection<'a>, Fault> {
        use Function as F;
        self.charge(focus.len())?;
        let boolean = |value: bool| Ok(one(Item::Boolean(value)));
        match call.function {
            F::Where => self.filter(&focus, call),
            F::Exists if call.args.is_empty() => boolean(!focus.is_empty()),
            F::Exists => boolean(self.any(&focus, call, true)?),
            F::Empty => boolean(focus.is_empty()),
            F::Not => Ok(answer(truth(&focus)?.map(|value| !value))),
            F::All => boolean(!self.any(&focus, call, false)?),
            F::AllTrue => boolean(booleans(&focus)?.all(|b| b)),
            F::AnyTrue => boolean(booleans(&focus)?.any(|b| b)),
            F::AllFalse => boolean(booleans(&focus)?.all(|b| !b)),
            F::AnyFalse => boolean(booleans(&focus)?.any(|b| !b)),
            F::Count => Ok(i64::try_from(focus.len()).map(Item::Integer).into_iter().collect()),
            F::Select => self.select(&focus, call),
            F::Repeat => self.repeat(&focus, call),
            F::Sort => self.sort(&focus, call),
            F::Iif => self.iif(&focus, call),
            F::Aggregate => self.aggregate(&focus, call),
            F::Distinct => set::distinct(self, focus.into_collection()),
            F::IsDistinct => {
                let all = focus.len();
                boolean(set::distinct(self, focus.into_collection())?.len() == all)
            }
            F::Single => Ok(single(&focus, "single()")?.cloned().into_iter().collect()),
            F::First => Ok(focus.first().cloned().into_iter().collect()),
            F::Last => Ok(focus.last().cloned().into_iter().collect()),
            F::Tail => Ok(set::slice(&focus, 1, None)),
            F::Skip | F::Take => {
                let Some(n) = set::whole(&self.argument(call, 0)?, "skip() or take()")? else {
                    return Ok(Collection::new());
                };
                let take = call.function == F::Take;
                Ok(if take { set::slice(&focus, 0, Some(n)) } else { set::slice(&focus, n, None) })
            }
            F::Union => set::union(self, focus.into_collection(), &self.argument(call, 0)?),
            F::Combine => set::combine(self, focus.into_collection(), &self.argument(call, 0)?),
            F::Intersect => set::intersect(self, &focus, &self.argument(call, 0)?),
            F::Exclude => set::exclude(self, &focus, &self.argument(call, 0)?),
            F::SubsetOf => boolean(set::subset(self, &focus, &self.argument(call, 0)?)?),
            F::SupersetOf => boolean(set::subset(self, &self.argument(call, 0)?, &focus)?),
            F::Children => self.children(&focus),
            F::Descendants => self.descendants(&focus),
            F::Trace => Ok(focus.into_collection()),
            F::Now => Ok(one(Item::Temporal(Temporal::instant(self.context.now)))),
            F::Today => Ok(one(Item::Temporal(Temporal::day_of(self.context.now)))),
            F::TimeOfDay => Ok(one(Item::Temporal(Temporal::time_of(self.context.now)))),
            F::Type => Ok(focus.iter().map(|item| Item::Type(item.type_name())).collect()),
            F::To(_) | F::ConvertsTo(_) => convert::call(self, &focus, call),
            F::IndexOf
            | F::LastIndexOf
            | F::Substring
            | F::StartsWith
            | F::EndsWith
            | F::Contains
            | F::Upper
            | F::Lower
            | F::Replace
            | F::Matches
            | F::MatchesFull
            | F::ReplaceMatches
            | F::Length
            | F::ToChars
            | F::Encode
            | F::Decode
            | F::Escape
            | F::Unescape
            | F::Trim
            | F::Split
            | F::Join => text::call(self, &focus, call),
            F::Abs
            | F::Ceiling
            | F::Exp
            | F::Floor
            | F::Ln
            | F::Log
            | F::Power
            | F::Round
            | F::Sqrt
            | F::Truncate
            | F::LowBoundary
            | F::HighBoundary
            | F::Precision
            | F::Comparable => math::call(self, &focus, call),
            F::Extension
            | F::HasExtension
            | F::HasValue
            | F::GetValue
            | F::Resolve
            | F::MemberOf
            | F::HtmlChecks
            | F::ConformsTo
            | F::CheckModifiers => fhir_function::call(self, focus, call),
        }
    }

    /// The condition of `where`, `exists` or `all` for one item.
    fn condition(
        &self,
        call: &Call<'a, '_>,
        item: &Item<'a>,
        index: usize,
    ) -> Result<Option<bool>, Fault> {
        match call.args.first() {
            Some(op) => truth(&self.eval_on(op, item, index, call.scope)?),
            None => Ok(Some(true)),
        }
    }

    fn filter(&self, focus: &[Item<'a>], call: &Call<'a, '_>) -> Result<Collection<'a>, Fault> {
        let mut out = Collection::new();
        for (index, item) in focus.iter().enumerate() {
            if self.condition(call, item, index)? == Some(true) {
                out.push(item.clone());
            }
        }
        Ok(out)
    }

    /// Whether the condition is true of any item (`wanted`), or fails to be true of any.
    fn any(&self, focus: &[Item<'a>], call: &Call<'a, '_>, wanted: bool) -> Result<bool, Fault> {
        for (index, item) in focus.iter().enumerate() {
            if (self.condition(call, item, index)? == Some(true)) == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn select(&self, focus: &[Item<'a>], call: &Call<'a, '_>) -> Result<Collection<'a>, Fault> {
        let mut out = Collection::new();
        let Some(op) = call.args.first() else { return Ok(out) };
        for (index, item) in focus.iter().enumerate() {
            let items = self.eval_on(op, item, index, call.scope)?;
            self.charge(items.len())?;
            out.extend(items);
        }
        Ok(out)
    }

    fn repeat(&self, focus: &[Item<'a>], call: &Call<'a, '_>) -> Result<Collection<'a>, Fault> {
        let mut out = Collection::new();
        let Some(op) = call.args.first() else { return Ok(out) };
        let mut fresh: Collection<'a> = focus.iter().cloned().collect();
        while !fresh.is_empty() {
            let from = out.len();
            for (index, item) in fresh.iter().enumerate() {
                let found = self.eval_on(op, item, index, call.scope)?;
                out = set::union(self, out, &found)?;
            }
            fresh = out.iter().skip(from).cloned().collect();
        }
        Ok(out)
    }

    /// `sort()`, `sort(key, -key …)`: a minus before a key turns its order round; an item
    /// without the key comes first either way.
    fn sort(&self, focus: &[Item<'a>], call: &Call<'a, '_>) -> Result<Collection<'a>, Fault> {
        static SELF: [Op; 1] = [Op::This];
        let keys = if call.args.is_empty() { &SELF } else { call.args };
        let mut rows = Vec::with_capacity(focus.len());
        for (index, item) in focus.iter().enumerate() {
            let mut row = Vec::with_capacity(keys.len());
            for key in keys {
                let (key, descending) = match key {
                    Op::Negate(key) => (&**key, true),
                    key => (key, false),
                };
                let value = self.eval_on(key, item, index, call.scope)?;
                row.push((operand(&value, "a key of sort()")?.cloned(), descending));
            }
            rows.push((row, item.clone()));
        }
        self.charge(rows.len().saturating_mul(16))?;
        let mut unordered = false;
        let rows = set::sorted(rows, &mut |(a, _), (b, _)| {
            for ((x, descending), (y, _)) in a.iter().zip(b) {
                let ordering = match (x, y) {
                    (Some(x), Some(y)) => match compare::order(x, y) {
                        Order::Known(ordering) if *descending => ordering.reverse(),
                        Order::Known(ordering) => ordering,
                        Order::Open => Ordering::Equal,
                        Order::Never => {
                            unordered = true;
                            Ordering::Equal
                        }
                    },
                    (x, y) => x.is_some().cmp(&y.is_some()),
                };
                if ordering != Ordering::Equal {
                    return ordering;
                }
            }
            Ordering::Equal
        });
        if unordered {
            return Err(type_fault("sort() meets values that have no order"));
        }
        Ok(rows.into_iter().map(|(_, item)| item).collect())
    }

    fn iif(&self, focus: &[Item<'a>], call: &Call<'a, '_>) -> Result<Collection<'a>, Fault> {
        let scope = if call.bound {
            single(focus, "iif()")?;
            Scope { this: focus, ..call.scope }
        } else {
            call.scope
        };
        let Some(condition) = call.args.first() else { return Ok(Collection::new()) };
        let condition = self.eval(condition, scope)?;
        let chosen = match operand(&condition, "the condition of iif()")? {
            None => 2,
            Some(item) => match item.as_bool() {
                Some(true) => 1,
                Some(false) => 2,
                None => return Err(type_fault("the condition of iif() is not a boolean")),
            },
        };
        call.args.get(chosen).map_or(Ok(Collection::new()), |op| self.eval(op, scope))
    }

    fn aggregate(&self, focus: &[Item<'a>], call: &Call<'a, '_>) -> Result<Collection<'a>, Fault> {
        let mut total = self.argument(call, 1)?;
        let Some(op) = call.args.first() else { return Ok(total) };
        for (index, item) in focus.iter().enumerate() {
            let scope = Scope { total: Some(&total), ..call.scope };
            total = self.eval_on(op, item, index, scope)?;
            self.charge(total.len())?;
        }
        Ok(total)
    }

    fn children(&self, focus: &[Item<'a>]) -> Result<Collection<'a>, Fault> {
        let mut out = Collection::new();
        for item in focus {
            if let Item::Node(node) = item {
                let from = out.len();
                navigate::children(node, &mut out);
                self.charge(out.len() - from)?;
            }
        }
        Ok(out)
    }

    fn descendants(&self, focus: &[Item<'a>]) -> Result<Collection<'a>, Fault> {
        let mut out = self.children(focus)?;
        let mut at = 0;
        while let Some(item) = out.get(at) {
            if let Item::Node(node) = item {
                let node = *node;
                let from = out.len();
                navigate::children(&node, &mut out);
                self.charge(out.len() - from)?;
            }
            at += 1;
        }
        Ok(out)
    }
}

/// The items as booleans; anything else is a fault.
fn booleans(items: &[Item<'_>]) -> Result<impl Iterator<Item = bool>, Fault> {
    let valued = items.iter().filter(|item| !item.is_valueless());
    let values: Option<Vec<bool>> = valued.map(Item::as_bool).collect();
    values
        .map(Vec::into_iter)
        .ok_or_else(|| type_fault("an item of the collection is not a boolean"))
}
