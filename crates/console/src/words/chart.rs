//! The words of a patient's chart.

words! {
    // Parts of a chart.
    CHART_TIMELINE: "Timeline", "Cronología";
    CHART_PROBLEMS: "Problems", "Problemas";
    CHART_MEDICATIONS: "Medications", "Medicación";
    CHART_VITALS: "Vital signs", "Constantes vitales";
    CHART_RESULTS: "Results", "Resultados";
    CHART_VISITS: "Visits", "Visitas";
    CHART_DOCUMENTS: "Notes and documents", "Notas y documentos";
    CHART_IMMUNISATIONS: "Immunisations", "Vacunas";
    CHART_TEAM: "Care team", "Equipo asistencial";
    CHART_COVERAGE: "Coverage", "Cobertura";
    CHART_CONSENTS: "Consents", "Consentimientos";
    CHART_MEASURED: "Measured", "Mediciones";
    CHART_PROCEDURES: "Procedures", "Procedimientos";
    CHART_APPOINTMENTS: "Appointments", "Citas";
    CHART_VISIT: "Visit", "Visita";
    CHART_DOCUMENT: "Document", "Documento";
    CHART_RESULT: "Result", "Resultado";
    CHART_PROBLEM: "Problem", "Problema";
    CHART_ALLERGY: "Allergy", "Alergia";
    CHART_MEDICATION: "Medication", "Medicamento";
    CHART_IMMUNISATION: "Immunisation", "Vacuna";
    CHART_PROCEDURE: "Procedure", "Procedimiento";
    CHART_APPOINTMENT: "Appointment", "Cita";

    // Nothing of it.
    CHART_NO_PROBLEMS: "No active problems are recorded.", "No hay problemas activos registrados.";
    CHART_NO_MEDICATIONS: "No active medications are recorded.", "No hay medicación activa registrada.";
    CHART_NO_VITALS: "No vital signs are recorded.", "No hay constantes registradas.";
    CHART_NO_RESULTS: "No results are recorded.", "No hay resultados registrados.";
    CHART_NO_VISITS: "No visits are recorded.", "No hay visitas registradas.";
    CHART_NO_DOCUMENTS: "No notes or documents are recorded.", "No hay notas ni documentos registrados.";
    CHART_NO_IMMUNISATIONS: "No immunisations are recorded.", "No hay vacunas registradas.";
    CHART_NO_TEAM: "No care team is recorded.", "No hay equipo asistencial registrado.";
    CHART_NO_COVERAGE: "No coverage in force is recorded.", "No hay cobertura vigente registrada.";
    CHART_NO_CONSENTS: "No consent in force is recorded.", "No hay consentimientos vigentes registrados.";
    CHART_ALLERGIES_UNRECORDED: "Nobody recorded whether there are allergies.", "Nadie ha registrado si hay alergias.";
    CHART_OTHERS_UNRECORDED: "Of other kinds of allergies nothing is recorded.", "De otros tipos de alergia no hay nada registrado.";
    CHART_NOTHING: "Nothing to show", "Nada que mostrar";
    CHART_NOTHING_WHY: "The chart holds nothing of what is chosen, or nothing that your role may see.", "La historia no contiene nada de lo elegido, o nada que su función pueda ver.";
    CHART_NO_DATE: "No date", "Sin fecha";
    CHART_UNTOLD: "None is shown to you", "No se le muestra ninguna";

    // How far it is the whole.
    CHART_SHOWN: "{} of {} are shown.", "Se muestran {} de {}.";
    CHART_MAY_WITHHOLD: "Some may be withheld from you", "Puede que parte se le reserve";
    CHART_MASKED: "Parts of these records are left out for your role.", "Partes de estos registros se omiten para su función.";
    CHART_NOT_SHOWN: "{} of its results are not shown.", "{} de sus resultados no se muestran.";
    CHART_RECORDS: "{} records", "{} registros";
    CHART_AS_OF: "As of {}", "A fecha de {}";

    // Marks.
    CHART_FREE_TEXT: "free text", "texto libre";
    CHART_UNCONFIRMED: "Not confirmed", "Sin confirmar";
    CHART_OF_VISIT: "of a visit", "de una visita";
    CHART_ON_HOLD: "On hold", "En pausa";
    CHART_AS_TOLD: "as told", "según refiere";
    CHART_HIGH_RISK: "High risk", "Riesgo alto";
    CHART_NOT_ACTIVE: "Not active", "No activa";
    CHART_NOT_GIVEN: "Not given", "No administrada";
    CHART_GOES_ON: "Going on", "En curso";
    CHART_IN_ERROR: "Entered in error", "Registrado por error";
    CHART_PRELIMINARY: "Preliminary", "Preliminar";
    CHART_CORRECTED: "Corrected", "Corregido";
    CHART_DENIES: "Denies", "Deniega";
    CHART_PERMITS: "Permits", "Permite";
    CHART_SINCE: "since {}", "desde {}";
    CHART_UNTIL: "until {}", "hasta {}";
    CHART_PLANNED: "Planned", "Prevista";
    CHART_FINISHED: "Finished", "Terminada";

    // What was measured.
    CHART_SIGN: "Sign", "Constante";
    CHART_LATEST: "Latest", "Último valor";
    CHART_TREND: "Trend", "Evolución";
    CHART_TREND_SAID: "{}: {} values, lowest {}, highest {}", "{}: {} valores, mínimo {}, máximo {}";
    CHART_PRESSURE: "Blood pressure", "Presión arterial";
    CHART_PULSE: "Heart rate", "Frecuencia cardíaca";
    CHART_TEMPERATURE: "Temperature", "Temperatura";
    CHART_BREATHS: "Respiratory rate", "Frecuencia respiratoria";
    CHART_SATURATION: "Oxygen saturation", "Saturación de oxígeno";
    CHART_WEIGHT: "Weight", "Peso";
    CHART_HEIGHT: "Height", "Talla";
    CHART_BODY_MASS: "Body mass index", "Índice de masa corporal";
    CHART_PAIN: "Pain", "Dolor";
    CHART_GLUCOSE: "Glucose", "Glucosa";
    CHART_ABNORMAL: "{} to look at", "{} por revisar";
    CHART_TEST: "Test", "Prueba";
    CHART_RANGE: "Reference", "Referencia";
    CHART_LOOSE: "Results in no report", "Resultados sin informe";
    CHART_CRITICAL: "Critical", "Crítico";
    CHART_LOW: "Low", "Bajo";
    CHART_HIGH: "High", "Alto";
    CHART_ODD: "Abnormal", "Anormal";

    // What can be done.
    CHART_ENTER_VITALS: "Enter vital signs", "Registrar constantes";
    CHART_ADD_PROBLEM: "Add a problem", "Añadir un problema";
    CHART_ADD_ALLERGY: "Add an allergy", "Añadir una alergia";
    CHART_ADD_MEDICATION: "Add a medication", "Añadir un medicamento";
    CHART_WRITE_NOTE: "Write a note", "Escribir una nota";
    CHART_PRINT: "Print", "Imprimir";
    CHART_PRINT_HOW: "Print this page by the browser. The banner stands on every sheet.", "Imprima esta página desde el navegador. Los datos del paciente figuran en cada hoja.";
    CHART_BACK: "Back to the summary", "Volver al resumen";
    CHART_HISTORY: "History", "Cambios";

    // What was done.
    CHART_DID_VITALS: "The vital signs were kept.", "Se guardaron las constantes.";
    CHART_DID_ADD: "It was added to the chart.", "Se añadió a la historia.";
    CHART_DID_CHANGE: "The change was kept.", "Se guardó el cambio.";
    CHART_DID_END: "It was ended.", "Se dio por terminado.";
    CHART_DID_ERROR: "It was marked as entered in error.", "Se marcó como registrado por error.";
    CHART_DID_UNDO: "It was taken back: marked as entered in error.", "Se deshizo: queda marcado como registrado por error.";
    CHART_DID_SIGN: "It was signed.", "Se firmó.";
    CHART_DID_DRAFT: "The draft was kept.", "Se guardó el borrador.";
    CHART_DID_DROP: "The draft was thrown away.", "Se descartó el borrador.";
    CHART_DROPPED: "What you sent last was not kept", "Lo último que envió no se guardó";
    CHART_DROPPED_WHY: "This form was kept before with other values, and those stand in the chart. To change them, mark them as entered in error and enter them anew.", "Este formulario ya se guardó con otros valores, que son los que constan. Para cambiarlos, márquelos como registrados por error e introdúzcalos de nuevo.";
    CHART_UNDO_REASON: "Taken back right after it was entered", "Deshecho justo después de registrarlo";

    // What went wrong.
    CHART_WRONG_PATIENT: "This form belongs to another patient's chart", "Este formulario pertenece a la historia de otro paciente";
    CHART_WRONG_PATIENT_WHY: "It was opened in one chart and sent to another. Nothing was kept. Open the right chart and enter it there.", "Se abrió en una historia y se envió a otra. No se guardó nada. Abra la historia correcta e introdúzcalo allí.";
    CHART_OPENED_FOR: "It was opened for", "Se abrió para";
    CHART_THIS_IS: "This is the chart of", "Esta es la historia de";
    CHART_GO_THERE: "Go to that chart", "Ir a esa historia";
    CHART_NOT_KEPT: "It was not kept", "No se guardó";
    CHART_NOT_KEPT_WHY: "What you typed stands below. Try again; if it goes on, tell whoever runs this server the code.", "Lo que escribió sigue abajo. Inténtelo de nuevo; si continúa, comunique el código a quien administra el servidor.";
    CHART_DUPLICATE: "The chart has an active one of these already.", "La historia ya tiene uno activo.";
    CHART_CHANGED_SINCE: "Somebody changed it since it was shown to you. Below it stands as it is now, with what you typed; look at it, and send it again if it still holds.", "Alguien lo cambió desde que se le mostró. Abajo figura como está ahora, con lo que usted escribió; revíselo y envíelo de nuevo si sigue siendo válido.";
    CHART_SEE_CHANGES: "See what was changed", "Ver qué se cambió";
    CHART_ENDED_ALREADY: "The record is not in a state in which this can be done: it has ended, or was entered in error.", "El registro no está en un estado que lo permita: ha terminado o se registró por error.";
    CHART_VALUE_WRONG: "A field holds what cannot be charted. Look at the fields.", "Un campo contiene algo que no se puede registrar. Revise los campos.";
    CHART_LINE_WRONG: "The line is not understood as a whole. Nothing of it was kept.", "La línea no se entiende entera. No se guardó nada de ella.";
    CHART_LINE_EMPTY: "Type at least one value.", "Escriba al menos un valor.";
    CHART_NO_SIGNER: "Notes are signed by practitioners of this house, and a second signature is somebody else's.", "Las notas las firman profesionales de esta casa, y la segunda firma es de otra persona.";
    CHART_ALTERED: "Not as it was signed", "No está como se firmó";
    CHART_ALTERED_WHY: "Something of this note was changed after it was signed. Its history shows what.", "Algo de esta nota se cambió después de firmarla. Sus cambios muestran qué.";
    CHART_DRAFT_CHANGED: "Another window kept this draft since. What you typed here stands below, and is kept as a draft of its own.", "Otra ventana guardó este borrador después. Lo que escribió aquí sigue abajo y se guardará como otro borrador.";
    CHART_DRAFT_LARGE: "The draft is too long. Sign a part of it and go on in an addendum.", "El borrador es demasiado largo. Firme una parte y continúe en una adenda.";
    CHART_DRAFT_MANY: "You have too many drafts. Sign or throw away some of them.", "Tiene demasiados borradores. Firme o descarte algunos.";

    // Vital signs in a line.
    CHART_LINE: "What was measured", "Lo que se midió";
    CHART_LINE_HINT: "In one line, such as 120/80 72 36.8 98% 70kg, or with names: bp 120/80 hr 72 rr 16 ht 178cm pain 3", "En una línea, como 120/80 72 36.8 98% 70kg, o con nombres: bp 120/80 hr 72 rr 16 ht 178cm pain 3";
    CHART_MEASURED_AT: "When it was measured", "Cuándo se midió";
    CHART_MEASURED_AT_HINT: "Empty is now.", "Vacío es ahora.";
    CHART_TIME_WRONG: "Give a day and time that have been.", "Indique un día y hora ya pasados.";
    CHART_KEEP: "Keep", "Guardar";
    CHART_KEEP_ALL_THE_SAME: "Keep all the same", "Guardar de todos modos";
    CHART_CHECK: "Check first", "Comprobar antes";
    CHART_REMARK: "Remark", "Observación";
    CHART_FOLLOWS: "follows from weight and height", "resulta de peso y talla";
    CHART_LOOK_TWICE: "Look at it twice", "Mírelo dos veces";
    CHART_LOOK_TWICE_WHY: "Nothing was kept yet. What is remarked on below can be true; if it is, keep it.", "Aún no se guardó nada. Lo señalado abajo puede ser cierto; si lo es, guárdelo.";
    CHART_BOUNDS_SOURCE: "Remarks are for looking twice, not for a diagnosis. For children: rates and low pressures of Pediatric Advanced Life Support (AHA), high pressures of the American Academy of Pediatrics' screening table of 2017.", "Las observaciones son para mirar dos veces, no para diagnosticar. En niños: frecuencias y presiones bajas de Pediatric Advanced Life Support (AHA), presiones altas de la tabla de cribado de 2017 de la American Academy of Pediatrics.";
    CHART_DOUBT_LOW: "Low for this age", "Bajo para esta edad";
    CHART_DOUBT_HIGH: "High for this age", "Alto para esta edad";
    CHART_DOUBT_CHANGED: "Far from the last value", "Muy distinto del último";
    CHART_DOUBT_NOT_COMPARED: "The last value has a unit that cannot be compared", "El último valor tiene una unidad no comparable";
    CHART_DOUBT_PULSE_PRESSURE: "The two pressures are unusually close or far apart", "Las dos presiones están inusualmente cerca o lejos";
    CHART_DOUBT_BODY: "Weight and height do not fit each other", "Peso y talla no concuerdan";
    CHART_WRONG_LONG: "The line is too long; enter it in two.", "La línea es demasiado larga; divídala en dos.";
    CHART_WRONG_NAME: "This could be several signs, or is none. Put its name before it: bp, hr, t, rr, spo2, wt, ht, pain or glucose.", "Puede ser de varias constantes, o de ninguna. Anteponga su nombre: bp, hr, t, rr, spo2, wt, ht, pain o glucose.";
    CHART_WRONG_NO_VALUE: "A value follows the name.", "Al nombre le sigue un valor.";
    CHART_WRONG_VALUE: "This is no value of the sign.", "No es un valor de esta constante.";
    CHART_WRONG_COMMA: "Write decimals with a point.", "Escriba los decimales con punto.";
    CHART_WRONG_UNIT: "This is not a unit of the sign.", "No es una unidad de esta constante.";
    CHART_WRONG_UNIT_MISSING: "Say the unit: without it the value could mean two things.", "Indique la unidad: sin ella el valor puede significar dos cosas.";
    CHART_WRONG_TWICE: "The sign stands in the line already.", "La constante ya figura en la línea.";
    CHART_WRONG_IMPOSSIBLE: "The value is outside of what is possible.", "El valor está fuera de lo posible.";
    CHART_WRONG_REVERSED: "The systolic pressure comes first and is the higher.", "La presión sistólica va primero y es la mayor.";

    // Adding and changing.
    CHART_ALLERGY_TO: "Allergic to", "Alergia a";
    CHART_TYPE_HINT: "Type, and choose what was charted here before, or leave it in your own words.", "Escriba y elija lo ya registrado aquí, o déjelo con sus palabras.";
    CHART_OFFERS: "Charted here before", "Ya registrado aquí";
    CHART_CODED: "With a code, as it was charted here before.", "Con código, como ya se registró aquí.";
    CHART_FREE_SAID: "In your own words: it is kept without a code.", "Con sus palabras: se guarda sin código.";
    CHART_SAY_WHAT: "Say what, in some words.", "Diga qué, en pocas palabras.";
    CHART_SAY_WHY: "Say why, in some words.", "Diga por qué, en pocas palabras.";
    CHART_TOO_LONG: "It is too long, or holds signs that are no text.", "Es demasiado largo o contiene signos que no son texto.";
    CHART_SINCE_WHEN: "Since", "Desde";
    CHART_DATE_HINT: "A year, a month or a day, such as 2019, 2019-03 or 14-Mar-2019.", "Un año, un mes o un día, como 2019, 2019-03 o 14-mar-2019.";
    CHART_DATE_WRONG: "Give a year, a month or one day that has been.", "Indique un año, un mes o un día ya pasado.";
    CHART_NOTE: "Remark to it", "Comentario";
    CHART_NOTHING_CHANGED: "Nothing was changed: give another date, or a remark.", "No se cambió nada: indique otra fecha o un comentario.";
    CHART_OPTIONAL: "May be left empty.", "Puede quedar vacío.";
    CHART_NOTE_ADDED: "It is added to those there are.", "Se añade a los existentes.";
    CHART_NOTE_WHY: "Say what is known now.", "Diga qué se sabe ahora.";
    CHART_REACTIONS: "How it showed", "Cómo se manifestó";
    CHART_REACTIONS_HINT: "Such as hives, swelling. May be left empty.", "Como urticaria, hinchazón. Puede quedar vacío.";
    CHART_CRITICALITY: "How grave it could be", "Qué gravedad podría tener";
    CHART_RISK_HIGH: "Life-threatening", "Con riesgo vital";
    CHART_RISK_LOW: "Not life-threatening", "Sin riesgo vital";
    CHART_RISK_UNKNOWN: "It is not known", "No se sabe";
    CHART_DOSAGE: "How it is taken", "Cómo se toma";
    CHART_DOSAGE_HINT: "In words, such as 1 tablet each morning.", "En palabras, como 1 comprimido cada mañana.";
    CHART_TWICE: "The chart has one of these", "La historia ya tiene uno";
    CHART_TWICE_WHY: "An active one has the same name. Change that one, or say below that this is another.", "Hay uno activo con el mismo nombre. Cambie ese, o indique abajo que este es otro.";
    CHART_ANOTHER: "This is another one", "Este es otro";
    CHART_NONE_KNOWN_WHY: "Record it when somebody asked and there are none. The first allergy that is added ends it.", "Regístrelo cuando se haya preguntado y no haya ninguna. La primera alergia que se añada lo termina.";
    CHART_RECORD_NONE: "Record that none is known", "Registrar que no se conoce ninguna";
    CHART_EDIT: "Change it", "Cambiarlo";
    CHART_KEEP_CHANGE: "Keep the change", "Guardar el cambio";
    CHART_RESOLVE: "It is over", "Ha terminado";
    CHART_RESOLVE_HINT: "How it ended.", "Cómo terminó.";
    CHART_RESOLVE_ALLERGY: "It is no allergy any more", "Ya no es alergia";
    CHART_RESOLVE_ALLERGY_HINT: "How that is known.", "Cómo se sabe.";
    CHART_STOP: "Stop it", "Suspenderlo";
    CHART_STOP_HINT: "Such as a side effect, or the course is done.", "Como un efecto adverso, o fin del tratamiento.";
    CHART_ENDED_WHEN: "When it ended", "Cuándo terminó";
    CHART_REASON_WHY: "Reason", "Razón";
    CHART_MARK_ERROR: "Mark as entered in error", "Marcar como registrado por error";
    CHART_MARK_ERROR_HINT: "It stays in the history, and counts no more.", "Queda en el registro de cambios y deja de contar.";
    CHART_IN_ERROR_WHY: "It was entered in error and is changed no more; enter it anew.", "Se registró por error y ya no se cambia; regístrelo de nuevo.";

    // The timeline and visits.
    CHART_KINDS: "Kinds", "Tipos";
    CHART_FROM: "From", "Desde el";
    CHART_UNTIL_DAY: "Until", "Hasta el";
    CHART_BY: "By", "De";
    CHART_ANYBODY: "Anybody", "Cualquiera";
    CHART_CHOSEN: "The one chosen", "La persona elegida";
    CHART_SHOW: "Show", "Mostrar";
    CHART_SHOW_ALL: "Show all", "Mostrar todo";
    CHART_OLDER: "Older", "Más antiguos";
    CHART_NEWEST: "Newest", "Más recientes";
    CHART_BEGAN: "Began", "Comienzo";
    CHART_ENDED: "Ended", "Fin";
    CHART_CLASS: "Class", "Clase";
    CHART_REASON: "Came for", "Motivo de la visita";
    CHART_WHO: "Took part", "Participaron";
    CHART_OF_THIS_VISIT: "Of this visit", "De esta visita";
    CHART_ALL_OF_VISIT: "All of this visit", "Todo lo de esta visita";

    // History.
    CHART_HISTORY_OF: "History of {}", "Cambios de {}";
    CHART_VERSIONS: "Versions", "Versiones";
    CHART_NEVER_CHANGED: "It was never changed.", "Nunca se ha cambiado.";
    CHART_WHAT: "Element", "Elemento";
    CHART_BEFORE: "Stood there", "Ponía";
    CHART_AFTER: "Stands there", "Pone";
    CHART_NOT_THERE: "nothing", "nada";
    CHART_BETWEEN: "From version {} to version {}", "De la versión {} a la versión {}";
    CHART_SAME: "The two say the same.", "Las dos dicen lo mismo.";
    CHART_CUT: "There are more differences than are shown", "Hay más diferencias de las que se muestran";
    CHART_OLD: "Old", "Antes";
    CHART_NEW: "New", "Después";
    CHART_DELETED: "deleted", "borrada";
    CHART_MORE_VERSIONS: "There are older versions.", "Hay versiones más antiguas.";
    CHART_COMPARE: "Compare", "Comparar";

    // Notes.
    CHART_PROGRESS: "Progress note", "Nota de evolución";
    CHART_CONSULTATION: "Consultation note", "Nota de consulta";
    CHART_HISTORY_PHYSICAL: "History and physical note", "Anamnesis y exploración";
    CHART_TELEPHONE: "Telephone note", "Nota telefónica";
    CHART_NURSING: "Nursing note", "Nota de enfermería";
    CHART_ADDENDUM: "Addendum", "Adenda";
    CHART_NOTE_KIND: "Kind of note", "Tipo de nota";
    CHART_NOTE_TITLE: "Title", "Título";
    CHART_NOTE_TEXT: "Text", "Texto";
    CHART_NOTE_EMPTY: "A note has some text.", "Una nota tiene algún texto.";
    CHART_SIGN_NOTE: "Sign", "Firmar";
    CHART_KEEP_DRAFT: "Keep the draft", "Guardar el borrador";
    CHART_DROP_DRAFT: "Throw the draft away", "Descartar el borrador";
    CHART_DRAFT_KEPT: "Draft kept at {}", "Borrador guardado a las {}";
    CHART_DRAFT_BROKEN: "The server does not answer. The draft is not kept; it is tried again.", "El servidor no responde. El borrador no se ha guardado; se reintenta.";
    CHART_DRAFTS: "Your drafts", "Sus borradores";
    CHART_TEMPLATES: "Begin with a template", "Empezar con una plantilla";
    CHART_TEMPLATES_WHY: "What a template takes from the chart is marked as copied.", "Lo que una plantilla toma de la historia queda marcado como copiado.";
    CHART_SIGNED_STAYS: "A draft is yours alone. What is signed is not changed any more; an addendum adds to it.", "Un borrador es solo suyo. Lo firmado ya no se cambia; una adenda lo completa.";
    CHART_TEMPLATE_PROGRESS: "Subjective:\n\nObjective:\n/vitals\n\nAssessment:\n/problems\n\nPlan:\n", "Subjetivo:\n\nObjetivo:\n/vitals\n\nValoración:\n/problems\n\nPlan:\n";
    CHART_TEMPLATE_CONSULTATION: "Question:\n\nHistory:\n/problems\n/meds\n\nFindings:\n/vitals\n\nOpinion:\n\nAdvice:\n", "Pregunta:\n\nAntecedentes:\n/problems\n/meds\n\nHallazgos:\n/vitals\n\nOpinión:\n\nRecomendaciones:\n";
    CHART_TEMPLATE_HISTORY: "Reason:\n\nHistory:\n/problems\n\nMedications:\n/meds\n\nAllergies:\n/allergies\n\nExamination:\n/vitals\n\nAssessment:\n\nPlan:\n", "Motivo:\n\nAntecedentes:\n/problems\n\nMedicación:\n/meds\n\nAlergias:\n/allergies\n\nExploración:\n/vitals\n\nValoración:\n\nPlan:\n";
    CHART_TEMPLATE_TELEPHONE: "Called:\n\nReason:\n\nAdvised:\n", "Llamada de:\n\nMotivo:\n\nIndicaciones:\n";
    CHART_TEMPLATE_NURSING: "Observed:\n/vitals\n\nDone:\n\nHanded over:\n", "Observado:\n/vitals\n\nRealizado:\n\nRelevo:\n";
    CHART_AS_SIGNED: "As signed", "Como se firmó";
    CHART_CO_SIGNED: "Second signature", "Segunda firma";
    CHART_CO_SIGN: "Sign it too", "Firmarla también";
    CHART_CO_SIGN_WHY: "You sign what its author signed, as it stands.", "Firma lo que firmó su autor, tal como está.";
    CHART_ADD_ADDENDUM: "Add to it", "Añadir una adenda";
    CHART_SIGN_ADDENDUM: "Sign the addendum", "Firmar la adenda";
    CHART_MORE_ADDENDA: "There are more addenda.", "Hay más adendas.";
    CHART_NO_TEXT: "This document holds no plain text that can be shown here.", "Este documento no contiene texto que se pueda mostrar aquí.";
}
