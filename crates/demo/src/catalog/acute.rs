//! The complaints that pass, and what is done about them at the visit.

use super::Acute;
use crate::code::{icd10, snomed};
use crate::{drugs, panels};

const COMPLAINT: Acute = Acute {
    snomed: snomed("", ""),
    icd: icd10("", ""),
    ages: (0, 120),
    female: None,
    weight: 20,
    days: 10,
    fever: false,
    drug: None,
    child_drug: None,
    panel: None,
    emergency: 40,
    words: "",
};

pub(crate) static ACUTE: [Acute; 19] = [
    Acute {
        snomed: snomed("54150009", "Upper respiratory infection"),
        icd: icd10("J06.9", "Acute upper respiratory infection, unspecified"),
        weight: 100,
        fever: true,
        words: "Runny nose and cough for four days.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("363746003", "Acute pharyngitis"),
        icd: icd10("J02.9", "Acute pharyngitis, unspecified"),
        ages: (3, 60),
        weight: 45,
        days: 7,
        fever: true,
        words: "Sore throat, worse on swallowing.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("43878008", "Streptococcal sore throat"),
        icd: icd10("J02.0", "Streptococcal pharyngitis"),
        ages: (3, 40),
        weight: 25,
        fever: true,
        drug: Some(&drugs::AMOXICILLIN),
        child_drug: Some(&drugs::AMOXICILLIN_LIQUID),
        words: "Sore throat and fever, no cough; tonsils red with exudate.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("10509002", "Acute bronchitis"),
        icd: icd10("J20.9", "Acute bronchitis, unspecified"),
        ages: (12, 110),
        weight: 50,
        days: 18,
        drug: Some(&drugs::ALBUTEROL),
        words: "Cough with sputum for ten days.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("3110003", "Acute otitis media"),
        icd: icd10("H66.90", "Otitis media, unspecified, unspecified ear"),
        ages: (0, 11),
        weight: 90,
        fever: true,
        drug: Some(&drugs::AMOXICILLIN_LIQUID),
        child_drug: Some(&drugs::AMOXICILLIN_LIQUID),
        words: "Pulls at the ear, poor sleep; drum red and bulging.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("15805002", "Acute sinusitis"),
        icd: icd10("J01.90", "Acute sinusitis, unspecified"),
        ages: (12, 110),
        weight: 45,
        days: 14,
        drug: Some(&drugs::AMOXICILLIN),
        words: "Facial pressure and thick discharge for twelve days.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("68566005", "Urinary tract infectious disease"),
        icd: icd10("N39.0", "Urinary tract infection, site not specified"),
        ages: (15, 110),
        female: Some(true),
        weight: 55,
        days: 7,
        drug: Some(&drugs::NITROFURANTOIN),
        panel: Some(&panels::URINE),
        words: "Burning and frequency for two days, no flank pain.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("25374005", "Gastroenteritis"),
        icd: icd10("K52.9", "Noninfective gastroenteritis and colitis, unspecified"),
        weight: 35,
        days: 5,
        fever: true,
        drug: Some(&drugs::ONDANSETRON),
        emergency: 150,
        words: "Vomiting and loose stools since yesterday; keeps fluids down.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("279039007", "Low back pain"),
        icd: icd10("M54.50", "Low back pain, unspecified"),
        ages: (18, 110),
        weight: 60,
        days: 30,
        drug: Some(&drugs::CYCLOBENZAPRINE),
        words: "Low back pain after lifting; no leg weakness.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("44465007", "Sprain of ankle"),
        icd: icd10(
            "S93.409A",
            "Sprain of unspecified ligament of unspecified ankle, initial encounter",
        ),
        ages: (7, 75),
        weight: 30,
        days: 28,
        drug: Some(&drugs::IBUPROFEN),
        emergency: 300,
        words: "Turned the ankle; can bear weight.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("6142004", "Influenza"),
        icd: icd10(
            "J11.1",
            "Influenza due to unidentified influenza virus with other respiratory manifestations",
        ),
        weight: 25,
        days: 8,
        fever: true,
        drug: Some(&drugs::OSELTAMIVIR),
        emergency: 90,
        words: "Sudden fever, aches and dry cough.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("840539006", "COVID-19"),
        icd: icd10("U07.1", "COVID-19"),
        weight: 25,
        days: 12,
        fever: true,
        panel: Some(&panels::CORONAVIRUS),
        emergency: 80,
        words: "Cough, fatigue and loss of smell.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("40275004", "Contact dermatitis"),
        icd: icd10("L25.9", "Unspecified contact dermatitis, unspecified cause"),
        weight: 30,
        days: 14,
        drug: Some(&drugs::PREDNISONE),
        words: "Itchy rash on the forearms after gardening.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("9826008", "Conjunctivitis"),
        icd: icd10("H10.9", "Unspecified conjunctivitis"),
        ages: (0, 60),
        weight: 25,
        days: 7,
        words: "Red eye with discharge; vision unchanged.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("312608009", "Laceration"),
        icd: icd10(
            "S61.419A",
            "Laceration without foreign body of unspecified hand, initial encounter",
        ),
        ages: (2, 90),
        weight: 18,
        days: 14,
        emergency: 700,
        words: "Cut the hand on glass; sensation and movement full.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("128045006", "Cellulitis"),
        icd: icd10("L03.90", "Cellulitis, unspecified"),
        ages: (10, 110),
        weight: 15,
        days: 10,
        fever: true,
        drug: Some(&drugs::CEPHALEXIN),
        panel: Some(&panels::BLOOD_COUNT),
        emergency: 200,
        words: "Spreading redness and warmth of the shin.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("29857009", "Chest pain"),
        icd: icd10("R07.9", "Chest pain, unspecified"),
        ages: (30, 110),
        weight: 22,
        days: 3,
        drug: Some(&drugs::ASPIRIN),
        panel: Some(&panels::METABOLIC),
        emergency: 850,
        words: "Pressure in the chest for an hour, now gone; ECG unchanged.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("233604007", "Pneumonia"),
        icd: icd10("J18.9", "Pneumonia, unspecified organism"),
        weight: 12,
        days: 24,
        fever: true,
        drug: Some(&drugs::AZITHROMYCIN),
        child_drug: Some(&drugs::AMOXICILLIN_LIQUID),
        panel: Some(&panels::BLOOD_COUNT),
        emergency: 300,
        words: "Fever, cough and breathlessness; crackles at the right base.",
        ..COMPLAINT
    },
    Acute {
        snomed: snomed("24079001", "Atopic dermatitis"),
        icd: icd10("L20.9", "Atopic dermatitis, unspecified"),
        ages: (0, 16),
        weight: 25,
        days: 45,
        child_drug: Some(&drugs::CETIRIZINE),
        words: "Dry itchy patches in the elbow creases.",
        ..COMPLAINT
    },
];
