//! What an event was, in words: the kinds of the access log (crate `audit`) as people say them.

use crate::words::{self, Word};
use record::Kind;

/// The words for a kind.
pub(super) const fn kind_word(kind: Kind) -> Word {
    match kind {
        Kind::Read | Kind::Vread => words::LOGS_K_READ,
        Kind::Search => words::LOGS_K_SEARCH,
        Kind::History => words::LOGS_K_HISTORY,
        Kind::Create => words::LOGS_K_CREATE,
        Kind::Update | Kind::Patch => words::LOGS_K_UPDATE,
        Kind::Delete => words::LOGS_K_DELETE,
        Kind::Transaction | Kind::Batch => words::LOGS_K_BUNDLE,
        Kind::Operation => words::LOGS_K_OPERATION,
        Kind::Metadata | Kind::Page => words::LOGS_K_PAGE,
        Kind::Import => words::LOGS_K_IMPORT,
        Kind::Export => words::LOGS_K_EXPORT,
        Kind::Backup | Kind::Restore => words::LOGS_K_BACKUP,
        Kind::Start | Kind::Stop => words::LOGS_K_START,
        Kind::Review => words::LOGS_K_REVIEW,
        Kind::Refused => words::LOGS_K_REFUSED,
        Kind::UserCreate | Kind::Claimed => words::LOGS_K_USER_CREATE,
        Kind::UserChange => words::LOGS_K_USER_CHANGE,
        Kind::UserDisable => words::LOGS_K_USER_DISABLE,
        Kind::UserEnable => words::LOGS_K_USER_ENABLE,
        Kind::PasswordSet => words::LOGS_K_PASSWORD,
        Kind::PasswordBreached => words::LOGS_K_BREACHED,
        Kind::SignIn | Kind::SignInConfined => words::LOGS_K_SIGN_IN,
        Kind::SignOut => words::LOGS_K_SIGN_OUT,
        Kind::SignInFailed => words::LOGS_K_SIGN_IN_FAILED,
        Kind::StepUp => words::LOGS_K_STEP_UP,
        Kind::FactorAdded | Kind::FactorRenamed | Kind::FactorRemoved | Kind::RecoveryCodes => {
            words::LOGS_K_FACTOR
        }
        Kind::FactorsReset => words::LOGS_K_FACTORS_RESET,
        Kind::TokenIssued => words::LOGS_K_TOKEN,
        Kind::SessionRevoked => words::LOGS_K_ENDED,
        Kind::ClaimDrawn => words::LOGS_K_CLAIM,
        Kind::BreakGlass => words::LOGS_K_GLASS,
        Kind::PolicyChange => words::LOGS_K_POLICY,
        Kind::PolicyAsked => words::LOGS_K_ASKED,
        Kind::LabelRules | Kind::Relabelled => words::LOGS_K_LABELS,
        Kind::CaseOpened | Kind::CaseChanged => words::LOGS_K_CASE,
        Kind::CaseRead => words::LOGS_K_CASE_READ,
        Kind::ChartOpened => words::LOGS_K_CHART,
        Kind::DraftKept | Kind::DraftRead | Kind::DraftDropped => words::LOGS_K_DRAFT,
        Kind::Delegated | Kind::DelegationEnded => words::LOGS_K_AGENT,
        Kind::Linked | Kind::Unlinked | Kind::RolesMapped => words::LOGS_K_ISSUER,
        Kind::PeopleRead => words::LOGS_K_PEOPLE,
        Kind::AccessReviewed => words::LOGS_K_ROLE,
        Kind::Followed => words::LOGS_K_FOLLOWED,
        Kind::Overbooked => words::LOGS_K_OVERBOOKED,
        Kind::HouseChecked => words::LOGS_K_HOUSE,
        Kind::PatientsMerged => words::LOGS_K_MERGED,
        Kind::DuplicateDecided => words::LOGS_K_DUPLICATE,
        Kind::Reminder | Kind::Reminders => words::LOGS_K_REMINDER,
        Kind::RootKeyMoved | Kind::RootKeyRewrapped => words::LOGS_K_ROOT_KEY,
    }
}
