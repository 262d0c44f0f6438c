//! One word for one thing: the words GLOSSARY.md refuses as identifiers, read from its own table.

use anyhow::bail;

const HEADING: &str = "## Refused as identifiers";

/// The refused words, each with the one to say instead.
#[derive(Debug)]
pub(super) struct Refused(Vec<(String, String)>);

impl Refused {
    /// Reads the rows `` | `word` | say | … `` under the heading.
    pub(super) fn parse(glossary: &str) -> anyhow::Result<Self> {
        let section = glossary.lines().skip_while(|line| *line != HEADING).skip(1);
        let section = section.take_while(|line| !line.starts_with('#'));
        let words: Vec<_> = section.filter_map(row).collect();
        if words.is_empty() {
            bail!("GLOSSARY.md has no table under `{HEADING}`");
        }
        Ok(Self(words))
    }

    /// The refused word an identifier holds, and what to say.
    pub(super) fn find(&self, identifier: &str) -> Option<(&str, &str)> {
        let parts = parts(identifier);
        self.0
            .iter()
            .find(|(word, _)| parts.iter().any(|part| part == word))
            .map(|(word, say)| (word.as_str(), say.as_str()))
    }
}

fn row(line: &str) -> Option<(String, String)> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
    let word = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    Some((word.to_owned(), cells.next()?.to_owned()))
}

/// The words of `snake_case`, `CamelCase` and `SCREAMING` names, in lower case.
fn parts(identifier: &str) -> Vec<String> {
    let (mut out, mut word, mut was_lower) = (Vec::new(), String::new(), false);
    for c in identifier.chars() {
        if (c == '_' || (c.is_uppercase() && was_lower)) && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if c != '_' {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOSSARY: &str = "# Glossary\n| `say` | x |\n## Refused as identifiers\n\n| word | say |\n|---|---|\n| `customer` | patient |\n## After\n| `after` | x |\n";

    #[test]
    fn finds_a_word_in_every_case() {
        let refused = Refused::parse(GLOSSARY).expect("a table");
        for bad in ["customer", "CustomerId", "get_customer", "CUSTOMER_MAX", "theCustomer2"] {
            assert_eq!(refused.find(bad).is_some(), bad != "theCustomer2", "{bad}");
        }
        for good in ["patient", "customers_of", "say", "after"] {
            assert_eq!(refused.find(good), None, "{good}");
        }
    }

    #[test]
    fn a_glossary_without_the_table_is_an_error() {
        assert!(Refused::parse("# Glossary\n").is_err());
    }
}
