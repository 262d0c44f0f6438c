//! The words in which people read what an app may do, drawn by the server from SMART scopes (`server/src/smart/scopes.rs`).
//! In Spanish the kinds of records are plurals without an article, so that *sus*, *del paciente* and the verbs fit all.

words! { [pub]
    SCOPE_OPEN_ID: "Know that it is you who signed in.", "Saber que es usted quien inició sesión.";
    SCOPE_USER: "Know your name and role.", "Saber su nombre y su función.";
    SCOPE_LAUNCH: "Know from where it was started.", "Saber desde dónde se inició.";
    SCOPE_LAUNCH_PATIENT: "Know which patient is chosen.", "Saber qué paciente se ha elegido.";
    SCOPE_LAUNCH_VISIT: "Know which visit is open.", "Saber qué visita está abierta.";
    SCOPE_OFFLINE: "Keep its access when you are not there, until you take it away.", "Conservar su acceso cuando usted no está, hasta que se lo retire.";
    SCOPE_ONLINE: "Keep its access for as long as you are signed in.", "Conservar su acceso mientras usted tenga la sesión abierta.";

    // What is done.
    SCOPE_SEE: "see", "ver";
    SCOPE_OPEN: "open, when it knows which,", "abrir, si sabe cuáles,";
    SCOPE_LOOK_UP: "look up", "buscar";
    SCOPE_ADD: "add", "añadir";
    SCOPE_CHANGE: "change", "modificar";
    SCOPE_DELETE: "delete", "eliminar";
    SCOPE_AND: "{} and {}", "{} y {}";
    SCOPE_OR: "{} or {}", "{} o {}";

    // Whose.
    SCOPE_YOUR: "your {}", "sus {}";
    SCOPE_PATIENTS: "the patient’s {}", "{} del paciente";
    SCOPE_ANYBODYS: "any patient’s {}, as far as you may yourself", "{} de cualquier paciente, hasta donde usted puede";

    // Which.
    SCOPE_ONLY: "{}, only {}", "{}, solo {}";
    SCOPE_THOSE: "those whose {} is {}", "los de «{}»: {}";
    SCOPE_CATEGORY: "category", "categoría";
    SCOPE_EVERY_KIND: "records of every kind", "datos de todo tipo";
    SCOPE_OF_KIND: "records of the kind {}", "datos del tipo {}";
    KIND_PATIENT: "name, address and other personal details", "datos personales, como nombre y dirección";
    KIND_ALLERGY: "allergies and intolerances", "alergias e intolerancias";
    KIND_APPOINTMENT: "appointments", "citas";
    KIND_CARE_PLAN: "care plans", "planes de cuidados";
    KIND_CARE_TEAM: "care teams", "equipos de atención";
    KIND_CLAIM: "claims", "reclamaciones al seguro";
    KIND_MESSAGE: "messages", "mensajes";
    KIND_CONDITION: "problems, diagnoses and health concerns", "problemas, diagnósticos e inquietudes de salud";
    KIND_CONSENT: "consents", "consentimientos";
    KIND_COVERAGE: "insurance coverage", "coberturas de seguro";
    KIND_DEVICE: "implants and other devices", "implantes y otros dispositivos";
    KIND_REPORT: "reports of laboratories and imaging", "informes de laboratorio y de imagen";
    KIND_DOCUMENT: "notes and documents", "notas y documentos";
    KIND_VISIT: "visits and stays", "visitas y estancias";
    KIND_EXPLANATION: "explanations of benefits", "explicaciones de beneficios";
    KIND_FAMILY: "family history", "antecedentes familiares";
    KIND_GOAL: "goals", "objetivos";
    KIND_IMMUNIZATION: "immunizations", "vacunas";
    KIND_LOCATION: "places of care", "lugares de atención";
    KIND_MEDIA: "pictures and recordings", "imágenes y grabaciones";
    KIND_MEDICINE: "medicines", "medicamentos";
    KIND_DISPENSE: "dispensed medicines", "medicamentos dispensados";
    KIND_PRESCRIPTION: "prescriptions", "recetas";
    KIND_TAKEN: "medicines taken", "medicamentos que se toman";
    KIND_OBSERVATION: "measurements, laboratory results and social history", "mediciones, resultados de laboratorio y antecedentes sociales";
    KIND_ORGANIZATION: "organizations of care", "organizaciones de atención";
    KIND_PRACTITIONER: "clinicians", "profesionales clínicos";
    KIND_PROCEDURE: "procedures and operations", "procedimientos y operaciones";
    KIND_PROVENANCE: "who recorded what", "anotaciones de quién registró qué";
    KIND_ANSWERS: "answers to questionnaires", "respuestas a cuestionarios";
    KIND_RELATED: "relatives and other contacts", "familiares y otros contactos";
    KIND_ORDER: "orders and referrals", "órdenes y derivaciones";
    KIND_SPECIMEN: "specimens", "muestras";

    // Categories of conditions and observations.
    CATEGORY_VISIT: "encounter diagnosis", "diagnóstico de una visita";
    CATEGORY_PROBLEM: "problem list item", "lista de problemas";
    CATEGORY_CONCERN: "health concern", "inquietud de salud";
    CATEGORY_SDOH: "sdoh", "determinantes sociales de la salud";
    CATEGORY_FUNCTION: "functional status", "estado funcional";
    CATEGORY_DISABILITY: "disability status", "discapacidad";
    CATEGORY_COGNITION: "cognitive status", "estado cognitivo";
    CATEGORY_LABORATORY: "laboratory", "laboratorio";
    CATEGORY_VITAL: "vital signs", "signos vitales";
    CATEGORY_SOCIAL: "social history", "antecedentes sociales";
    CATEGORY_SURVEY: "survey", "cuestionario";
    CATEGORY_EXAM: "exam", "exploración";
    CATEGORY_IMAGING: "imaging", "imagen";
    CATEGORY_PROCEDURE: "procedure", "procedimiento";
    CATEGORY_THERAPY: "therapy", "terapia";
    CATEGORY_ACTIVITY: "activity", "actividad";
}
