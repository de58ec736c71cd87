"""Medical record and health plan numbers (HIPAA 45 CFR 164.514(b)(2)(i)(H), (I)), beside the word."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="medical_record",
    entity="MEDICAL_RECORD_NUMBER",
    words=r"(?:\bmrn\b|medical.record|\bpatient.?(?:id\b|no\b|number|nr\b)|chart (?:no|number)|health.plan|member.id\b|subscriber.id\b|krankenversicher|versichertennummer)",
    form=r"(?i:[A-Z]{0,4})-?\d{5,12}(?:-\d{1,4})?",
    reach=20,
    keys={
        "mrn",
        "medicalrecordnumber",
        "patientid",
        "patientnumber",
        "healthplanid",
        "subscriberid",
    },
    examples=(
        "MRN: «00123456», medical record number «A-1234567»",
        "patient ID «PT123456», «12345678» (MRN), Versichertennummer «A123456780»",
    ),
    counterexamples=(
        "medical records of 2024, order 12345678, patient number 3",
        "the patient identified 12345678 cells",
    ),
)
