//! The evaluator (<http://hl7.org/fhirpath/N1/#expressions>): walks a program over a resource. Every step
//! is counted against a budget, so no expression runs away whatever the data.

use crate::ast::TypeOp;
use crate::item::{Collection, Item, Node, TypeName};
use crate::navigate;
use crate::operator;
use crate::program::{External, Op, OwnType, Program};
use crate::{call, fhir_function};
use base::error::code;
use base::{Fault, Millis};
use fhir::Value;
use std::cell::Cell;
use std::ops::Deref;

/// Fetches what a reference points at, beyond the resource itself.
pub trait Resolver {
    /// The resource a reference means, or nothing.
    fn resolve(&self, reference: &str) -> Option<Value<'_>>;
}

/// Answers questions about codes.
pub trait Terminology {
    /// Whether a code, `Coding` or `CodeableConcept` is in a value set; `None` when it cannot be said.
    fn member_of(&self, item: &Item<'_>, value_set: &str) -> Result<Option<bool>, Fault>;
}

/// Bounds of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluateLimits {
    /// Items touched, about.
    pub steps: u64,
}

impl Default for EvaluateLimits {
    fn default() -> Self {
        Self { steps: 5_000_000 }
    }
}

/// What an evaluation may see.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// `%resource`: the resource the input stands in.
    pub resource: Option<Value<'a>>,
    /// `%rootResource`: the resource that contains it, or the same.
    pub root: Option<Value<'a>>,
    /// Fetches references. Without it only contained resources and those of a bundle are found.
    pub resolver: Option<&'a dyn Resolver>,
    /// Answers `memberOf`. Without it that is a fault.
    pub terminology: Option<&'a dyn Terminology>,
    /// Other `%name`s.
    pub variables: &'a [(&'a str, &'a [Item<'a>])],
    /// What `now()` is.
    pub now: Millis,
    /// Bounds.
    pub limits: EvaluateLimits,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context(now {}, {:?})", self.now, self.limits)
    }
}

impl<'a> Context<'a> {
    /// The context of a resource that nothing contains.
    pub fn new(resource: Value<'a>, now: Millis) -> Self {
        Self { resource: Some(resource), root: Some(resource), ..Self::empty(now) }
    }

    /// A context without a resource.
    pub fn empty(now: Millis) -> Self {
        Self {
            resource: None,
            root: None,
            resolver: None,
            terminology: None,
            variables: &[],
            now,
            limits: EvaluateLimits::default(),
        }
    }
}

impl Program {
    /// Evaluates on `input`, which is `%context` and, at the outermost, `$this`.
    pub fn evaluate<'a>(
        &'a self,
        context: &Context<'a>,
        input: &[Item<'a>],
    ) -> Result<Collection<'a>, Fault> {
        let run = Run { context, input, left: Cell::new(context.limits.steps) };
        run.eval(&self.root, Scope { this: input, index: None, total: None })
    }

    /// Evaluates as an invariant: only a clear `false` breaks it. R4's own invariants need the empty
    /// answer to pass (ref-1 gives it for every reference that has only a display).
    pub fn holds<'a>(&'a self, context: &Context<'a>, input: &[Item<'a>]) -> Result<bool, Fault> {
        Ok(truth(&self.evaluate(context, input)?)? != Some(false))
    }
}

/// One evaluation under way.
pub(crate) struct Run<'a, 'c> {
    pub(crate) context: &'c Context<'a>,
    pub(crate) input: &'c [Item<'a>],
    left: Cell<u64>,
}

/// What `$this`, `$index` and `$total` are.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a, 's> {
    pub(crate) this: &'s [Item<'a>],
    pub(crate) index: Option<usize>,
    pub(crate) total: Option<&'s Collection<'a>>,
}

/// The collection a step applies to, copied only when it was calculated.
pub(crate) enum Focus<'a, 's> {
    Borrowed(&'s [Item<'a>]),
    Owned(Collection<'a>),
}

impl<'a> Deref for Focus<'a, '_> {
    type Target = [Item<'a>];

    fn deref(&self) -> &[Item<'a>] {
        match self {
            Self::Borrowed(items) => items,
            Self::Owned(items) => items,
        }
    }
}

impl<'a> Focus<'a, '_> {
    pub(crate) fn into_collection(self) -> Collection<'a> {
        match self {
            Self::Borrowed(items) => items.iter().cloned().collect(),
            Self::Owned(items) => items,
        }
    }
}

pub(crate) fn type_fault(what: impl Into<String>) -> Fault {
    Fault::new(&code::FHIRPATH_TYPE, what)
}

/// A collection as a condition: empty is unknown, a boolean itself, any other single item true
/// (<http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections>).
pub(crate) fn truth(items: &[Item<'_>]) -> Result<Option<bool>, Fault> {
    Ok(operand(items, "a condition")?.map(|item| item.as_bool().unwrap_or(true)))
}

/// The only item, if there is one.
pub(crate) fn single<'i, 'a>(
    items: &'i [Item<'a>],
    what: &str,
) -> Result<Option<&'i Item<'a>>, Fault> {
    match items {
        [] => Ok(None),
        [item] => Ok(Some(item)),
        _ => Err(type_fault(format!("{what} needs a single item, but there are several"))),
    }
}

/// The only item, if there is one and it has a value: a primitive that has only extensions is as good
/// as none to an operator.
pub(crate) fn operand<'i, 'a>(
    items: &'i [Item<'a>],
    what: &str,
) -> Result<Option<&'i Item<'a>>, Fault> {
    Ok(single(items, what)?.filter(|item| !item.is_valueless()))
}

/// A collection of one item.
pub(crate) fn one(item: Item<'_>) -> Collection<'_> {
    smallvec::smallvec![item]
}

/// A boolean, or nothing when it is unknown.
pub(crate) fn answer<'a>(value: Option<bool>) -> Collection<'a> {
    value.map(Item::Boolean).into_iter().collect()
}

impl<'a> Run<'a, '_> {
    /// Takes steps from the budget.
    pub(crate) fn charge(&self, steps: usize) -> Result<(), Fault> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        match self.left.get().checked_sub(steps) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(Fault::new(
                &code::FHIRPATH_COST,
                format!("the expression takes more than {} steps", self.context.limits.steps),
            )),
        }
    }

    pub(crate) fn eval(&self, op: &'a Op, scope: Scope<'a, '_>) -> Result<Collection<'a>, Fault> {
        self.charge(1)?;
        match op {
            Op::Member { of, name, own_type } => {
                let focus = self.focus(of.as_deref(), scope)?;
                self.member(&focus, name, *own_type)
            }
            Op::Call { of, function, args, pattern } => {
                let focus = self.focus(of.as_deref(), scope)?;
                let call = call::Call {
                    function: *function,
                    args,
                    pattern: pattern.as_deref(),
                    scope,
                    bound: of.is_some(),
                };
                self.call(focus, &call)
            }
            Op::Literal(item) => Ok(one(borrow(item))),
            Op::Binary { op, left, right } => operator::binary(self, *op, left, right, scope),
            Op::This => Ok(scope.this.iter().cloned().collect()),
            Op::Type { op, of, target } => {
                let focus = self.focus(of.as_deref(), scope)?;
                type_operation(*op, *target, &focus)
            }
            Op::ResolvesTo { of, target } => {
                let focus = self.focus(of.as_deref(), scope)?;
                fhir_function::resolves_to(self, &focus, *target)
            }
            Op::Item { of, index } => self.item(of, index, scope),
            Op::External(external) => self.external(external),
            Op::Index => Ok(scope
                .index
                .and_then(|index| i64::try_from(index).ok())
                .map(Item::Integer)
                .into_iter()
                .collect()),
            Op::Total => Ok(scope.total.cloned().unwrap_or_default()),
            Op::Empty => Ok(Collection::new()),
            Op::Negate(of) => operator::negate(&self.eval(of, scope)?),
            Op::Plus(of) => operator::plus(self.eval(of, scope)?),
        }
    }

    pub(crate) fn focus<'s>(
        &self,
        of: Option<&'a Op>,
        scope: Scope<'a, 's>,
    ) -> Result<Focus<'a, 's>, Fault> {
        match of {
            None | Some(Op::This) => Ok(Focus::Borrowed(scope.this)),
            Some(of) => Ok(Focus::Owned(self.eval(of, scope)?)),
        }
    }

    /// Evaluates for one item of a collection.
    pub(crate) fn eval_on(
        &self,
        op: &'a Op,
        item: &Item<'a>,
        index: usize,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Fault> {
        self.eval(op, Scope { this: std::slice::from_ref(item), index: Some(index), ..scope })
    }

    fn member(
        &self,
        focus: &[Item<'a>],
        name: &'a str,
        own_type: Option<OwnType>,
    ) -> Result<Collection<'a>, Fault> {
        let mut out = Collection::new();
        for item in focus {
            match item {
                Item::Node(node) => match own_type {
                    Some(own) if own.is_of(node.type_id()) => out.push(item.clone()),
                    Some(own) if own.is_certain() => {}
                    _ => navigate::member(node, name, &mut out),
                },
                Item::Type(TypeName { namespace, name: type_name }) => match name {
                    "namespace" => out.push(Item::text(*namespace)),
                    "name" => out.push(Item::text(*type_name)),
                    _ => {}
                },
                _ => {}
            }
        }
        self.charge(out.len())?;
        Ok(out)
    }

    fn item(
        &self,
        of: &'a Op,
        index: &'a Op,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Fault> {
        let focus = self.focus(Some(of), scope)?;
        let index = self.eval(index, scope)?;
        let Some(index) = operand(&index, "an index")? else { return Ok(Collection::new()) };
        let Some(index) = index.as_integer() else {
            return Err(type_fault("an index is not an integer"));
        };
        Ok(usize::try_from(index).ok().and_then(|at| focus.get(at).cloned()).into_iter().collect())
    }

    fn external(&self, external: &'a External) -> Result<Collection<'a>, Fault> {
        let resource = |value: Option<Value<'a>>| {
            value.and_then(Node::resource).map(Item::Node).into_iter().collect()
        };
        Ok(match external {
            External::Resource => resource(self.context.resource),
            External::RootResource => resource(self.context.root),
            External::Context => self.input.iter().cloned().collect(),
            External::Text(text) => one(Item::text(&**text)),
            External::Named(name) => {
                let found = self.context.variables.iter().find(|(n, _)| *n == &**name);
                match found {
                    Some((_, items)) => items.iter().cloned().collect(),
                    None => return Err(type_fault(format!("there is no variable %{name}"))),
                }
            }
        })
    }
}

/// A literal as an item of the evaluation, its text borrowed.
fn borrow<'a>(item: &'a Item<'static>) -> Item<'a> {
    match item {
        Item::String(text) => Item::text(&**text),
        other => other.clone(),
    }
}

/// `is` wants a single item. `as` and `ofType` filter: the specification wants `as` to fail on several
/// items, but R4's own search parameters and dom-3 apply it to many, and mean those of the type.
fn type_operation<'a>(
    op: TypeOp,
    target: crate::types::Target,
    focus: &[Item<'a>],
) -> Result<Collection<'a>, Fault> {
    match op {
        TypeOp::Is => {
            Ok(single(focus, "is")?.map(|i| Item::Boolean(target.is(i))).into_iter().collect())
        }
        TypeOp::As | TypeOp::OfType => {
            Ok(focus.iter().filter(|i| target.selects(i)).cloned().collect())
        }
    }
}
