//! The tree of a `FHIRPath` expression (<http://hl7.org/fhirpath/N1/grammar.html>), plain and public:
//! the evaluator compiles it, and `search` turns search-parameter expressions into extraction
//! programs from it.
//!
//! Parentheses leave no node; `Display` writes them back where precedence needs them, so that
//! `parse(expr.to_string())` gives an equal tree.

/// An expression. A node that has a focus (`of`) and stands first in a path has `of: None`: it then
/// applies to the collection the expression is evaluated on (or to `$this` inside `where(…)`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// `{}`
    Empty,
    /// `true`, `'text'`, `1.5`, `@2015-02-04`, `4 'mg'` …
    Literal(Literal),
    /// `%resource`, ``%`vs-name` ``, `%'name'`: the name without the percent sign.
    External(String),
    /// `$this`
    This,
    /// `$index`
    Index,
    /// `$total`
    Total,
    /// `name` or `of.name`: an element, or, standing first, the name of the focus's type
    /// (`Patient` in `Patient.name`).
    Member {
        /// What it is a member of.
        of: Option<Box<Self>>,
        /// The element's name, without backticks.
        name: String,
    },
    /// `name(args)` or `of.name(args)`. `is(T)`, `as(T)` and `ofType(T)` are [`Expr::Type`].
    Function {
        /// What it is called on.
        of: Option<Box<Self>>,
        /// Its name.
        name: String,
        /// Its arguments, not evaluated yet: `where` evaluates its own for every item.
        args: Vec<Self>,
    },
    /// `of[index]`
    Item {
        /// The collection.
        of: Box<Self>,
        /// Counting from 0.
        index: Box<Self>,
    },
    /// `-of`, `+of`
    Unary {
        /// Which sign.
        op: UnaryOp,
        /// The operand.
        of: Box<Self>,
    },
    /// `left op right`
    Binary {
        /// Which operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Self>,
        /// Right operand.
        right: Box<Self>,
    },
    /// `of is T`, `of as T` (operators), `of.is(T)`, `of.as(T)`, `of.ofType(T)` (functions).
    Type {
        /// Which test or cast.
        op: TypeOp,
        /// How it was written. Only a function may stand without `of`.
        form: TypeForm,
        /// What is tested.
        of: Option<Box<Self>>,
        /// The type.
        specifier: TypeSpecifier,
    },
}

/// A literal. Numbers and dates keep their text: their precision is part of their meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `true`, `false`
    Boolean(bool),
    /// The text, unescaped.
    String(String),
    /// `42`
    Integer(i64),
    /// The digits of `4.50`
    Decimal(String),
    /// `2015`, `2015-02`, `2015-02-04`: the text behind the `@`.
    Date(String),
    /// `2015-02-04T14:34:28Z`, `2015T`: the text behind the `@`.
    DateTime(String),
    /// `14:34:28`: the text behind the `@T`.
    Time(String),
    /// `4.5 'mg'`, `4 days`
    Quantity {
        /// The digits.
        value: String,
        /// The unit.
        unit: Unit,
    },
}

/// The unit of a quantity literal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A UCUM code in quotes.
    Ucum(String),
    /// A calendar word, kept as written: `day`, `days`.
    Calendar(String),
}

/// `+` or `-` before an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// Operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is what its name says; `as_str` gives its sign")]
pub enum BinaryOp {
    Multiply,
    Divide,
    Div,
    Mod,
    Add,
    Subtract,
    Concatenate,
    Union,
    LessOrEqual,
    Less,
    Greater,
    GreaterOrEqual,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl BinaryOp {
    /// How it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Div => "div",
            Self::Mod => "mod",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => "&",
            Self::Union => "|",
            Self::LessOrEqual => "<=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::Equivalent => "~",
            Self::NotEqual => "!=",
            Self::NotEquivalent => "!~",
            Self::In => "in",
            Self::Contains => "contains",
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::Implies => "implies",
        }
    }

    /// How tightly it binds; all are left-associative.
    pub const fn power(self) -> u8 {
        match self {
            Self::Implies => power::IMPLIES,
            Self::Or | Self::Xor => power::OR,
            Self::And => power::AND,
            Self::In | Self::Contains => power::MEMBERSHIP,
            Self::Equal | Self::Equivalent | Self::NotEqual | Self::NotEquivalent => {
                power::EQUALITY
            }
            Self::LessOrEqual | Self::Less | Self::Greater | Self::GreaterOrEqual => {
                power::INEQUALITY
            }
            Self::Union => power::UNION,
            Self::Add | Self::Subtract | Self::Concatenate => power::ADDITIVE,
            Self::Multiply | Self::Divide | Self::Div | Self::Mod => power::MULTIPLICATIVE,
        }
    }
}

/// Binding powers, loosest first (<http://hl7.org/fhirpath/N1/index.html#operator-precedence>).
pub mod power {
    /// Anything.
    pub const LOOSEST: u8 = 0;
    /// `implies`
    pub const IMPLIES: u8 = 1;
    /// `or`, `xor`
    pub const OR: u8 = 2;
    /// `and`
    pub const AND: u8 = 3;
    /// `in`, `contains`
    pub const MEMBERSHIP: u8 = 4;
    /// `=`, `~`, `!=`, `!~`
    pub const EQUALITY: u8 = 5;
    /// `<`, `<=`, `>`, `>=`
    pub const INEQUALITY: u8 = 6;
    /// `|`
    pub const UNION: u8 = 7;
    /// `is`, `as`
    pub const TYPE: u8 = 8;
    /// `+`, `-`, `&`
    pub const ADDITIVE: u8 = 9;
    /// `*`, `/`, `div`, `mod`
    pub const MULTIPLICATIVE: u8 = 10;
    /// A sign.
    pub const UNARY: u8 = 11;
    /// `.name`, `[0]`, literals, parentheses.
    pub const POSTFIX: u8 = 12;
}

/// What is done with a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeOp {
    /// Is the item of the type?
    Is,
    /// The item if it is of the type.
    As,
    /// All items that are of the type.
    OfType,
}

impl TypeOp {
    /// The name of its function.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::As => "as",
            Self::OfType => "ofType",
        }
    }
}

/// How a type test was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeForm {
    /// `X as T`
    Operator,
    /// `X.as(T)`
    Function,
}

/// The name of a type: `Patient`, `FHIR.Patient`, `System.String`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeSpecifier {
    /// `FHIR` or `System` when written.
    pub namespace: Option<String>,
    /// The name within the namespace.
    pub name: String,
}

impl Expr {
    /// What this node applies to, when it is a step of a path.
    pub fn focus(&self) -> Option<&Self> {
        match self {
            Self::Member { of, .. } | Self::Function { of, .. } | Self::Type { of, .. } => {
                of.as_deref()
            }
            Self::Item { of, .. } | Self::Unary { of, .. } => Some(of),
            Self::Empty
            | Self::Literal(_)
            | Self::External(_)
            | Self::This
            | Self::Index
            | Self::Total
            | Self::Binary { .. } => None,
        }
    }

    /// The operands of a chain of `|`, left to right; the expression itself when it is none.
    pub fn union_parts(&self) -> Vec<&Self> {
        let mut parts = Vec::new();
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            if let Self::Binary { op: BinaryOp::Union, left, right } = expr {
                open.push(right);
                open.push(left);
            } else {
                parts.push(expr);
            }
        }
        parts
    }

    /// How tightly its outermost operator binds.
    pub const fn power(&self) -> u8 {
        match self {
            Self::Binary { op, .. } => op.power(),
            Self::Type { form: TypeForm::Operator, .. } => power::TYPE,
            Self::Unary { .. } => power::UNARY,
            Self::Empty
            | Self::Literal(_)
            | Self::External(_)
            | Self::This
            | Self::Index
            | Self::Total
            | Self::Member { .. }
            | Self::Function { .. }
            | Self::Item { .. }
            | Self::Type { form: TypeForm::Function, .. } => power::POSTFIX,
        }
    }
}
