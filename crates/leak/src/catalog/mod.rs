//! The families of probes, by number. A number is never given anew: reports of different years name
//! the same thing. `attack` is the number in the guard's attack list (docs/internals/leak.md).

mod direct;
mod page;
pub mod query;
mod tell;
mod write;

use crate::asker::Asker;
use crate::template::expand;
use crate::world::{Phase, World};

/// How a family asks.
#[derive(Debug, Clone, Copy)]
pub enum Ask {
    /// A GET for everything its patterns become.
    Queries(&'static [&'static str]),
    /// By a function.
    Code(fn(&World, &mut Asker<'_>) -> anyhow::Result<()>),
}

/// One family.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its number, for ever.
    pub number: u16,
    /// Its name.
    pub key: &'static str,
    /// Its numbers in the attack list.
    pub attack: &'static str,
    /// What it tries, in a sentence without a full stop.
    pub about: &'static str,
    /// Whether it writes.
    pub phase: Phase,
    /// Whether its answers may hold the access log, where the bench itself leaves traces.
    pub trail: bool,
    /// How it asks.
    pub ask: Ask,
}

impl Family {
    /// Asks.
    pub fn run(&self, world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
        match self.ask {
            Code(code) => code(world, asker),
            Queries(patterns) => {
                for pattern in patterns {
                    for question in expand(pattern, world, asker.effort.queries, &asker.since) {
                        asker.get(&question)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// The family of this name or number.
    pub fn named(key: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.key == key || family.number.to_string() == key)
    }
}

macro_rules! families {
    ($($number:literal $key:literal $attack:literal $about:literal $phase:ident $trail:literal $ask:expr;)*) => {
        /// Every family.
        pub const FAMILIES: &[Family] = &[$(Family {
            number: $number, key: $key, attack: $attack, about: $about,
            phase: Phase::$phase, trail: $trail, ask: $ask,
        },)*];
    };
}

use Ask::{Code, Queries};

families! {
    1 "read" "1" "read a hidden record by its id" Reads false Code(direct::read);
    2 "vread" "1, 7" "read a version of a hidden record" Reads false Code(direct::vread);
    3 "history-instance" "7" "the history of a hidden record" Reads false Code(direct::history);
    4 "everything" "1" "$everything of hidden and of own" Reads false Code(direct::everything);
    5 "compartment" "1, 4" "searches in the compartments of hidden and of own" Reads false Code(direct::compartment);
    6 "address" "40" "case, encoding, dots and slashes in an address" Reads false Code(direct::address);
    7 "head" "8" "HEAD in place of GET" Reads false Code(direct::head);
    8 "options" "8" "OPTIONS of a hidden record" Reads false Code(direct::options);
    9 "conditional-read" "11" "If-None-Match and If-Modified-Since on a hidden record" Reads false Code(direct::conditional);
    10 "not-found" "8" "a hidden record and an id nobody had answer alike" Reads false Code(direct::not_found);
    11 "binary" "18" "the bytes of a hidden Binary" Reads false Code(direct::binary);
    12 "search-id" "1" "a search by id" Reads false Queries(query::SEARCH_ID);
    13 "search-identifier" "1, 9" "a search by identifier" Reads false Queries(query::SEARCH_IDENTIFIER);
    14 "search-reference" "1" "a search by what a hidden record points at" Reads false Queries(query::SEARCH_REFERENCE);
    15 "search-value" "1" "a search by a hidden value" Reads false Queries(query::SEARCH_VALUE);
    16 "has-quantity" "2" "a quantity halved by _has" Reads false Queries(query::HAS_QUANTITY);
    17 "has-date" "2" "a date halved by _has" Reads false Queries(query::HAS_DATE);
    18 "has-code" "2" "a code asked for by _has" Reads false Queries(query::HAS_CODE);
    19 "has-string" "2" "a name spelled out by _has" Reads false Queries(query::HAS_STRING);
    20 "has-nested" "2, 3" "_has within _has and within a chain" Reads false Queries(query::HAS_NESTED);
    21 "chain" "3" "a chain of one hop to a hidden record" Reads false Queries(query::CHAIN);
    22 "chain-far" "3" "a chain of two hops" Reads false Queries(query::CHAIN_FAR);
    23 "include" "4" "_include of a hidden record" Reads false Queries(query::INCLUDE);
    24 "include-iterate" "4" "_include:iterate" Reads false Queries(query::INCLUDE_ITERATE);
    25 "include-wildcard" "4" "_include and _revinclude of everything" Reads false Queries(query::INCLUDE_WILDCARD);
    26 "revinclude" "4" "_revinclude of hidden records" Reads false Queries(query::REVINCLUDE);
    27 "revinclude-iterate" "4" "_revinclude:iterate" Reads false Queries(query::REVINCLUDE_ITERATE);
    28 "total" "5" "the total of a search" Reads false Queries(query::TOTAL);
    29 "count" "5" "_summary=count" Reads false Queries(query::COUNT);
    30 "paging" "5" "how many pages, and how full" Reads false Code(tell::paging);
    31 "page-size" "5" "_count of nothing, one, and very many" Reads false Queries(query::PAGE_SIZE);
    32 "sort" "6" "the order by a hidden key" Reads false Queries(query::SORT);
    33 "sort-chained" "6" "the order by a key behind a reference" Reads false Queries(query::SORT_CHAINED);
    34 "history-type" "7" "the history of a type" Reads false Queries(query::HISTORY_TYPE);
    35 "history-system" "7" "the history of everything" Reads true Queries(query::HISTORY_SYSTEM);
    36 "history-since" "7, 11" "_since and _at" Reads false Queries(query::HISTORY_SINCE);
    37 "missing" "16" "the modifier :missing" Reads false Queries(query::MISSING);
    38 "not" "16" "the modifier :not" Reads false Queries(query::NOT);
    39 "above-below" "16" "the modifiers :above and :below" Reads false Queries(query::ABOVE_BELOW);
    40 "composite" "16" "composite parameters" Reads false Queries(query::COMPOSITE);
    41 "string-modifier" "16" "the modifiers :exact, :contains and :text" Reads false Queries(query::STRING_MODIFIER);
    42 "identifier-modifier" "16" "the modifiers :of-type and :identifier" Reads false Queries(query::IDENTIFIER_MODIFIER);
    43 "text" "16" "_text" Reads false Queries(query::TEXT);
    44 "content" "16" "_content" Reads false Queries(query::CONTENT);
    45 "filter" "16" "_filter" Reads false Queries(query::FILTER);
    46 "named-query" "16" "_query" Reads false Queries(query::NAMED_QUERY);
    47 "list" "16" "_list" Reads false Queries(query::LIST);
    48 "label" "23" "_security" Reads false Queries(query::LABEL);
    49 "tag" "16" "_tag, _profile and _source" Reads false Queries(query::TAG);
    50 "last-updated" "11" "_lastUpdated" Reads false Queries(query::LAST_UPDATED);
    51 "elements" "16" "_elements and _summary" Reads false Queries(query::ELEMENTS);
    52 "duplicate" "40" "a parameter given twice" Reads false Queries(query::DUPLICATE);
    53 "lenient" "40" "Prefer: handling=lenient" Reads false Code(tell::lenient);
    54 "several-types" "1" "a search of several types" Reads false Queries(query::SEVERAL_TYPES);
    55 "post-search" "1" "searches by POST" Reads false Code(tell::post_search);
    56 "contained" "17" "_contained" Reads false Queries(query::CONTAINED);
    57 "carrier" "17" "lists, documents and their like that point at hidden records" Reads false Queries(query::CARRIER);
    58 "search-validator" "11" "ETag and Last-Modified of a search" Reads false Code(tell::search_validator);
    59 "encoding" "11" "packed answers and their size" Reads false Code(tell::encoding);
    60 "error-text" "8" "what a refusal says" Reads false Code(tell::error_text);
    61 "capability" "8" "what the server says it can" Reads false Queries(query::CAPABILITY);
    62 "header" "21" "headers that name a tenant, a user, another path" Reads false Code(tell::header);
    63 "cursor-taken" "11, 22" "a page link of somebody who sees more" Reads false Code(tell::cursor_taken);
    64 "cursor-bent" "11" "a page link that was changed" Reads false Code(tell::cursor_bent);
    65 "token" "26, 29" "no token, and wrong ones" Reads false Code(tell::token);
    66 "batch" "12" "every read as the entry of a batch" Reads false Code(tell::batch);
    67 "transaction" "12" "reads as entries of a transaction" Reads false Code(tell::transaction);
    68 "operation" "20" "operations that look across records" Reads false Code(tell::operation);
    69 "graphql" "14" "GraphQL" Reads false Code(tell::graphql);
    70 "export" "13" "bulk export" Reads false Code(tell::export);
    71 "access-log" "20" "who looked at hidden records" Reads true Queries(query::ACCESS_LOG);
    72 "if-none-exist" "9" "a conditional create that a hidden record would answer" Writes false Code(write::if_none_exist);
    73 "same-identifier" "9" "a create with a hidden record's identifier" Writes false Code(write::same_identifier);
    74 "client-id" "9" "a create under a hidden record's id" Writes false Code(write::client_id);
    75 "conditional-update" "12" "a conditional update that a hidden record would match" Writes false Code(write::conditional_update);
    76 "conditional-delete" "12" "a conditional delete that a hidden record would match" Writes false Code(write::conditional_delete);
    77 "conditional-reference" "10, 12" "a conditional reference to a hidden record" Writes false Code(write::conditional_reference);
    78 "reference" "10" "a reference to a hidden record" Writes false Code(write::reference);
    79 "delete-conflict" "10" "a delete of what a hidden record points at" Writes false Code(write::delete_conflict);
    80 "update" "1, 11" "an update of a hidden record, with and without If-Match" Writes false Code(write::update);
    81 "delete" "1, 10" "a delete of a hidden record" Writes false Code(write::delete);
    82 "patch" "19" "the test operation of a patch" Writes false Code(write::patch);
    83 "label-strip" "23" "an update that takes the label off" Writes false Code(write::label_strip);
    84 "batch-write" "12" "writes as entries of a batch" Writes false Code(write::batch);
    85 "transaction-write" "12" "writes as entries of a transaction" Writes false Code(write::transaction);
    86 "sequence" "11" "ids and versions that count hidden writes" Writes false Code(write::sequence);
    87 "element" "16" "elements a role may not see, returned, searched and sorted by" Writes false Code(write::element);
    88 "subscription" "15" "a subscription to hidden records" Writes false Code(write::subscription);
    89 "page" "1, 8" "pages for people, of hidden records and of own" Reads false Code(page::read);
    90 "page-find" "1, 5" "finding people on a page by what hidden records say" Reads false Code(page::find);
    91 "page-absent" "8" "pages of a hidden record and of an id nobody had are alike" Reads false Code(page::absent);
    92 "page-arrival" "1, 8" "a link drawn, and what was entered decided, for a patient and a visit that do not belong together" Writes false Code(page::arrival);
    93 "page-form" "8" "forms that name a hidden record, and an id nobody had, are answered alike" Writes false Code(page::form);
    94 "page-register" "1, 5" "somebody new who looks like a hidden record" Reads false Code(page::register);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_names_are_their_own() {
        for (n, family) in (1..).zip(FAMILIES) {
            assert_eq!(family.number, n, "{}", family.key);
            assert!(FAMILIES.iter().filter(|other| other.key == family.key).count() == 1);
            assert!(!family.about.ends_with('.'), "{}", family.key);
        }
        assert!(FAMILIES.len() >= 40);
        assert!(Family::named("86").is_some_and(|family| family.key == "sequence"));
    }
}
