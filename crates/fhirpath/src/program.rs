//! From tree to program: names of functions and types resolved, literals read, patterns compiled, so
//! that evaluating many times repeats none of it, and a mistake in an expression is a fault before any
//! data is seen.

use crate::ast::{BinaryOp, Expr, Literal, TypeOp, UnaryOp, Unit};
use crate::decimal::Decimal;
use crate::function::{self, Function};
use crate::item::Item;
use crate::quantity::{Calendar, Quantity, QuantityUnit};
use crate::temporal::Temporal;
use crate::text::Pattern;
use crate::types::{self, Target};
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};

/// A compiled expression.
#[derive(Debug)]
pub struct Program {
    pub(crate) root: Op,
}

/// One step of a program. Mirrors [`Expr`], resolved.
#[derive(Debug)]
pub(crate) enum Op {
    Empty,
    Literal(Item<'static>),
    External(External),
    This,
    Index,
    Total,
    Member {
        of: Option<Box<Self>>,
        name: Box<str>,
        /// Standing first, the name may be that of the focus's own type.
        own_type: Option<OwnType>,
    },
    Call {
        of: Option<Box<Self>>,
        function: Function,
        args: Box<[Self]>,
        /// The pattern of `matches` and its kin, when it is a literal.
        pattern: Option<Box<Pattern>>,
    },
    Item {
        of: Box<Self>,
        index: Box<Self>,
    },
    Negate(Box<Self>),
    Plus(Box<Self>),
    Binary {
        op: BinaryOp,
        left: Box<Self>,
        right: Box<Self>,
    },
    Type {
        op: TypeOp,
        of: Option<Box<Self>>,
        target: Target,
    },
    /// `resolve() is T`: answered by the reference alone when nothing can be fetched.
    ResolvesTo {
        of: Option<Box<Self>>,
        target: Target,
    },
}

/// A type that a path may begin with the name of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnType {
    id: TypeId,
    /// A resource type that nothing specialises, and that is no element's name.
    concrete: bool,
}

impl OwnType {
    /// Only names in upper case: `code` is an element first, although a type is called so too.
    fn find(name: &str) -> Option<Self> {
        let id =
            r4().type_id(name).filter(|_| name.starts_with(|c: char| c.is_ascii_uppercase()))?;
        Some(Self { id, concrete: r4().resource_type(name).is_some() })
    }

    /// Whether a place has the type.
    pub(crate) fn is_of(self, type_id: TypeId) -> bool {
        type_id == self.id || (!self.concrete && r4().is_a(type_id, self.id))
    }

    /// Whether the name can mean nothing else.
    pub(crate) const fn is_certain(self) -> bool {
        self.concrete
    }
}

/// What a `%name` stands for.
#[derive(Debug)]
pub(crate) enum External {
    Resource,
    RootResource,
    Context,
    Text(Box<str>),
    /// Given by the caller.
    Named(Box<str>),
}

impl Program {
    /// Parses and compiles an expression.
    pub fn compile(text: &str) -> Result<Self, Fault> {
        Self::of(&crate::parse(text)?)
    }

    /// Compiles a parsed expression.
    pub fn of(expr: &Expr) -> Result<Self, Fault> {
        Ok(Self { root: compile(expr)? })
    }
}

fn fault(what: impl Into<String>) -> Fault {
    Fault::new(&code::FHIRPATH_SYNTAX, what)
}

fn compile_focus(of: Option<&Expr>) -> Result<Option<Box<Op>>, Fault> {
    of.map(|of| compile(of).map(Box::new)).transpose()
}

fn compile(expr: &Expr) -> Result<Op, Fault> {
    Ok(match expr {
        Expr::Empty => Op::Empty,
        Expr::Literal(value) => Op::Literal(literal(value)?),
        Expr::External(name) => Op::External(external(name)),
        Expr::This => Op::This,
        Expr::Index => Op::Index,
        Expr::Total => Op::Total,
        Expr::Member { of, name } => Op::Member {
            own_type: if of.is_none() { OwnType::find(name) } else { None },
            of: compile_focus(of.as_deref())?,
            name: name.as_str().into(),
        },
        Expr::Function { of, name, args } => call(of.as_deref(), name, args)?,
        Expr::Item { of, index } => {
            Op::Item { of: Box::new(compile(of)?), index: Box::new(compile(index)?) }
        }
        Expr::Unary { op, of } => {
            let of = Box::new(compile(of)?);
            if *op == UnaryOp::Minus { Op::Negate(of) } else { Op::Plus(of) }
        }
        Expr::Binary { op, left, right } => {
            Op::Binary { op: *op, left: Box::new(compile(left)?), right: Box::new(compile(right)?) }
        }
        Expr::Type { op, form: _, of, specifier } => {
            let target = types::resolve(specifier)
                .ok_or_else(|| fault(format!("{specifier} is no type of FHIR R4 or System")))?;
            let of = compile_focus(of.as_deref())?;
            match (op, of.map(|of| *of)) {
                (TypeOp::Is, Some(Op::Call { of, function: Function::Resolve, .. })) => {
                    Op::ResolvesTo { of, target }
                }
                (op, of) => Op::Type { op: *op, of: of.map(Box::new), target },
            }
        }
    })
}

fn call(of: Option<&Expr>, name: &str, args: &[Expr]) -> Result<Op, Fault> {
    let function =
        function::find(name, args.len()).map_err(|what| fault(format!("{name} {what}")))?;
    let pattern = match (function, args) {
        (
            Function::Matches | Function::MatchesFull | Function::ReplaceMatches,
            [Expr::Literal(Literal::String(text)), ..],
        ) => Some(Box::new(Pattern::new(text, function == Function::MatchesFull)?)),
        _ => None,
    };
    let args = args.iter().map(compile).collect::<Result<_, _>>()?;
    Ok(Op::Call { of: compile_focus(of)?, function, args, pattern })
}

fn literal(value: &Literal) -> Result<Item<'static>, Fault> {
    let temporal = |read: Option<Temporal>, text: &str| {
        read.map(Item::Temporal).ok_or_else(|| fault(format!("@{text} is no date or time")))
    };
    let decimal = |text: &str| {
        Decimal::parse(text).ok_or_else(|| fault("a number has more digits than can be kept"))
    };
    Ok(match value {
        Literal::Boolean(value) => Item::Boolean(*value),
        Literal::String(text) => Item::text(text.clone()),
        Literal::Integer(value) => Item::Integer(*value),
        Literal::Decimal(text) => Item::Decimal(decimal(text)?),
        Literal::Date(text) => temporal(Temporal::date(text), text)?,
        Literal::DateTime(text) => temporal(Temporal::date_time(text), text)?,
        Literal::Time(text) => temporal(Temporal::time(text), text)?,
        Literal::Quantity { value, unit } => {
            let unit = match unit {
                Unit::Ucum(code) => QuantityUnit::Ucum(code.as_str().into()),
                Unit::Calendar(word) => QuantityUnit::Calendar(
                    Calendar::parse(word).ok_or_else(|| fault("a unit is no calendar duration"))?,
                ),
            };
            Item::Quantity(Box::new(Quantity { value: decimal(value)?, unit }))
        }
    })
}

/// <https://hl7.org/fhir/R4/fhirpath.html#variables>
fn external(name: &str) -> External {
    let text = |text: &str| External::Text(text.into());
    match name {
        "resource" => External::Resource,
        "rootResource" => External::RootResource,
        "context" => External::Context,
        "ucum" => text("http://unitsofmeasure.org"),
        "sct" => text("http://snomed.info/sct"),
        "loinc" => text("http://loinc.org"),
        _ => match name.split_once('-') {
            Some(("vs", rest)) => text(&format!("http://hl7.org/fhir/ValueSet/{rest}")),
            Some(("ext", rest)) => text(&format!("http://hl7.org/fhir/StructureDefinition/{rest}")),
            _ => External::Named(name.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_found_before_any_data_is_seen() {
        for bad in [
            "nosuch()",
            "where()",
            "a.is(NoType)",
            "a as Other.Patient",
            "@2015-13",
            "@T25:00",
            "'a'.matches('(')",
            "'a'.matches('(a{1000}){1000}')",
            "slice('x', 'y')",
        ] {
            assert!(Program::compile(bad).is_err(), "{bad}");
        }
        assert!(Program::compile("resolve() is Patient").is_ok());
    }
}
