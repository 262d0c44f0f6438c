//! Writes an expression as text that parses back to an equal tree
//! (<http://hl7.org/fhirpath/N1/grammar.html>).

use crate::ast::{Expr, Literal, TypeForm, TypeSpecifier, UnaryOp, Unit, power};
use std::fmt::{Display, Formatter, Result, Write};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Empty => f.write_str("{}"),
            Self::Literal(literal) => literal.fmt(f),
            Self::External(name) => {
                f.write_char('%')?;
                identifier(f, name)
            }
            Self::This => f.write_str("$this"),
            Self::Index => f.write_str("$index"),
            Self::Total => f.write_str("$total"),
            Self::Member { of, name } => {
                focus(f, of.as_deref())?;
                identifier(f, name)
            }
            Self::Function { of, name, args } => {
                focus(f, of.as_deref())?;
                identifier(f, name)?;
                f.write_char('(')?;
                for (i, arg) in args.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    arg.fmt(f)?;
                }
                f.write_char(')')
            }
            Self::Item { of, index } => {
                operand(f, of, power::POSTFIX)?;
                write!(f, "[{index}]")
            }
            Self::Unary { op, of } => {
                f.write_char(if *op == UnaryOp::Minus { '-' } else { '+' })?;
                operand(f, of, power::UNARY)
            }
            Self::Binary { op, left, right } => {
                operand(f, left, op.power())?;
                write!(f, " {} ", op.as_str())?;
                operand(f, right, op.power() + 1)
            }
            Self::Type { op, form: TypeForm::Operator, of, specifier } => {
                if let Some(of) = of {
                    operand(f, of, power::TYPE)?;
                }
                write!(f, " {} {specifier}", op.as_str())
            }
            Self::Type { op, form: TypeForm::Function, of, specifier } => {
                focus(f, of.as_deref())?;
                write!(f, "{}({specifier})", op.as_str())
            }
        }
    }
}

impl Display for TypeSpecifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(namespace) = &self.namespace {
            identifier(f, namespace)?;
            f.write_char('.')?;
        }
        identifier(f, &self.name)
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::String(text) => quoted(f, text, '\''),
            Self::Integer(value) => value.fmt(f),
            Self::Decimal(text) => f.write_str(text),
            Self::Date(text) | Self::DateTime(text) => write!(f, "@{text}"),
            Self::Time(text) => write!(f, "@T{text}"),
            Self::Quantity { value, unit: Unit::Calendar(word) } => write!(f, "{value} {word}"),
            Self::Quantity { value, unit: Unit::Ucum(code) } => {
                write!(f, "{value} ")?;
                quoted(f, code, '\'')
            }
        }
    }
}

fn focus(f: &mut Formatter<'_>, of: Option<&Expr>) -> Result {
    let Some(of) = of else { return Ok(()) };
    operand(f, of, power::POSTFIX)?;
    f.write_char('.')
}

fn operand(f: &mut Formatter<'_>, expr: &Expr, least: u8) -> Result {
    if expr.power() < least { write!(f, "({expr})") } else { expr.fmt(f) }
}

/// Backticks go around whatever the grammar would not read as a plain identifier.
fn identifier(f: &mut Formatter<'_>, name: &str) -> Result {
    const RESERVED: [&str; 8] = ["true", "false", "and", "or", "xor", "implies", "div", "mod"];
    let mut chars = name.chars();
    let plain = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name);
    if plain { f.write_str(name) } else { quoted(f, name, '`') }
}

fn quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> Result {
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{c}' => f.write_str("\\f")?,
            '\\' => f.write_str("\\\\")?,
            c if c == quote => write!(f, "\\{c}")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}
