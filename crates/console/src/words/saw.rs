//! The words of who saw a record. The record tells each access in English, for every door; here the same
//! sentences stand in each language, found by the English one.

words! {
    SAW_REFUSED: "tried to, and was refused", "lo intentó y se le denegó";
    SAW_FAILED: "tried to, and it failed", "lo intentó y no se pudo";
    SAW_PART: "opened a part of the record", "abrió una parte del historial";
    SAW_SEARCHED: "searched, and was shown parts of the record", "buscó y vio partes del historial";
    SAW_CHANGES: "looked at how the record changed", "vio cómo cambió el historial";
    SAW_GLASS: "opened the record in an emergency", "abrió el historial en una emergencia";
    SAW_WHOLE: "looked at the whole record", "vio el historial completo";
    SAW_CHART: "opened the chart", "abrió la historia clínica";
    SAW_DRAFT: "wrote on a note that is not signed yet", "escribió en una nota aún sin firmar";
    SAW_DRAFT_READ: "read their own note that is not signed yet", "leyó su propia nota aún sin firmar";
    SAW_DRAFT_DROPPED: "threw away their own note that was not signed", "descartó su propia nota sin firmar";
    SAW_LINKED: "linked the record with another of the same patient, or parted them", "unió el historial con otro del mismo paciente, o los separó";
    SAW_TWIN: "decided whether another record is of the same patient", "decidió si otro historial es del mismo paciente";
    SAW_REMINDED: "reminded you of a visit", "le recordó una visita";
    SAW_ADDED: "added to the record", "añadió al historial";
    SAW_CHANGED: "changed the record", "cambió el historial";
    SAW_DELETED: "deleted a part of the record", "eliminó una parte del historial";
    SAW_ADDED_OR_CHANGED: "added to or changed the record", "añadió al historial o lo cambió";
    SAW_LOADED: "loaded the record into the system", "cargó el historial en el sistema";
    SAW_COPIED: "copied the record out of the system", "copió el historial fuera del sistema";
    SAW_ASKED: "asked about it", "preguntó por él";
    SAW_NO_REASON: "no reason is recorded", "no consta el motivo";
    SAW_EMERGENCY: "in an emergency", "en una emergencia";
    SAW_EMERGENCY_WHY: "in an emergency: {}", "en una emergencia: {}";
    SAW_TREATMENT: "for treatment", "para el tratamiento";
    SAW_URGENT: "for treatment in an emergency", "para el tratamiento en una emergencia";
    SAW_PAYMENT: "for payment", "para el pago";
    SAW_OPERATIONS: "to run the clinic", "para el funcionamiento de la clínica";
    SAW_WANTED: "at the patient's or the family's request", "a petición del paciente o de la familia";
    SAW_RESEARCH: "for research", "para la investigación";
    SAW_PUBLIC: "for public health", "para la salud pública";
    SAW_LEGAL: "for a legal reason", "por un motivo legal";
    SAW_COMPLIANCE: "to check that the rules are kept", "para comprobar que se cumplen las normas";
    SAW_PURPOSE: "for the purpose {}", "con el fin {}";
    SAW_PERMITTED: "permitted by {}", "permitido por {}";
    SAW_MACHINE: "somebody at the clinic's own machine", "alguien en el equipo de la propia clínica";
    SAW_UNREADABLE: "somebody whose account cannot be read", "alguien cuya cuenta no se puede leer";
    SAW_PATIENT: "a patient", "un paciente";
    SAW_SPEAKER: "somebody who speaks for a patient", "alguien que habla por un paciente";
    SAW_STAFF: "staff", "personal";
    SAW_STAFF_AS: "staff: {}", "personal: {}";
    SAW_PROGRAM: "a program of the clinic", "un programa de la clínica";
    SAW_APP: "the app {}", "la aplicación {}";
    SAW_ASSISTANT: "the assistant {}", "el asistente {}";
}
