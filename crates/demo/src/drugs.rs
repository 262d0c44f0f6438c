//! The drugs the clinic prescribes: `RxNorm` ingredient codes (the display is the ingredient's, the
//! text names strength and form), dose and supply. Doses are usual adult doses, for show only.

use crate::code::{Code, rxnorm, snomed};

/// One drug as prescribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drug {
    pub(crate) code: Code,
    pub(crate) text: &'static str,
    pub(crate) sig: &'static str,
    pub(crate) form: Code,
    pub(crate) route: Code,
    /// Doses a day; 0 means as needed.
    pub(crate) per_day: i64,
    /// Units per dose, and what they are.
    pub(crate) dose: i64,
    pub(crate) dose_unit: &'static str,
    /// Days one fill lasts.
    pub(crate) days: i64,
    /// Its number among the stocked drugs, if prescribed by reference.
    pub(crate) stock: Option<u64>,
}

const TABLET: Code = snomed("385055001", "Tablet");
const CAPSULE: Code = snomed("385049006", "Capsule");
const INHALER: Code = snomed("420317006", "Inhaler");
const INJECTION: Code = snomed("385219001", "Solution for injection");
const SUSPENSION: Code = snomed("387048002", "Oral suspension");
const ORAL: Code = snomed("26643006", "Oral route");
const INHALED: Code = snomed("447694001", "Respiratory tract route");
const SUBCUTANEOUS: Code = snomed("34206005", "Subcutaneous route");

const fn pill(
    id: &'static str,
    name: &'static str,
    text: &'static str,
    per_day: i64,
    sig: &'static str,
) -> Drug {
    Drug {
        code: rxnorm(id, name),
        text,
        sig,
        form: TABLET,
        route: ORAL,
        per_day,
        dose: 1,
        dose_unit: "tablet",
        days: 90,
        stock: None,
    }
}

const fn course(drug: Drug, days: i64) -> Drug {
    Drug { days, ..drug }
}

const fn in_form(drug: Drug, form: Code, dose_unit: &'static str) -> Drug {
    Drug { form, dose_unit, ..drug }
}

const fn inhaled(drug: Drug, dose: i64) -> Drug {
    Drug { form: INHALER, route: INHALED, dose, dose_unit: "puff", days: 30, ..drug }
}

const fn injected(drug: Drug, dose: i64, stock: u64) -> Drug {
    Drug {
        form: INJECTION,
        route: SUBCUTANEOUS,
        dose,
        dose_unit: "unit",
        days: 30,
        stock: Some(stock),
        ..drug
    }
}

pub(crate) static LISINOPRIL: Drug = pill(
    "29046",
    "lisinopril",
    "Lisinopril 10 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static AMLODIPINE: Drug = pill(
    "17767",
    "amlodipine",
    "Amlodipine 5 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static HYDROCHLOROTHIAZIDE: Drug = pill(
    "5487",
    "hydrochlorothiazide",
    "Hydrochlorothiazide 25 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth every morning",
);
pub(crate) static LOSARTAN: Drug =
    pill("52175", "losartan", "Losartan 50 MG Oral Tablet", 1, "Take 1 tablet by mouth once daily");
pub(crate) static METFORMIN: Drug = pill(
    "6809",
    "metformin",
    "Metformin 500 MG Oral Tablet",
    2,
    "Take 1 tablet by mouth twice daily with meals",
);
pub(crate) static EMPAGLIFLOZIN: Drug = pill(
    "1545653",
    "empagliflozin",
    "Empagliflozin 10 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth every morning",
);
pub(crate) static INSULIN: Drug = injected(
    pill(
        "274783",
        "insulin glargine",
        "Insulin glargine 100 UNT/ML Injectable Solution",
        1,
        "Inject 20 units under the skin at bedtime",
    ),
    20,
    0,
);
pub(crate) static ATORVASTATIN: Drug = pill(
    "83367",
    "atorvastatin",
    "Atorvastatin 20 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth at bedtime",
);
pub(crate) static LEVOTHYROXINE: Drug = pill(
    "10582",
    "levothyroxine",
    "Levothyroxine Sodium 0.075 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth before breakfast",
);
pub(crate) static SERTRALINE: Drug = pill(
    "36437",
    "sertraline",
    "Sertraline 50 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static ESCITALOPRAM: Drug = pill(
    "321988",
    "escitalopram",
    "Escitalopram 10 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static OMEPRAZOLE: Drug = in_form(
    pill(
        "7646",
        "omeprazole",
        "Omeprazole 20 MG Delayed Release Oral Capsule",
        1,
        "Take 1 capsule by mouth before breakfast",
    ),
    CAPSULE,
    "capsule",
);
pub(crate) static ALBUTEROL: Drug = inhaled(
    pill(
        "435",
        "albuterol",
        "Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler",
        0,
        "Inhale 2 puffs every 4 to 6 hours as needed for wheezing",
    ),
    2,
);
pub(crate) static FLUTICASONE: Drug = inhaled(
    pill(
        "41126",
        "fluticasone",
        "Fluticasone propionate 0.11 MG/ACTUAT Metered Dose Inhaler",
        2,
        "Inhale 2 puffs twice daily and rinse mouth",
    ),
    2,
);
pub(crate) static TIOTROPIUM: Drug = inhaled(
    pill(
        "69120",
        "tiotropium",
        "Tiotropium 0.018 MG Inhalation Powder",
        1,
        "Inhale the contents of 1 capsule once daily",
    ),
    1,
);
pub(crate) static METOPROLOL: Drug = pill(
    "6918",
    "metoprolol",
    "Metoprolol Succinate 50 MG Extended Release Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static CARVEDILOL: Drug = pill(
    "20352",
    "carvedilol",
    "Carvedilol 12.5 MG Oral Tablet",
    2,
    "Take 1 tablet by mouth twice daily with food",
);
pub(crate) static FUROSEMIDE: Drug = pill(
    "4603",
    "furosemide",
    "Furosemide 40 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth every morning",
);
pub(crate) static ASPIRIN: Drug = pill(
    "1191",
    "aspirin",
    "Aspirin 81 MG Delayed Release Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static APIXABAN: Drug = pill(
    "1364430",
    "apixaban",
    "Apixaban 5 MG Oral Tablet",
    2,
    "Take 1 tablet by mouth twice daily",
);
pub(crate) static SUMATRIPTAN: Drug = pill(
    "37418",
    "sumatriptan",
    "Sumatriptan 50 MG Oral Tablet",
    0,
    "Take 1 tablet by mouth at onset of migraine; may repeat once after 2 hours",
);
pub(crate) static LORATADINE: Drug = pill(
    "28889",
    "loratadine",
    "Loratadine 10 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static CETIRIZINE: Drug = pill(
    "20610",
    "cetirizine",
    "Cetirizine 10 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static FERROUS_SULFATE: Drug = pill(
    "24947",
    "ferrous sulfate",
    "Ferrous sulfate 325 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth every other day",
);
pub(crate) static ALENDRONATE: Drug = pill(
    "46041",
    "alendronate",
    "Alendronate 10 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth on rising, with water, and stay upright",
);
pub(crate) static METHYLPHENIDATE: Drug = course(
    pill(
        "6901",
        "methylphenidate",
        "Methylphenidate 18 MG Extended Release Oral Tablet",
        1,
        "Take 1 tablet by mouth every morning",
    ),
    30,
);
pub(crate) static TAMSULOSIN: Drug = in_form(
    pill(
        "77492",
        "tamsulosin",
        "Tamsulosin 0.4 MG Oral Capsule",
        1,
        "Take 1 capsule by mouth after the same meal each day",
    ),
    CAPSULE,
    "capsule",
);
pub(crate) static NALTREXONE: Drug = pill(
    "7243",
    "naltrexone",
    "Naltrexone 50 MG Oral Tablet",
    1,
    "Take 1 tablet by mouth once daily",
);
pub(crate) static BUPRENORPHINE: Drug = course(
    pill(
        "1819",
        "buprenorphine",
        "Buprenorphine 8 MG Sublingual Tablet",
        1,
        "Dissolve 1 tablet under the tongue once daily",
    ),
    28,
);
pub(crate) static IBUPROFEN: Drug = course(
    pill(
        "5640",
        "ibuprofen",
        "Ibuprofen 400 MG Oral Tablet",
        3,
        "Take 1 tablet by mouth three times daily with food",
    ),
    10,
);
pub(crate) static NAPROXEN: Drug = course(
    pill(
        "7258",
        "naproxen",
        "Naproxen 500 MG Oral Tablet",
        2,
        "Take 1 tablet by mouth twice daily with food",
    ),
    14,
);
pub(crate) static ACETAMINOPHEN: Drug = course(
    pill(
        "161",
        "acetaminophen",
        "Acetaminophen 500 MG Oral Tablet",
        0,
        "Take 1 tablet by mouth every 6 hours as needed",
    ),
    7,
);
pub(crate) static AMOXICILLIN: Drug = course(
    in_form(
        pill(
            "723",
            "amoxicillin",
            "Amoxicillin 500 MG Oral Capsule",
            2,
            "Take 1 capsule by mouth twice daily until finished",
        ),
        CAPSULE,
        "capsule",
    ),
    10,
);
pub(crate) static AMOXICILLIN_LIQUID: Drug = course(
    in_form(
        pill(
            "723",
            "amoxicillin",
            "Amoxicillin 80 MG/ML Oral Suspension",
            2,
            "Give 1 measured dose by mouth twice daily until finished",
        ),
        SUSPENSION,
        "dose",
    ),
    10,
);
pub(crate) static AZITHROMYCIN: Drug = course(
    pill(
        "18631",
        "azithromycin",
        "Azithromycin 250 MG Oral Tablet",
        1,
        "Take 1 tablet by mouth once daily until finished",
    ),
    5,
);
pub(crate) static NITROFURANTOIN: Drug = course(
    in_form(
        pill(
            "7454",
            "nitrofurantoin",
            "Nitrofurantoin 100 MG Oral Capsule",
            2,
            "Take 1 capsule by mouth twice daily with food",
        ),
        CAPSULE,
        "capsule",
    ),
    5,
);
pub(crate) static PREDNISONE: Drug = course(
    pill(
        "8640",
        "prednisone",
        "Prednisone 20 MG Oral Tablet",
        2,
        "Take 1 tablet by mouth twice daily with food",
    ),
    5,
);
pub(crate) static ONDANSETRON: Drug = course(
    pill(
        "26225",
        "ondansetron",
        "Ondansetron 4 MG Disintegrating Oral Tablet",
        0,
        "Dissolve 1 tablet on the tongue every 8 hours as needed for nausea",
    ),
    3,
);
pub(crate) static CYCLOBENZAPRINE: Drug = course(
    pill(
        "21949",
        "cyclobenzaprine",
        "Cyclobenzaprine 5 MG Oral Tablet",
        1,
        "Take 1 tablet by mouth at bedtime",
    ),
    7,
);
pub(crate) static OSELTAMIVIR: Drug = course(
    in_form(
        pill(
            "260101",
            "oseltamivir",
            "Oseltamivir 75 MG Oral Capsule",
            2,
            "Take 1 capsule by mouth twice daily",
        ),
        CAPSULE,
        "capsule",
    ),
    5,
);
pub(crate) static CEPHALEXIN: Drug = course(
    in_form(
        pill(
            "2231",
            "cephalexin",
            "Cephalexin 500 MG Oral Capsule",
            3,
            "Take 1 capsule by mouth three times daily",
        ),
        CAPSULE,
        "capsule",
    ),
    7,
);

/// Drugs the clinic keeps as Medication resources; the position is the drug's `stock`.
pub(crate) static STOCK: [&Drug; 6] =
    [&INSULIN, &ALBUTEROL, &AMOXICILLIN, &IBUPROFEN, &ACETAMINOPHEN, &ONDANSETRON];
