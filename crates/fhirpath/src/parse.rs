//! The parser: precedence climbing over the N1 grammar
//! (<http://hl7.org/fhirpath/N1/grammar.html>), bounded in text, nesting, height and size, so that
//! any text gives a tree or a fault and neither parsing, dropping nor evaluating can run out of
//! stack.

use crate::ast::{BinaryOp, Expr, Literal, TypeForm, TypeOp, TypeSpecifier, UnaryOp, Unit, power};
use crate::lex::{Lexer, Token};
use base::Fault;
use base::error::code;

/// Bytes of an expression. The longest of R4 has under 3,000.
pub const TEXT_MAX: usize = 64 << 10;
/// Nesting of parentheses, arguments and signs.
pub const DEPTH_MAX: usize = 64;
/// Height of the tree: a path or chain of operators is as high as it is long.
pub const HEIGHT_MAX: u16 = 200;
/// Nodes of the tree.
pub const NODES_MAX: usize = 10_000;

/// Where parsing stopped, and why.
pub(crate) type Stop = (usize, &'static str);

/// Parses an expression. The fault names the byte offset and never quotes the text.
pub fn parse(text: &str) -> Result<Expr, Fault> {
    parse_bounded(text).map_err(|(at, what)| {
        Fault::new(&code::FHIRPATH_SYNTAX, format!("{what} (at byte {at} of the expression)"))
    })
}

fn parse_bounded(text: &str) -> Result<Expr, Stop> {
    if text.len() > TEXT_MAX {
        return Err((TEXT_MAX, "the expression is too long"));
    }
    let mut lexer = Lexer::new(text);
    let (at, token) = lexer.next()?;
    let mut parser = Parser { lexer, token, at, depth: 0, nodes: 0 };
    let tree = parser.expression(power::LOOSEST)?;
    match parser.token {
        Token::End => Ok(tree.expr),
        _ => Err((parser.at, "an operator or the end is expected")),
    }
}

/// An expression and its height.
struct Tree {
    expr: Expr,
    height: u16,
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    at: usize,
    depth: usize,
    nodes: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, Stop> {
        let (at, next) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(s) if s == sign)
    }

    fn expect(&mut self, sign: &'static str, what: &'static str) -> Result<(), Stop> {
        if !self.is_sign(sign) {
            return Err((self.at, what));
        }
        self.advance().map(drop)
    }

    fn enter(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            Err((self.at, "the expression is nested too deeply"))
        } else {
            Ok(())
        }
    }

    /// Counts a node over children of the given height.
    fn tree(&mut self, expr: Expr, below: u16) -> Result<Tree, Stop> {
        self.nodes += 1;
        let height = below + 1;
        if self.nodes > NODES_MAX || height > HEIGHT_MAX {
            return Err((self.at, "the expression has too many parts"));
        }
        Ok(Tree { expr, height })
    }

    fn expression(&mut self, least: u8) -> Result<Tree, Stop> {
        self.enter()?;
        let mut left = self.prefix()?;
        loop {
            if let Some(op) = self.type_operator() {
                if power::TYPE < least {
                    break;
                }
                self.advance()?;
                let specifier = self.type_specifier()?;
                let of = Some(Box::new(left.expr));
                let expr = Expr::Type { op, form: TypeForm::Operator, of, specifier };
                left = self.tree(expr, left.height)?;
                continue;
            }
            let Some(op) = self.binary_operator().filter(|op| op.power() >= least) else { break };
            self.advance()?;
            let right = self.expression(op.power() + 1)?;
            let height = left.height.max(right.height);
            let (left_expr, right_expr) = (Box::new(left.expr), Box::new(right.expr));
            let expr = Expr::Binary { op, left: left_expr, right: right_expr };
            left = self.tree(expr, height)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn type_operator(&self) -> Option<TypeOp> {
        match &self.token {
            Token::Identifier { name, quoted: false } => match name.as_str() {
                "is" => Some(TypeOp::Is),
                "as" => Some(TypeOp::As),
                _ => None,
            },
            _ => None,
        }
    }

    fn binary_operator(&self) -> Option<BinaryOp> {
        use BinaryOp::*;
        Some(match &self.token {
            Token::Sign(sign) => match *sign {
                "*" => Multiply,
                "/" => Divide,
                "+" => Add,
                "-" => Subtract,
                "&" => Concatenate,
                "|" => Union,
                "<=" => LessOrEqual,
                "<" => Less,
                ">" => Greater,
                ">=" => GreaterOrEqual,
                "=" => Equal,
                "~" => Equivalent,
                "!=" => NotEqual,
                "!~" => NotEquivalent,
                _ => return None,
            },
            Token::Identifier { name, quoted: false } => match name.as_str() {
                "div" => Div,
                "mod" => Mod,
                "in" => In,
                "contains" => Contains,
                "and" => And,
                "or" => Or,
                "xor" => Xor,
                "implies" => Implies,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn prefix(&mut self) -> Result<Tree, Stop> {
        let op = match self.token {
            Token::Sign("-") => UnaryOp::Minus,
            Token::Sign("+") => UnaryOp::Plus,
            _ => return self.postfix(),
        };
        self.enter()?;
        self.advance()?;
        let of = self.prefix()?;
        self.depth -= 1;
        self.tree(Expr::Unary { op, of: Box::new(of.expr) }, of.height)
    }

    fn postfix(&mut self) -> Result<Tree, Stop> {
        let mut left = self.term()?;
        loop {
            if self.is_sign(".") {
                self.advance()?;
                let at = self.at;
                let Token::Identifier { name, .. } = self.advance()? else {
                    return Err((at, "a name is expected after the full stop"));
                };
                let of = Some(Box::new(left.expr));
                left = self.invocation(of, name, left.height)?;
            } else if self.is_sign("[") {
                self.advance()?;
                let index = self.expression(power::LOOSEST)?;
                self.expect("]", "a closing bracket is expected")?;
                let height = left.height.max(index.height);
                let (of, index) = (Box::new(left.expr), Box::new(index.expr));
                left = self.tree(Expr::Item { of, index }, height)?;
            } else {
                return Ok(left);
            }
        }
    }

    /// A member or function whose name was consumed.
    fn invocation(
        &mut self,
        of: Option<Box<Expr>>,
        name: String,
        below: u16,
    ) -> Result<Tree, Stop> {
        if !self.is_sign("(") {
            return self.tree(Expr::Member { of, name }, below);
        }
        self.advance()?;
        let mut args = Vec::new();
        let mut height = below;
        if !self.is_sign(")") {
            loop {
                let arg = self.expression(power::LOOSEST)?;
                height = height.max(arg.height);
                args.push(arg.expr);
                if !self.is_sign(",") {
                    break;
                }
                self.advance()?;
            }
        }
        self.expect(")", "a comma or closing parenthesis is expected")?;
        let op = match name.as_str() {
            "is" => Some(TypeOp::Is),
            "as" => Some(TypeOp::As),
            "ofType" => Some(TypeOp::OfType),
            _ => None,
        };
        if let (Some(op), [arg]) = (op, args.as_slice())
            && let Some(specifier) = specifier_of(arg)
        {
            let expr = Expr::Type { op, form: TypeForm::Function, of, specifier };
            return self.tree(expr, height);
        }
        self.tree(Expr::Function { of, name, args }, height)
    }

    fn term(&mut self) -> Result<Tree, Stop> {
        let at = self.at;
        let expr = match self.advance()? {
            Token::Sign("(") => {
                let inner = self.expression(power::LOOSEST)?;
                self.expect(")", "a closing parenthesis is expected")?;
                return Ok(inner);
            }
            Token::Sign("{") => {
                self.expect("}", "a closing brace is expected")?;
                Expr::Empty
            }
            Token::String(text) => Expr::Literal(Literal::String(text)),
            Token::Integer(text) => self.number(at, text, true)?,
            Token::Decimal(text) => self.number(at, text, false)?,
            Token::Date(text) => Expr::Literal(Literal::Date(text)),
            Token::DateTime(text) => Expr::Literal(Literal::DateTime(text)),
            Token::Time(text) => Expr::Literal(Literal::Time(text)),
            Token::External(name) => Expr::External(name),
            Token::Special("this") => Expr::This,
            Token::Special("index") => Expr::Index,
            Token::Special(_) => Expr::Total,
            Token::Identifier { name, quoted: false } if name == "true" || name == "false" => {
                Expr::Literal(Literal::Boolean(name == "true"))
            }
            Token::Identifier { name, quoted } => {
                const OPERATORS: [&str; 6] = ["and", "or", "xor", "implies", "div", "mod"];
                if !quoted && OPERATORS.contains(&name.as_str()) {
                    return Err((at, "an operand is expected, but an operator stands here"));
                }
                return self.invocation(None, name, 0);
            }
            Token::Sign(_) | Token::End => return Err((at, "an operand is expected")),
        };
        self.tree(expr, 0)
    }

    /// A number, or a quantity when a unit follows.
    fn number(&mut self, at: usize, text: String, integer: bool) -> Result<Expr, Stop> {
        let unit = match &self.token {
            Token::String(code) => Some(Unit::Ucum(code.clone())),
            Token::Identifier { name, quoted: false } if is_calendar_word(name) => {
                Some(Unit::Calendar(name.clone()))
            }
            _ => None,
        };
        if let Some(unit) = unit {
            self.advance()?;
            return Ok(Expr::Literal(Literal::Quantity { value: text, unit }));
        }
        if !integer {
            return Ok(Expr::Literal(Literal::Decimal(text)));
        }
        match text.parse() {
            Ok(value) => Ok(Expr::Literal(Literal::Integer(value))),
            Err(_) => Err((at, "the number is too large")),
        }
    }

    /// `Patient`, `FHIR.Patient`, `` `Patient` ``
    fn type_specifier(&mut self) -> Result<TypeSpecifier, Stop> {
        let mut names = Vec::new();
        loop {
            let at = self.at;
            let Token::Identifier { name, .. } = self.advance()? else {
                return Err((at, "the name of a type is expected"));
            };
            names.push(name);
            if !self.is_sign(".") {
                break;
            }
            if names.len() == 2 {
                return Err((self.at, "the name of a type has at most two parts"));
            }
            self.advance()?;
        }
        let name = names.pop().unwrap_or_default();
        Ok(TypeSpecifier { namespace: names.pop(), name })
    }
}

/// The words of calendar durations.
fn is_calendar_word(word: &str) -> bool {
    const WORDS: [&str; 8] =
        ["year", "month", "week", "day", "hour", "minute", "second", "millisecond"];
    WORDS.contains(&word.strip_suffix('s').unwrap_or(word))
}

/// Reads the argument of `is(…)`, `as(…)` or `ofType(…)` as a type.
fn specifier_of(arg: &Expr) -> Option<TypeSpecifier> {
    let Expr::Member { of, name } = arg else { return None };
    let namespace = match of.as_deref() {
        None => None,
        Some(Expr::Member { of: None, name }) => Some(name.clone()),
        Some(_) => return None,
    };
    Some(TypeSpecifier { namespace, name: name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) {
        assert_eq!(parse(a).unwrap(), parse(b).unwrap(), "{a} should be {b}");
    }

    #[test]
    fn precedence_is_that_of_the_specification() {
        same("1 + 2 * 3", "1 + (2 * 3)");
        same("-1.abs()", "-(1.abs())");
        same("-a + b", "(-a) + b");
        same("a | b = c", "(a | b) = c");
        same("a = b > c", "a = (b > c)");
        same("a in b = c", "a in (b = c)");
        same("a or b and c", "a or (b and c)");
        same("a implies b or c", "a implies (b or c)");
        same("a - b - c", "(a - b) - c");
        same("a is Patient and b", "(a is Patient) and b");
        same("a + b is Quantity", "(a + b) is Quantity");
        same("a | b as Quantity", "a | (b as Quantity)");
        same("a/*x*/.b // y", "a.b");
    }

    #[test]
    fn operator_and_functions_of_types_stay_apart() {
        let form = |text: &str| match parse(text).unwrap() {
            Expr::Type { op, form, specifier, .. } => (op, form, specifier.to_string()),
            other => panic!("{other:?}"),
        };
        assert_eq!(form("a as Quantity"), (TypeOp::As, TypeForm::Operator, "Quantity".into()));
        assert_eq!(form("a.as(Quantity)"), (TypeOp::As, TypeForm::Function, "Quantity".into()));
        assert_eq!(
            form("ofType(FHIR.Age)"),
            (TypeOp::OfType, TypeForm::Function, "FHIR.Age".into())
        );
        assert_eq!(form("a is System.String").2, "System.String");
    }

    #[test]
    fn faults_name_the_offset() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert!(message("a.").contains("at byte 2"), "{}", message("a."));
        assert!(message("a = = b").contains("at byte 4"));
        assert!(message("'abc").contains("at byte 0"));
        for bad in [
            "", "(", "a b", "1 +", "@", "@20", "%", "$that", "{", "a[0", "f(", "f(a,", "'\\x'", "#",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bounds_hold() {
        assert!(parse(&"(".repeat(TEXT_MAX)).is_err());
        assert!(parse(&"-".repeat(TEXT_MAX)).is_err());
        assert!(parse(&"a.".repeat(TEXT_MAX / 2)).is_err());
        assert!(parse(&format!("a{}", " or a".repeat(1000))).is_err());
        assert!(parse(&"f(".repeat(1000)).is_err());
        assert!(parse(&" ".repeat(TEXT_MAX + 1)).is_err());
        assert!(parse(&format!("a{}", " | a".repeat(150))).is_ok());
    }
}
