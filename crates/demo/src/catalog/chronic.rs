//! The chronic conditions, with ICD-10-CM and SNOMED CT codes, and what is prescribed for them.

use super::{Chronic, Key};
use crate::code::{icd10, snomed};
use crate::{drugs, panels};

const BASE: Chronic = Chronic {
    key: Key::Other,
    snomed: snomed("", ""),
    icd: icd10("", ""),
    female: None,
    from_age: 18,
    per_mille: [0; 4],
    with: None,
    first_drug: &[],
    second_drug: &[],
    panel: None,
    visits: 5,
    restricted: false,
    advice: "",
};

/// In this order: later ones may depend on earlier ones.
pub(crate) static CHRONIC: [Chronic; 25] = [
    Chronic {
        key: Key::Obesity,
        snomed: snomed("414916001", "Obesity"),
        icd: icd10("E66.9", "Obesity, unspecified"),
        from_age: 8,
        per_mille: [120, 270, 330, 280],
        visits: 2,
        advice: "Reviewed diet and activity; aims for 150 minutes of exercise a week.",
        ..BASE
    },
    Chronic {
        key: Key::Hypertension,
        snomed: snomed("59621000", "Essential hypertension"),
        icd: icd10("I10", "Essential (primary) hypertension"),
        from_age: 24,
        per_mille: [0, 55, 290, 560],
        with: Some((Key::Obesity, 150)),
        first_drug: &[&drugs::LISINOPRIL, &drugs::LISINOPRIL, &drugs::LOSARTAN],
        second_drug: &[&drugs::AMLODIPINE, &drugs::HYDROCHLOROTHIAZIDE],
        panel: Some(&panels::METABOLIC),
        visits: 10,
        advice: "Home blood pressure log reviewed; low-salt diet discussed.",
        ..BASE
    },
    Chronic {
        key: Key::Diabetes,
        snomed: snomed("44054006", "Diabetes mellitus type 2"),
        icd: icd10("E11.9", "Type 2 diabetes mellitus without complications"),
        from_age: 22,
        per_mille: [0, 20, 110, 210],
        with: Some((Key::Obesity, 200)),
        first_drug: &[&drugs::METFORMIN],
        second_drug: &[&drugs::EMPAGLIFLOZIN, &drugs::INSULIN],
        panel: Some(&panels::A1C),
        visits: 16,
        advice: "Foot exam without ulcer; glucose log reviewed.",
        ..BASE
    },
    Chronic {
        key: Key::Prediabetes,
        snomed: snomed("714628002", "Prediabetes"),
        icd: icd10("R73.03", "Prediabetes"),
        from_age: 20,
        per_mille: [0, 35, 110, 120],
        panel: Some(&panels::A1C),
        visits: 5,
        advice: "Referred to the lifestyle course.",
        ..BASE
    },
    Chronic {
        key: Key::Lipids,
        snomed: snomed("55822004", "Hyperlipidemia"),
        icd: icd10("E78.5", "Hyperlipidemia, unspecified"),
        from_age: 28,
        per_mille: [0, 45, 270, 420],
        first_drug: &[&drugs::ATORVASTATIN],
        panel: Some(&panels::LIPID),
        visits: 5,
        advice: "Taking the statin without muscle pain.",
        ..BASE
    },
    Chronic {
        key: Key::Kidney,
        snomed: snomed("433144002", "Chronic kidney disease stage 3"),
        icd: icd10("N18.30", "Chronic kidney disease, stage 3 unspecified"),
        from_age: 48,
        per_mille: [0, 0, 25, 110],
        with: Some((Key::Diabetes, 220)),
        panel: Some(&panels::METABOLIC),
        visits: 8,
        advice: "Avoid anti-inflammatory drugs; creatinine followed.",
        ..BASE
    },
    Chronic {
        key: Key::Heart,
        snomed: snomed("53741008", "Coronary arteriosclerosis"),
        icd: icd10(
            "I25.10",
            "Atherosclerotic heart disease of native coronary artery without angina pectoris",
        ),
        from_age: 45,
        per_mille: [0, 0, 35, 150],
        with: Some((Key::Hypertension, 160)),
        first_drug: &[&drugs::ASPIRIN],
        second_drug: &[&drugs::METOPROLOL],
        panel: Some(&panels::LIPID),
        visits: 8,
        advice: "No chest pain on exertion.",
        ..BASE
    },
    Chronic {
        key: Key::Failure,
        snomed: snomed("84114007", "Heart failure"),
        icd: icd10("I50.9", "Heart failure, unspecified"),
        from_age: 55,
        per_mille: [0, 0, 8, 60],
        with: Some((Key::Heart, 250)),
        first_drug: &[&drugs::FUROSEMIDE],
        second_drug: &[&drugs::CARVEDILOL],
        panel: Some(&panels::METABOLIC),
        visits: 16,
        advice: "Weighs daily; calls for a gain of 3 pounds.",
        ..BASE
    },
    Chronic {
        snomed: snomed("49436004", "Atrial fibrillation"),
        icd: icd10("I48.91", "Unspecified atrial fibrillation"),
        from_age: 50,
        per_mille: [0, 0, 15, 90],
        first_drug: &[&drugs::APIXABAN],
        second_drug: &[&drugs::METOPROLOL],
        panel: Some(&panels::BLOOD_COUNT),
        visits: 8,
        advice: "Rate controlled; no bleeding on anticoagulation.",
        ..BASE
    },
    Chronic {
        key: Key::Lung,
        snomed: snomed("195967001", "Asthma"),
        icd: icd10("J45.909", "Unspecified asthma, uncomplicated"),
        from_age: 3,
        per_mille: [85, 80, 75, 60],
        first_drug: &[&drugs::ALBUTEROL],
        second_drug: &[&drugs::FLUTICASONE],
        visits: 6,
        advice: "Inhaler technique checked; action plan given.",
        ..BASE
    },
    Chronic {
        key: Key::Lung,
        snomed: snomed("13645005", "Chronic obstructive lung disease"),
        icd: icd10("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
        from_age: 45,
        per_mille: [0, 0, 35, 110],
        first_drug: &[&drugs::TIOTROPIUM],
        second_drug: &[&drugs::ALBUTEROL],
        visits: 10,
        advice: "Walks one block before stopping; quit line number given.",
        ..BASE
    },
    Chronic {
        key: Key::Thyroid,
        snomed: snomed("40930008", "Hypothyroidism"),
        icd: icd10("E03.9", "Hypothyroidism, unspecified"),
        from_age: 18,
        per_mille: [0, 25, 60, 110],
        first_drug: &[&drugs::LEVOTHYROXINE],
        panel: Some(&panels::THYROID),
        visits: 5,
        advice: "Takes the tablet apart from food and other drugs.",
        ..BASE
    },
    Chronic {
        key: Key::Mood,
        snomed: snomed("370143000", "Major depressive disorder"),
        icd: icd10("F33.9", "Major depressive disorder, recurrent, unspecified"),
        from_age: 13,
        per_mille: [30, 110, 100, 70],
        first_drug: &[&drugs::SERTRALINE],
        visits: 12,
        restricted: true,
        advice: "Denies thoughts of self-harm; sleep improving.",
        ..BASE
    },
    Chronic {
        key: Key::Mood,
        snomed: snomed("21897009", "Generalized anxiety disorder"),
        icd: icd10("F41.1", "Generalized anxiety disorder"),
        from_age: 12,
        per_mille: [35, 95, 70, 45],
        first_drug: &[&drugs::ESCITALOPRAM],
        visits: 8,
        restricted: true,
        advice: "Practises breathing exercises; counseling continues.",
        ..BASE
    },
    Chronic {
        snomed: snomed("235595009", "Gastroesophageal reflux disease"),
        icd: icd10("K21.9", "Gastro-esophageal reflux disease without esophagitis"),
        per_mille: [0, 70, 150, 190],
        first_drug: &[&drugs::OMEPRAZOLE],
        visits: 3,
        advice: "Raises the head of the bed; avoids late meals.",
        ..BASE
    },
    Chronic {
        snomed: snomed("396275006", "Osteoarthritis"),
        icd: icd10("M19.90", "Unspecified osteoarthritis, unspecified site"),
        from_age: 42,
        per_mille: [0, 0, 150, 340],
        with: Some((Key::Obesity, 140)),
        first_drug: &[&drugs::NAPROXEN],
        visits: 5,
        advice: "Knee exercises shown.",
        ..BASE
    },
    Chronic {
        snomed: snomed("37796009", "Migraine"),
        icd: icd10("G43.909", "Migraine, unspecified, not intractable, without status migrainosus"),
        from_age: 12,
        per_mille: [25, 110, 90, 30],
        first_drug: &[&drugs::SUMATRIPTAN],
        visits: 4,
        advice: "Headache diary kept.",
        ..BASE
    },
    Chronic {
        snomed: snomed("61582004", "Allergic rhinitis"),
        icd: icd10("J30.9", "Allergic rhinitis, unspecified"),
        from_age: 5,
        per_mille: [100, 130, 110, 70],
        first_drug: &[&drugs::LORATADINE],
        visits: 2,
        advice: "Worse in ragweed season.",
        ..BASE
    },
    Chronic {
        key: Key::Anemia,
        snomed: snomed("87522002", "Iron deficiency anemia"),
        icd: icd10("D50.9", "Iron deficiency anemia, unspecified"),
        female: Some(true),
        from_age: 14,
        per_mille: [20, 60, 45, 40],
        first_drug: &[&drugs::FERROUS_SULFATE],
        panel: Some(&panels::BLOOD_COUNT),
        visits: 6,
        advice: "Takes iron with juice.",
        ..BASE
    },
    Chronic {
        snomed: snomed("64859006", "Osteoporosis"),
        icd: icd10("M81.0", "Age-related osteoporosis without current pathological fracture"),
        female: Some(true),
        from_age: 58,
        per_mille: [0, 0, 40, 260],
        first_drug: &[&drugs::ALENDRONATE],
        visits: 3,
        advice: "Fall risk reviewed at home.",
        ..BASE
    },
    Chronic {
        snomed: snomed("78275009", "Obstructive sleep apnea syndrome"),
        icd: icd10("G47.33", "Obstructive sleep apnea (adult) (pediatric)"),
        from_age: 30,
        per_mille: [0, 25, 90, 110],
        with: Some((Key::Obesity, 220)),
        visits: 3,
        advice: "Uses CPAP most nights.",
        ..BASE
    },
    Chronic {
        snomed: snomed("406506008", "Attention deficit hyperactivity disorder"),
        icd: icd10("F90.9", "Attention-deficit hyperactivity disorder, unspecified type"),
        from_age: 6,
        per_mille: [85, 40, 15, 0],
        first_drug: &[&drugs::METHYLPHENIDATE],
        visits: 10,
        advice: "School reports reviewed with the family.",
        ..BASE
    },
    Chronic {
        snomed: snomed("266569009", "Benign prostatic hyperplasia"),
        icd: icd10("N40.0", "Benign prostatic hyperplasia without lower urinary tract symptoms"),
        female: Some(false),
        from_age: 50,
        per_mille: [0, 0, 110, 340],
        first_drug: &[&drugs::TAMSULOSIN],
        visits: 4,
        advice: "Wakes once a night.",
        ..BASE
    },
    Chronic {
        snomed: snomed("7200002", "Alcoholism"),
        icd: icd10("F10.20", "Alcohol dependence, uncomplicated"),
        from_age: 22,
        per_mille: [0, 35, 40, 25],
        first_drug: &[&drugs::NALTREXONE],
        panel: Some(&panels::METABOLIC),
        visits: 8,
        restricted: true,
        advice: "Attends the weekly group.",
        ..BASE
    },
    Chronic {
        snomed: snomed("75544000", "Opioid dependence"),
        icd: icd10("F11.20", "Opioid dependence, uncomplicated"),
        from_age: 20,
        per_mille: [0, 14, 10, 3],
        first_drug: &[&drugs::BUPRENORPHINE],
        visits: 20,
        restricted: true,
        advice: "Stable on treatment; urine screen as agreed.",
        ..BASE
    },
];
