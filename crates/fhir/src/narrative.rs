//! Narrative XHTML (<https://hl7.org/fhir/R4/narrative.html>): well-formed, inside one `<div>` of the
//! XHTML namespace, made of the elements and attributes that R4 allows (txt-1) and not empty
//! (txt-2). One bounded scan; nothing that could run in a reader's browser passes.

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";
/// Deeper nesting than this is no narrative.
const DEPTH_MAX: usize = 64;

/// HTML 4.0 chapters 7 to 11 (but section 4 of 9) and 15, `a`, images: in byte order.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

/// Attributes that only describe, in byte order. What runs code or loads styles is not here.
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "color",
    "colspan",
    "compact",
    "coords",
    "datetime",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "ismap",
    "lang",
    "longdesc",
    "name",
    "nohref",
    "noshade",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "size",
    "space",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "target",
    "title",
    "type",
    "usemap",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:base",
    "xml:lang",
    "xml:space",
    "xmlns",
];

/// Says what is wrong with a narrative's text.
pub fn check(text: &str) -> Result<(), &'static str> {
    let mut scan =
        Scan { rest: text.trim_ascii(), open: [""; DEPTH_MAX], depth: 0, content: false };
    if !scan.rest.starts_with("<div") {
        return Err("XHTML in one <div>");
    }
    if !scan.tag()? {
        return Err("XHTML whose <div> names the namespace http://www.w3.org/1999/xhtml");
    }
    while scan.depth > 0 {
        scan.step()?;
    }
    if !scan.rest.is_empty() {
        return Err("XHTML in one <div>, with nothing after it");
    }
    // txt-2
    if scan.content { Ok(()) } else { Err("XHTML with some text or an image in it (txt-2)") }
}

struct Scan<'t> {
    rest: &'t str,
    open: [&'t str; DEPTH_MAX],
    depth: usize,
    content: bool,
}

const MALFORMED: &str = "well-formed XHTML";

impl<'t> Scan<'t> {
    /// Takes text up to the next tag, and the tag.
    fn step(&mut self) -> Result<(), &'static str> {
        let (text, _) = self.rest.split_once('<').ok_or(MALFORMED)?;
        self.content |= text.bytes().any(|b| !b.is_ascii_whitespace());
        entities(text)?;
        self.rest = self.rest.get(text.len()..).unwrap_or_default();
        if let Some(comment) = self.rest.strip_prefix("<!--") {
            let (comment, rest) = comment.split_once("-->").ok_or(MALFORMED)?;
            // XML forbids these; an HTML reader would see another end of the comment than we do.
            if comment.contains("--") || comment.starts_with(['>', '-']) || comment.ends_with('-') {
                return Err(MALFORMED);
            }
            self.rest = rest;
            return Ok(());
        }
        match self.rest.strip_prefix("</") {
            Some(closing) => self.close(closing),
            None => self.tag().map(|_| ()),
        }
    }

    fn close(&mut self, closing: &'t str) -> Result<(), &'static str> {
        let (name, rest) = closing.split_once('>').ok_or(MALFORMED)?;
        self.depth = self.depth.checked_sub(1).ok_or(MALFORMED)?;
        if self.open.get(self.depth).copied() != Some(name.trim_ascii_end()) {
            return Err(MALFORMED);
        }
        self.rest = rest;
        Ok(())
    }

    /// A start tag, standing on its `<`; says whether it names the namespace.
    fn tag(&mut self) -> Result<bool, &'static str> {
        let after = self.rest.get(1..).unwrap_or_default();
        let (name, mut rest) = split_name(after);
        if ELEMENTS.binary_search(&name).is_err() {
            return Err("XHTML of the elements that R4 allows in a narrative (txt-1)");
        }
        self.content |= name == "img";
        let mut namespace = false;
        loop {
            let trimmed = rest.trim_ascii_start();
            if let Some(after) = trimmed.strip_prefix("/>") {
                self.rest = after;
                break;
            }
            if let Some(after) = trimmed.strip_prefix('>') {
                *self.open.get_mut(self.depth).ok_or("XHTML nested less deeply")? = name;
                self.depth += 1;
                self.rest = after;
                break;
            }
            // An attribute needs a blank before it.
            if trimmed.len() == rest.len() {
                return Err(MALFORMED);
            }
            let (attribute, after) = split_name(trimmed);
            let after = after.trim_ascii_start().strip_prefix('=').ok_or(MALFORMED)?;
            let after = after.trim_ascii_start();
            let quote =
                after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(MALFORMED)?;
            let (value, after) =
                after.get(1..).and_then(|a| a.split_once(quote)).ok_or(MALFORMED)?;
            check_attribute(name, attribute, value)?;
            namespace |= attribute == "xmlns";
            rest = after;
        }
        Ok(namespace)
    }
}

fn split_name(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_')))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn check_attribute(element: &str, name: &str, value: &str) -> Result<(), &'static str> {
    if ATTRIBUTES.binary_search(&name).is_err() {
        return Err("XHTML with the attributes that R4 allows in a narrative (txt-1)");
    }
    if value.contains('<') {
        return Err(MALFORMED);
    }
    entities(value)?;
    let fits = match name {
        "xmlns" => value == NAMESPACE,
        "href" | "src" | "cite" | "longdesc" | "usemap" | "xml:base" => {
            is_safe_address(value, element == "img")
        }
        "style" => is_safe_style(value),
        _ => true,
    };
    if fits { Ok(()) } else { Err("XHTML without scripts, foreign styles or namespaces (txt-1)") }
}

/// No address that runs: known schemes or none, and the scheme written plainly.
fn is_safe_address(value: &str, image: bool) -> bool {
    let head = value.trim_ascii_start().split(['/', '?', '#']).next().unwrap_or_default();
    if head.contains('&') {
        return false;
    }
    let Some((scheme, _)) = head.split_once(':') else { return true };
    let known = ["http", "https", "mailto", "tel", "urn", "ftp", "cid"];
    known.iter().any(|k| scheme.eq_ignore_ascii_case(k)) || (image && is_image_data(value))
}

/// `data:image/…`, which the specification's own narratives write with a blank.
fn is_image_data(value: &str) -> bool {
    let scheme = value.split_at_checked(5).filter(|(s, _)| s.eq_ignore_ascii_case("data:"));
    scheme.is_some_and(|(_, rest)| rest.trim_ascii_start().starts_with("image/"))
}

/// Style that loads or runs nothing, and hides nothing behind escapes.
fn is_safe_style(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let active = ["expression", "script:", "@import", "behavior:", "binding:", "\\", "/*", "&#"];
    if active.iter().any(|word| lower.contains(word)) {
        return false;
    }
    // Published narratives draw their tables with images of their own or beside them.
    lower.split("url(").skip(1).all(|address| {
        let address = address.trim_start_matches(['"', '\'', ' ']);
        let address = address.strip_prefix("&quot;").unwrap_or(address);
        let head = address.split([')', '/', '?', '#']).next().unwrap_or_default();
        let beside = !head.contains([':', '&']) && !address.starts_with("//");
        beside || is_image_data(address)
    })
}

/// XHTML inside FHIR knows XML's five entities and numbers only.
fn entities(text: &str) -> Result<(), &'static str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('&') {
        let (name, tail) = after.split_once(';').ok_or(MALFORMED)?;
        let numeric = name.strip_prefix('#').is_some_and(|number| {
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
            digits.bytes().all(|b| b.is_ascii_hexdigit())
                && u32::from_str_radix(digits, radix)
                    .ok()
                    .and_then(char::from_u32)
                    .is_some_and(|c| c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
        });
        if !numeric && !matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") {
            return Err("XHTML with no entities but XML's own and numeric ones");
        }
        rest = tail;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn div(inner: &str) -> String {
        format!("<div xmlns=\"{NAMESPACE}\">{inner}</div>")
    }

    #[test]
    fn lists_are_in_order_for_binary_search() {
        assert!(ELEMENTS.is_sorted() && ATTRIBUTES.is_sorted());
    }

    #[test]
    fn takes_narrative() {
        for good in [
            "a",
            "<p>a &amp; b &#160;&#xA0; <br/> c<!-- d --></p >",
            "<img src=\"#pic\" alt='x'/>",
            "<table border=\"1\"><tr><td style=\"color: red\">1 > 0</td></tr></table>",
            "<a href=\"https://a.example/x?y=1&amp;z=2\">l</a><a href=\"Patient/1\">m</a>",
            "<img src=\"data:image/png;base64,AA==\"/>",
            "<img src=\"data: image/png;base64,AA==\"/>",
            "<p style=\"background: white url(row.png) url('data:image/png;base64,AA==')\">a</p>",
        ] {
            assert_eq!(check(&div(good)), Ok(()), "{good}");
        }
    }

    #[test]
    fn refuses_what_runs_or_breaks() {
        for bad in [
            "",
            "  <br/> ",
            "<script>x</script>",
            "<p onclick=\"x\">a</p>",
            "<a href=\"javascript:x\">a</a>",
            "<a href=\"java&#115;cript:x\">a</a>",
            "<a href=\" javascript:x\">a</a>",
            "<img src=\"data:text/html,x\"/>",
            "<p style=\"background: url(http://x)\">a</p>",
            "<p style=\"background: url(//x/y)\">a</p>",
            "<p style=\"background: url(data:text/css,x)\">a</p>",
            "<p style=\"width: expr\\65ssion(x)\">a</p>",
            "<p>a",
            "<p>a</b>",
            "a</div><div>",
            "a &nbsp; b",
            "a & b",
            "a &#0;",
            "a &#+65;",
            "a<!--><script>x</script>-->",
            "a<!-- -- -->",
            "<p a>b</p>",
            "<p id=x>b</p>",
            "<p id=\"x\"class=\"y\">b</p>",
            "<P>b</P>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\">a</svg>",
            "<![CDATA[a]]>",
            "<?php x?>",
            "<!DOCTYPE html>",
            "<iframe src=\"x\">a</iframe>",
        ] {
            assert!(check(&div(bad)).is_err(), "{bad}");
        }
        let namespace = format!("xmlns=\"{NAMESPACE}\"");
        for bad in [
            "<div>a</div>".to_owned(),
            "<div xmlns=\"x\">a</div>".to_owned(),
            format!("<p {namespace}>a</p>"),
            format!("<div {namespace}/>"),
            format!("<div {namespace}>a</div>b"),
            "a".to_owned(),
            div(&"<b>".repeat(100)),
        ] {
            assert!(check(&bad).is_err(), "{bad}");
        }
    }
}
