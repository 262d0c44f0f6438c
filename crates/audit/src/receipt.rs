//! The receipt of a decision, as an event carries it: which policies decided, for what purpose, on whose
//! behalf, through which session and app, and whether the glass was broken (45 CFR 164.312(b);
//! 164.308(a)(1)(ii)(D), review of activity). Names and codes, never a value of a record.

/// On what grounds access was permitted or denied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The ids of the policies that decided, permits and forbids.
    pub policies: Vec<String>,
    /// The epoch of the policies they stood in; 0 when there was none.
    pub epoch: u64,
    /// For what purpose, a code of v3-PurposeOfUse such as `TREAT`
    /// (<https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html>).
    pub purpose: Option<String>,
    /// On whose behalf an agent or service acted: the principal's id.
    pub on_behalf_of: Option<String>,
    /// The session, by its id; never its token.
    pub session: Option<String>,
    /// The app or service through which.
    pub client: Option<String>,
    /// Access in an emergency, with the code of its reason.
    pub break_glass: Option<String>,
}

impl Receipt {
    /// Whether it says anything; one that does not is not kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
