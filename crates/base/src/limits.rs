//! Every bound of the house in one place, with the reason for its default. A limit that is met is
//! answered with a named error, never with a hang or a truncated answer.

/// The bounds the product works within. Sizes are bytes, times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of a JSON document. FHIR's deepest real resources stay under 20.
    pub json_depth: usize,
    /// Bytes of one JSON document (a resource or a whole bundle).
    pub json_bytes: usize,
    /// Elements of one JSON document: objects, arrays and leaves together.
    pub json_elements: usize,
    /// Bytes of one stored resource.
    pub resource_bytes: usize,
    /// Entries of one batch or transaction bundle.
    pub bundle_entries: usize,
    /// Resources of one search page (`_count` above it is lowered, and the answer's links say so).
    pub page_max: usize,
    /// Resources of one search page when `_count` is not given.
    pub page_default: usize,
    /// Included resources of one search page; above it the answer is refused, not cut.
    pub include_max: usize,
    /// Steps a search may cost before it is refused (index rows touched, about).
    pub search_steps: u64,
    /// Hops of one chained parameter.
    pub chain_hops: usize,
    /// Parameters of one search.
    pub search_parameters: usize,
    /// Comma-separated values of one parameter.
    pub search_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_depth: 64,
            json_bytes: 128 << 20,
            json_elements: 8_000_000,
            resource_bytes: 16 << 20,
            bundle_entries: 20_000,
            page_max: 1000,
            page_default: 20,
            include_max: 5000,
            search_steps: 50_000_000,
            chain_hops: 8,
            search_parameters: 100,
            search_values: 1000,
        }
    }
}
