//! Allergies, and the statement that there are none (<https://hl7.org/fhir/R4/allergyintolerance.html>,
//! invariants ait-1 and ait-2).

use crate::chart::Chart;
use crate::code::{Code, hl7, rxnorm, snomed};

/// Something people react to.
struct Allergen {
    code: Code,
    category: &'static str,
    weight: i64,
    reaction: Code,
    severe: bool,
}

const HIVES: Code = snomed("247472004", "Weal");
const RASH: Code = snomed("271807003", "Eruption of skin");
const ANAPHYLAXIS: Code = snomed("39579001", "Anaphylaxis");
const DYSPNEA: Code = snomed("267036007", "Dyspnea");
const NAUSEA: Code = snomed("422587007", "Nausea");
const NONE_KNOWN: Code = snomed("716186003", "No known allergy");

const fn allergen(
    code: Code,
    category: &'static str,
    weight: i64,
    reaction: Code,
    severe: bool,
) -> Allergen {
    Allergen { code, category, weight, reaction, severe }
}

static ALLERGENS: [Allergen; 12] = [
    allergen(rxnorm("7980", "penicillin G"), "medication", 24, HIVES, false),
    allergen(rxnorm("723", "amoxicillin"), "medication", 10, RASH, false),
    allergen(rxnorm("10180", "sulfamethoxazole"), "medication", 10, RASH, false),
    allergen(rxnorm("1191", "aspirin"), "medication", 5, HIVES, false),
    allergen(rxnorm("2670", "codeine"), "medication", 7, NAUSEA, false),
    allergen(snomed("256349002", "Peanut"), "food", 8, ANAPHYLAXIS, true),
    allergen(snomed("44027008", "Seafood"), "food", 7, HIVES, false),
    allergen(snomed("102263004", "Eggs"), "food", 5, RASH, false),
    allergen(snomed("3718001", "Cow's milk"), "food", 5, NAUSEA, false),
    allergen(snomed("256277009", "Grass pollen"), "environment", 10, DYSPNEA, false),
    allergen(snomed("260147004", "House dust mite"), "environment", 6, DYSPNEA, false),
    allergen(snomed("111088007", "Latex"), "environment", 3, HIVES, true),
];

impl Chart<'_, '_, '_> {
    /// Writes the allergy list as taken at the first visit.
    pub(crate) fn write_allergies(&mut self) {
        let Some(first) = self.history.visits.first().cloned() else { return };
        let count = self.rng.weighted(&[640, 230, 90, 40]);
        if count == 0 {
            if self.rng.chance(600) {
                self.write_allergy(&first, None);
            }
            return;
        }
        let weights: Vec<i64> = ALLERGENS.iter().map(|a| a.weight).collect();
        let mut chosen: Vec<usize> = (0..count).map(|_| self.rng.weighted(&weights)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        for n in chosen {
            self.write_allergy(&first, ALLERGENS.get(n));
        }
    }

    fn write_allergy(
        &mut self,
        visit: &crate::history::Visit,
        allergen: Option<&'static Allergen>,
    ) {
        let id = self.new_id("AllergyIntolerance");
        let clinician = self.clinician(visit);
        let refuted = self.rng.chance(30);
        let patient = &self.id;
        self.press.emit("AllergyIntolerance", &id, |w| {
            let active = hl7!("allergyintolerance-clinical", "active", "Active");
            let inactive = hl7!("allergyintolerance-clinical", "inactive", "Inactive");
            let confirmed = hl7!("allergyintolerance-verification", "confirmed", "Confirmed");
            w.status(
                "clinicalStatus",
                if refuted && allergen.is_some() { &inactive } else { &active },
            );
            w.status("verificationStatus", &confirmed);
            if let Some(a) = allergen {
                w.text("type", if a.reaction == NAUSEA { "intolerance" } else { "allergy" });
                w.arr("category", |w| w.text_item(a.category));
                w.text("criticality", if a.severe { "high" } else { "low" });
            }
            w.concept("code", allergen.map_or(&NONE_KNOWN, |a| &a.code));
            w.refer("patient", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.at("recordedDate", visit.start.plus(6));
            w.refer("recorder", "Practitioner", &clinician.id);
            if let Some(a) = allergen {
                w.one("reaction", |w| {
                    w.concept_one("manifestation", &a.reaction);
                    w.text("severity", if a.severe { "severe" } else { "mild" });
                });
            }
        });
    }
}
