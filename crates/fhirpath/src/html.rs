//! `htmlChecks()` (<https://hl7.org/fhir/R4/narrative.html#xhtml>): whether a narrative is well-formed XHTML of
//! the elements and attributes FHIR allows, so no script, form, frame or outside style.

/// Elements of chapters 7 to 11 and 15 of HTML 4.0, `a` and `img`.
const ELEMENTS: [&str; 61] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
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
    "area",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
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
    "u",
    "ul",
    "var",
    "bdo",
    "center",
    "font",
    "legend",
];

const ATTRIBUTES: [&str; 51] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
    "xmlns",
    "xml:lang",
];

/// Nesting of elements.
const DEPTH_MAX: usize = 256;

/// Whether the text is one `div` of allowed XHTML that says something.
pub(crate) fn is_allowed(text: &str) -> bool {
    check(text).is_some()
}

fn check(text: &str) -> Option<()> {
    let mut rest = text.trim();
    let mut open: Vec<&str> = Vec::new();
    let mut content = false;
    let mut begun = false;
    while !rest.is_empty() {
        if begun && open.is_empty() {
            return None;
        }
        if let Some(after) = rest.strip_prefix("<!--") {
            let end = after.find("-->")?;
            rest = after.get(end + 3..)?.trim_start();
        } else if let Some(after) = rest.strip_prefix("</") {
            let end = after.find('>')?;
            if open.pop()? != after.get(..end)?.trim_end() {
                return None;
            }
            rest = after.get(end + 1..)?;
        } else if let Some(after) = rest.strip_prefix('<') {
            let (name, empty, after) = tag(after)?;
            if !begun && name != "div" {
                return None;
            }
            begun = true;
            content |= name == "img";
            if !empty {
                open.push(name);
                if open.len() > DEPTH_MAX {
                    return None;
                }
            }
            rest = after;
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            let words = rest.get(..end)?;
            if !begun || !entities_end(words) {
                return None;
            }
            content |= !words.trim().is_empty();
            rest = rest.get(end..)?;
        }
    }
    (begun && open.is_empty() && content).then_some(())
}

/// An opening tag behind its `<`: its name, whether it closes itself, and what follows.
fn tag(text: &str) -> Option<(&str, bool, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric())?;
    let name = text.get(..end).filter(|name| ELEMENTS.contains(name))?;
    let mut rest = text.get(end..)?;
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix("/>") {
            return Some((name, true, after));
        }
        if let Some(after) = trimmed.strip_prefix('>') {
            return Some((name, false, after));
        }
        if trimmed.len() == rest.len() {
            return None;
        }
        let (attribute, after) = trimmed.split_once('=')?;
        if !ATTRIBUTES.contains(&attribute.trim_end()) {
            return None;
        }
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after.get(1..)?.split_once(quote)?;
        if value.contains('<') || !entities_end(value) || is_script(attribute, value) {
            return None;
        }
        rest = after;
    }
}

fn is_script(attribute: &str, value: &str) -> bool {
    let scheme: String =
        value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(11).collect();
    matches!(attribute.trim_end(), "href" | "src") && scheme.eq_ignore_ascii_case("javascript:")
}

/// Every `&` begins an entity that a semicolon ends.
fn entities_end(text: &str) -> bool {
    text.split('&').skip(1).all(|entity| {
        entity.find(';').is_some_and(|end| {
            let name = entity.get(..end).unwrap_or_default();
            let name = name.strip_prefix('#').unwrap_or(name);
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_what_the_specification_allows() {
        for good in [
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">Ada &amp; &#233;<br/><b class='x'>1</b></div>",
            "<div><img src=\"a.png\" alt=\"A\"/></div>",
            "<div><!-- x --><p>y</p></div>",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "text",
            "<p>x</p>",
            "<div/>",
            "<div> </div>",
            "<div>x",
            "<div>x</div>y",
            "<div><script>x</script></div>",
            "<div onclick=\"x\">y</div>",
            "<div><b>x</div></b>",
            "<div><a href=\"java script:x\">y</a></div>",
            "<div>a & b</div>",
            "<div class=x>y</div>",
            "<div><iframe src='x'/></div>",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
