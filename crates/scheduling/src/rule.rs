//! [`Rule`]: what can speak against a booking, with a code that logs and screens keep, and [`Policy`]:
//! what a site says of each rule, as far as a site may.

use std::collections::BTreeMap;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A need of the visit has nobody, or one resource is given twice.
    ResourceMissing,
    /// A resource is none of the visit type's candidates.
    ResourceUnfit,
    /// A resource has other time in the way.
    ResourceOverlap,
    /// A clinician is booked over as often in this hour as the site allows.
    OverbookCap,
    /// Only buffers meet.
    Buffer,
    /// The patient is elsewhere then.
    PatientDoubleBooked,
    /// It lies in the past.
    InPast,
    /// It is nearer than the visit type's lead time.
    LeadTime,
    /// The primary resource has as many visits of the type on that day as it may.
    DailyCap,
    /// The patient is too young or too old for the visit type.
    AgeLimit,
    /// The visit type is for another sex.
    SexLimit,
    /// The visit type wants a referral.
    ReferralRequired,
    /// Somebody is not there at that time.
    OutsideHours,
    /// Somebody is away, or the site keeps a holiday.
    Blocked,
    /// The visit type is not booked any more.
    TypeRetired,
    /// Visits of this type do not take place this way.
    ModalityUnfit,
}

/// What a rule does that speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It is shown, and nothing is asked.
    Warns,
    /// Somebody has to say why.
    AsksReason,
    /// Nobody can.
    Forbids,
}

impl Weight {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warns => "warns",
            Self::AsksReason => "asks-reason",
            Self::Forbids => "forbids",
        }
    }
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 16] = [
        Self::ResourceMissing,
        Self::ResourceUnfit,
        Self::ResourceOverlap,
        Self::OverbookCap,
        Self::Buffer,
        Self::PatientDoubleBooked,
        Self::InPast,
        Self::LeadTime,
        Self::DailyCap,
        Self::AgeLimit,
        Self::SexLimit,
        Self::ReferralRequired,
        Self::OutsideHours,
        Self::Blocked,
        Self::TypeRetired,
        Self::ModalityUnfit,
    ];

    /// The stable code, which logs and screens keep.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ResourceMissing => "resource-missing",
            Self::ResourceUnfit => "resource-unfit",
            Self::ResourceOverlap => "resource-overlap",
            Self::OverbookCap => "overbook-cap",
            Self::Buffer => "buffer",
            Self::PatientDoubleBooked => "patient-double-booked",
            Self::InPast => "in-past",
            Self::LeadTime => "lead-time",
            Self::DailyCap => "daily-cap",
            Self::AgeLimit => "age-limit",
            Self::SexLimit => "sex-limit",
            Self::ReferralRequired => "referral-required",
            Self::OutsideHours => "outside-hours",
            Self::Blocked => "blocked",
            Self::TypeRetired => "type-retired",
            Self::ModalityUnfit => "modality-unfit",
        }
    }

    /// What it says to whoever books.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ResourceMissing => "The visit needs somebody or something that was not given",
            Self::ResourceUnfit => "Visits of this type are not planned with this resource",
            Self::ResourceOverlap => "The resource is taken at this time",
            Self::OverbookCap => "The hour is booked over as often as the site allows",
            Self::Buffer => "The time kept before or after another visit is cut short",
            Self::PatientDoubleBooked => "The patient has another appointment at this time",
            Self::InPast => "The time has passed",
            Self::LeadTime => "Visits of this type are booked longer ahead",
            Self::DailyCap => "The day has as many visits of this type as it may",
            Self::AgeLimit => "The patient's age is outside the limits of this type",
            Self::SexLimit => "Visits of this type are for patients of another sex",
            Self::ReferralRequired => "Visits of this type need a referral",
            Self::OutsideHours => "It is outside opening or working hours",
            Self::Blocked => "The time is blocked",
            Self::TypeRetired => "Visits of this type are not booked any more",
            Self::ModalityUnfit => "Visits of this type do not take place this way",
        }
    }

    /// What it does where the site has said nothing else.
    pub const fn default_weight(self) -> Weight {
        match self {
            Self::ResourceMissing | Self::ResourceOverlap | Self::OverbookCap => Weight::Forbids,
            Self::ModalityUnfit | Self::TypeRetired => Weight::Forbids,
            Self::Buffer => Weight::Warns,
            Self::ResourceUnfit
            | Self::PatientDoubleBooked
            | Self::InPast
            | Self::LeadTime
            | Self::DailyCap
            | Self::AgeLimit
            | Self::SexLimit
            | Self::ReferralRequired
            | Self::OutsideHours
            | Self::Blocked => Weight::AsksReason,
        }
    }

    /// A rule that no policy lowers.
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::ResourceMissing | Self::ResourceOverlap | Self::OverbookCap)
    }
}

/// What a site says of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    weights: BTreeMap<Rule, Weight>,
    /// Bookings over another that a clinician can have in an hour of the clock; none by default.
    pub overbook_per_hour: u32,
}

impl Policy {
    /// Sets what a rule does; `false` when it is one that stays as it is.
    pub fn set(&mut self, rule: Rule, weight: Weight) -> bool {
        if rule.is_fixed() {
            return false;
        }
        self.weights.insert(rule, weight);
        true
    }

    /// What a rule does.
    pub fn weight(&self, rule: Rule) -> Weight {
        self.weights.get(&rule).copied().unwrap_or_else(|| rule.default_weight())
    }
}
