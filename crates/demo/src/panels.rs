//! Laboratory panels as data: LOINC codes (<https://loinc.org>), UCUM units, reference ranges and
//! prices. Ranges are usual adult ones; a laboratory would state its own.

use crate::code::{Code, charge, code, hl7, loinc, snomed};
use crate::json::{Unit, unit};

/// One measured thing.
#[derive(Debug)]
pub(crate) struct Analyte {
    pub(crate) code: Code,
    pub(crate) scale: u32,
    pub(crate) unit: Unit,
    /// Reference range, in units of 10^-scale.
    pub(crate) range: (i64, i64),
    /// The range for women, where it differs.
    pub(crate) women: (i64, i64),
}

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sample {
    Blood,
    Urine,
    Swab,
}

/// A yes-or-no test of a panel.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) yes: Code,
    pub(crate) no: Code,
}

/// What is ordered together.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) code: Code,
    pub(crate) section: Code,
    pub(crate) sample: Sample,
    pub(crate) analytes: &'static [Analyte],
    pub(crate) findings: &'static [Finding],
    pub(crate) charge: Code,
    pub(crate) cents: i64,
}

impl Sample {
    /// The type of specimen.
    pub(crate) const fn code(self) -> &'static Code {
        match self {
            Self::Blood => &BLOOD,
            Self::Urine => &URINE_SAMPLE,
            Self::Swab => &SWAB,
        }
    }
}

const BLOOD: Code = snomed("119297000", "Blood specimen");
const URINE_SAMPLE: Code = snomed("122575003", "Urine specimen");
const SWAB: Code = snomed("258500001", "Nasopharyngeal swab");
const CHEMISTRY: Code = code("http://terminology.hl7.org/CodeSystem/v2-0074", "CH", "Chemistry");
const HEMATOLOGY: Code = hl7!("v2-0074", "HM", "Hematology");
const MICROBIOLOGY: Code = hl7!("v2-0074", "MB", "Microbiology");
const POSITIVE: Code = snomed("10828004", "Positive");
const NEGATIVE: Code = snomed("260385009", "Negative");

const MG_DL: Unit = unit("mg/dL", "mg/dL");
const G_DL: Unit = unit("g/dL", "g/dL");
const MMOL_L: Unit = unit("mmol/L", "mmol/L");
const U_L: Unit = unit("U/L", "U/L");
const PERCENT: Unit = unit("%", "%");

const fn analyte(code: Code, scale: u32, unit: Unit, low: i64, high: i64) -> Analyte {
    Analyte { code, scale, unit, range: (low, high), women: (low, high) }
}

const fn by_sex(
    code: Code,
    scale: u32,
    unit: Unit,
    range: (i64, i64),
    women: (i64, i64),
) -> Analyte {
    Analyte { code, scale, unit, range, women }
}

pub(crate) static METABOLIC: Panel = Panel {
    code: loinc("24323-8", "Comprehensive metabolic 2000 panel - Serum or Plasma"),
    section: CHEMISTRY,
    sample: Sample::Blood,
    analytes: &[
        analyte(loinc("2345-7", "Glucose [Mass/volume] in Serum or Plasma"), 0, MG_DL, 70, 99),
        analyte(loinc("3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma"), 0, MG_DL, 7, 20),
        by_sex(
            loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
            2,
            MG_DL,
            (70, 130),
            (50, 110),
        ),
        analyte(loinc("17861-6", "Calcium [Mass/volume] in Serum or Plasma"), 1, MG_DL, 85, 105),
        analyte(loinc("2951-2", "Sodium [Moles/volume] in Serum or Plasma"), 0, MMOL_L, 135, 145),
        analyte(loinc("2823-3", "Potassium [Moles/volume] in Serum or Plasma"), 1, MMOL_L, 35, 51),
        analyte(loinc("2075-0", "Chloride [Moles/volume] in Serum or Plasma"), 0, MMOL_L, 98, 107),
        analyte(
            loinc("2028-9", "Carbon dioxide, total [Moles/volume] in Serum or Plasma"),
            0,
            MMOL_L,
            22,
            30,
        ),
        analyte(loinc("2885-2", "Protein [Mass/volume] in Serum or Plasma"), 1, G_DL, 60, 83),
        analyte(loinc("1751-7", "Albumin [Mass/volume] in Serum or Plasma"), 1, G_DL, 35, 50),
        analyte(
            loinc("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma"),
            1,
            MG_DL,
            2,
            12,
        ),
        analyte(
            loinc("6768-6", "Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma"),
            0,
            U_L,
            40,
            129,
        ),
        analyte(
            loinc(
                "1920-8",
                "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
            ),
            0,
            U_L,
            10,
            40,
        ),
        analyte(
            loinc(
                "1742-6",
                "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
            ),
            0,
            U_L,
            7,
            45,
        ),
    ],
    findings: &[],
    charge: charge("LAB-CMP", "Comprehensive metabolic panel"),
    cents: 4850,
};

pub(crate) static BLOOD_COUNT: Panel = Panel {
    code: loinc("58410-2", "CBC panel - Blood by Automated count"),
    section: HEMATOLOGY,
    sample: Sample::Blood,
    analytes: &[
        analyte(
            loinc("6690-2", "Leukocytes [#/volume] in Blood by Automated count"),
            1,
            unit("10*3/uL", "10*3/uL"),
            40,
            110,
        ),
        by_sex(
            loinc("789-8", "Erythrocytes [#/volume] in Blood by Automated count"),
            2,
            unit("10*6/uL", "10*6/uL"),
            (435, 565),
            (392, 513),
        ),
        by_sex(
            loinc("718-7", "Hemoglobin [Mass/volume] in Blood"),
            1,
            G_DL,
            (132, 166),
            (116, 150),
        ),
        by_sex(
            loinc("4544-3", "Hematocrit [Volume Fraction] of Blood by Automated count"),
            1,
            PERCENT,
            (383, 486),
            (355, 449),
        ),
        analyte(
            loinc("787-2", "MCV [Entitic volume] by Automated count"),
            1,
            unit("fL", "fL"),
            782,
            979,
        ),
        analyte(
            loinc("785-6", "MCH [Entitic mass] by Automated count"),
            1,
            unit("pg", "pg"),
            255,
            332,
        ),
        analyte(loinc("786-4", "MCHC [Mass/volume] by Automated count"), 1, G_DL, 315, 357),
        analyte(
            loinc("777-3", "Platelets [#/volume] in Blood by Automated count"),
            0,
            unit("10*3/uL", "10*3/uL"),
            135,
            400,
        ),
    ],
    findings: &[],
    charge: charge("LAB-CBC", "Complete blood count"),
    cents: 2900,
};

pub(crate) static LIPID: Panel = Panel {
    code: loinc("24331-1", "Lipid 1996 panel - Serum or Plasma"),
    section: CHEMISTRY,
    sample: Sample::Blood,
    analytes: &[
        analyte(
            loinc("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"),
            0,
            MG_DL,
            100,
            199,
        ),
        analyte(
            loinc("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma"),
            0,
            MG_DL,
            40,
            149,
        ),
        by_sex(
            loinc("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"),
            0,
            MG_DL,
            (40, 90),
            (50, 95),
        ),
        analyte(
            loinc("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation"),
            0,
            MG_DL,
            50,
            129,
        ),
    ],
    findings: &[],
    charge: charge("LAB-LIPID", "Lipid panel"),
    cents: 3900,
};

pub(crate) static A1C: Panel = Panel {
    code: loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
    section: CHEMISTRY,
    sample: Sample::Blood,
    analytes: &[analyte(
        loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
        1,
        PERCENT,
        40,
        56,
    )],
    findings: &[],
    charge: charge("LAB-A1C", "Hemoglobin A1c"),
    cents: 2750,
};

pub(crate) static THYROID: Panel = Panel {
    code: loinc("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma"),
    section: CHEMISTRY,
    sample: Sample::Blood,
    analytes: &[analyte(
        loinc("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma"),
        2,
        unit("mIU/L", "m[IU]/L"),
        40,
        450,
    )],
    findings: &[],
    charge: charge("LAB-TSH", "Thyroid stimulating hormone"),
    cents: 3300,
};

pub(crate) static URINE: Panel = Panel {
    code: loinc("24356-8", "Urinalysis complete panel - Urine"),
    section: CHEMISTRY,
    sample: Sample::Urine,
    analytes: &[
        analyte(
            loinc("5811-5", "Specific gravity of Urine by Test strip"),
            3,
            unit("specific gravity", "1"),
            1005,
            1030,
        ),
        analyte(loinc("5803-2", "pH of Urine by Test strip"), 1, unit("pH", "[pH]"), 50, 80),
    ],
    findings: &[
        Finding {
            code: loinc("5799-2", "Leukocyte esterase [Presence] in Urine by Test strip"),
            yes: POSITIVE,
            no: NEGATIVE,
        },
        Finding {
            code: loinc("5802-4", "Nitrite [Presence] in Urine by Test strip"),
            yes: POSITIVE,
            no: NEGATIVE,
        },
    ],
    charge: charge("LAB-UA", "Urinalysis"),
    cents: 1800,
};

pub(crate) static CORONAVIRUS: Panel = Panel {
    code: loinc(
        "94500-6",
        "SARS-CoV-2 (COVID-19) RNA [Presence] in Respiratory specimen by NAA with probe detection",
    ),
    section: MICROBIOLOGY,
    sample: Sample::Swab,
    analytes: &[],
    findings: &[Finding {
        code: loinc(
            "94500-6",
            "SARS-CoV-2 (COVID-19) RNA [Presence] in Respiratory specimen by NAA with probe detection",
        ),
        yes: snomed("260373001", "Detected"),
        no: snomed("260415000", "Not detected"),
    }],
    charge: charge("LAB-COV", "SARS-CoV-2 nucleic acid test"),
    cents: 5130,
};
