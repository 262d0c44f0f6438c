//! `FHIRPath` (<http://hl7.org/fhirpath/N1/>) over FHIR R4 (<https://hl7.org/fhir/R4/fhirpath.html>): parser, public
//! syntax tree and typed evaluator. No file, clock or network: the present instant and the resolver
//! of references come in with the context.

pub mod ast;
mod lex;
pub mod parse;
mod print;

pub use ast::Expr;
pub use parse::parse;
