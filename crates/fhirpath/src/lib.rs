//! `FHIRPath` (<http://hl7.org/fhirpath/N1/>) over FHIR R4 (<https://hl7.org/fhir/R4/fhirpath.html>): parser, public
//! syntax tree and typed evaluator. No file, clock or network: the present instant and the resolver
//! of references come in with the context.
//!
//! `Program::compile(text)` once, [`Program::evaluate`] many times; `parse(text)` for the tree alone.
//! docs/internals/fhirpath.md tells how it is built and where it departs from HL7's tests.

pub mod ast;
mod call;
mod check;
mod compare;
mod convert;
mod decimal;
mod encoding;
mod evaluate;
mod fhir_function;
mod function;
mod item;
mod lex;
mod math;
mod navigate;
mod operator;
pub mod parse;
mod print;
mod program;
mod quantity;
mod set;
mod temporal;
mod text;
mod types;
pub mod units;

pub use ast::Expr;
pub use decimal::Decimal;
pub use evaluate::{Context, EvaluateLimits, Resolver, Terminology};
pub use item::{Collection, Item, Node, TypeName};
pub use parse::parse;
pub use program::Program;
pub use quantity::{Calendar, Quantity, QuantityUnit};
pub use temporal::{Precision, Temporal, TemporalKind};
