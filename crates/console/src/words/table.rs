//! The catalogue: every word of the pages, in English and in Spanish. `{}` stands for what is filled in.
//! English is written first, in plain words and sentence case; a button says what it does.

words! {
    // Roles.
    CLINICIAN: "Clinician", "Profesional clínico";
    NURSE: "Nurse", "Enfermería";
    FRONT_DESK: "Front desk", "Recepción";
    BILLER: "Billing", "Facturación";
    HIM: "Health information", "Archivo clínico";
    PRIVACY_OFFICER: "Privacy officer", "Responsable de privacidad";
    IT_ADMINISTRATOR: "IT administrator", "Administrador de sistemas";
    AUDITOR: "Auditor", "Auditoría";
    PATIENT: "Patient", "Paciente";
    PROGRAM: "System program", "Programa del sistema";
    PROXY: "Parent or guardian", "Padre, madre o tutor";

    // Coming in.
    WELCOME: "Who do you want to be?", "¿Quién quiere ser?";
    WELCOME_WHY: "Each of these people works or is cared for at the demo clinic, and sees what their role may see. Choose one; you can change at any time by signing out.", "Cada una de estas personas trabaja o es atendida en la clínica de demostración y ve lo que su función permite. Elija una; puede cambiar en cualquier momento cerrando la sesión.";
    SIGN_IN_AS: "Sign in as {}", "Entrar como {}";
    SIGN_IN_BY_NAME: "Sign in by name and password", "Entrar con nombre y contraseña";
    DEMO_CHANGED: "That password was changed since the demo started.", "Esa contraseña se cambió desde que empezó la demostración.";
    ABOUT_CLINICIAN: "Sees the patients of the site and of the panel, and their whole chart.", "Ve a los pacientes del centro y los suyos, con su historia completa.";
    ABOUT_NURSE: "Sees the patients of the site, and records what is measured and given.", "Ve a los pacientes del centro y registra lo que se mide y administra.";
    ABOUT_FRONT_DESK: "Books and receives patients; sees who they are, not what they have.", "Cita y recibe a los pacientes; ve quiénes son, no qué tienen.";
    ABOUT_BILLER: "Sees what is billed and to whom.", "Ve lo que se factura y a quién.";
    ABOUT_HIM: "Keeps the record, and hands it out where the law says so.", "Custodia el historial y lo entrega cuando la ley lo dispone.";
    ABOUT_PRIVACY_OFFICER: "Reads the access log, and decides what stood out in it.", "Lee el registro de accesos y decide sobre lo que llama la atención.";
    ABOUT_IT_ADMINISTRATOR: "Runs the server; sees no patient.", "Mantiene el servidor; no ve a ningún paciente.";
    ABOUT_AUDITOR: "Checks who did what; sees no chart.", "Comprueba quién hizo qué; no ve historias clínicas.";
    ABOUT_PATIENT: "Sees their own record, and who looked at it.", "Ve su propio historial y quién lo ha consultado.";
    ABOUT_PROXY: "Sees the record of a child they care for.", "Ve el historial de un menor a su cargo.";

    // Finding.
    FIND: "Find", "Buscar";
    FIND_LABEL: "Name, date of birth, record number or phone number", "Nombre, fecha de nacimiento, número de historia o teléfono";
    FIND_HINT: "The beginning of a name is enough. Several together narrow it down.", "Basta el comienzo del nombre. Varios datos juntos acotan la búsqueda.";
    FIND_HINT_PLACES: "The beginning of its name is enough.", "Basta el comienzo de su nombre.";
    FIND_BY_NAME: "By name", "Por nombre";
    FIND_BY_BIRTH: "By date of birth", "Por fecha de nacimiento";
    FIND_BY_NUMBER: "By record number", "Por número de historia";
    FIND_BY_PHONE: "By phone number", "Por teléfono";
    FIND_BY_BOTH: "By several", "Por varios";
    UNDERSTOOD: "Read as", "Se entendió como";
    NOTHING_FOUND: "Nothing was found", "No se encontró nada";
    NOTHING_FOUND_WHY: "Type the beginning of a name, or of a place.", "Escriba el comienzo de un nombre o de un lugar.";
    NOBODY_FOUND: "No patient was found for you", "No se encontró ningún paciente para usted";
    NOBODY_FOUND_WHY: "Check the spelling, or type less of it. You find the patients that your role may see.", "Revise la ortografía o escriba menos. Encuentra a los pacientes que su función puede ver.";
    ONE_PATIENT: "1 patient", "1 paciente";
    MANY_PATIENTS: "{} patients", "{} pacientes";
    MORE_FOUND: "There are more. Type more of the name, or the date of birth.", "Hay más. Escriba más del nombre o la fecha de nacimiento.";
    SAME_NAME: "Same name", "Mismo nombre";
    SAME_NAME_WHY: "Several of these patients have the same name. Compare the date of birth and the record number.", "Varios de estos pacientes se llaman igual. Compare la fecha de nacimiento y el número de historia.";

    // A patient.
    BANNER: "Patient banner", "Datos del paciente";
    NAME: "Name", "Nombre";
    NO_NAME: "Name not known", "Nombre no conocido";
    BORN: "Born", "Nacimiento";
    GENDER: "Gender", "Sexo";
    FEMALE: "Female", "Femenino";
    MALE: "Male", "Masculino";
    OTHER_GENDER: "Other", "Otro";
    NOT_KNOWN: "Not known", "No se conoce";
    RECORD_NUMBER: "Record number", "Historia";
    DIED: "Died", "Fallecido";
    DIED_ON: "Died {}", "Falleció el {}";
    NOT_ACTIVE: "Record not in use", "Historial no activo";
    ALLERGIES: "Allergies", "Alergias";
    GRAVE: "{}, high risk", "{}, riesgo alto";
    NO_KNOWN_ALLERGIES: "No known allergies", "Sin alergias conocidas";
    ALLERGIES_NOT_RECORDED: "Not recorded", "Sin registrar";
    AND_MORE: "and more", "y más";
    ALERTS: "Alerts", "Alertas";
    NO_ALERTS: "None", "Ninguna";
    WITHHELD: "Withheld from your role", "Reservado para su función";
    COPY: "Copy {}", "Copiar {}";
    PAGES_OF_PATIENT: "Pages about this patient", "Páginas de este paciente";
    SUMMARY: "Summary", "Resumen";
    WHO_SAW: "Who saw this record", "Quién vio este historial";
    ABOUT_THEM: "About", "Datos personales";
    NUMBERS: "Numbers", "Números";
    SPOKEN: "Language", "Idioma";
    MARITAL: "Marital status", "Estado civil";
    REACH: "Contact", "Contacto";
    RELATIVES: "People to reach", "Personas de contacto";
    PHONE: "Phone", "Teléfono";
    EMAIL: "E-mail", "Correo electrónico";
    FAX: "Telefax", "Fax";
    AT_HOME: "home", "casa";
    AT_WORK: "work", "trabajo";
    MOBILE: "mobile", "móvil";

    // Appointments.
    APPOINTMENTS_AHEAD: "Next appointments", "Próximas citas";
    APPOINTMENTS_PAST: "Past appointments", "Citas anteriores";
    APPOINTMENTS_TODAY: "Appointments today", "Citas de hoy";
    MY_APPOINTMENTS: "My appointments today", "Mis citas de hoy";
    ONE_APPOINTMENT: "1 appointment", "1 cita";
    MANY_APPOINTMENTS: "{} appointments", "{} citas";
    NONE_AHEAD: "None is booked.", "No hay ninguna.";
    NONE_PAST: "There was none.", "No hubo ninguna.";
    NOBODY_COMES: "No appointments today", "Hoy no hay citas";
    NOBODY_COMES_WHY: "What is booked appears here.", "Las citas aparecen aquí.";
    NEWEST_ONLY: "The newest {} are shown.", "Se muestran las {} más recientes.";
    FIRST_ONLY: "The first {} are shown.", "Se muestran las {} primeras.";
    WHEN: "When", "Cuándo";
    TIME: "Time", "Hora";
    FOR: "For", "Motivo";
    WITH: "With", "Con";
    STATE: "State", "Estado";
    CHECKUP: "Check-up", "Revisión";
    URGENT: "Urgent", "Urgente";
    FOLLOW_UP: "Follow-up", "Seguimiento";
    ROUTINE: "Routine", "Rutina";
    WALK_IN: "Walk-in", "Sin cita previa";
    BOOKED: "Booked", "Reservada";
    SAID_THEY_COME: "confirmed by the patient", "confirmada por el paciente";
    PENDING: "Not confirmed", "Sin confirmar";
    ARRIVED: "Arrived", "Ha llegado";
    FULFILLED: "Kept", "Realizada";
    CANCELLED: "Cancelled", "Cancelada";
    NO_SHOW: "Did not come", "No vino";

    // Who saw.
    SAW_SINCE: "What is known of the last {} days. Your looking at this is in the log as well.", "Lo que se conoce de los últimos {} días. Su consulta también queda registrada.";
    NOBODY_SAW: "Nobody looked at this record", "Nadie ha consultado este historial";
    NOBODY_SAW_WHY: "Each access to it appears here.", "Cada acceso aparece aquí.";
    WHO: "Who", "Quién";
    DID: "What", "Qué";
    WHY: "Why", "Por qué";
    TIMES: "{} times that day", "{} veces ese día";
    BY_APP: "by the app {}", "con la aplicación {}";
    REFUSED: "Refused", "Denegado";
    EMERGENCY: "Emergency", "Urgencia";

    // Today.
    NOTHING_DUE: "Nothing is due", "Nada pendiente";
    NOTHING_DUE_WHY: "Work that waits for you appears here.", "El trabajo que le espera aparece aquí.";
    CASES_DUE: "Cases of review", "Casos de revisión";
    DUE: "Due", "Vence";
    OVERDUE: "Overdue", "Vencido";
    CASE_ABOUT: "About", "Sobre";
    CASE_GLASS: "Broken glass", "Acceso de urgencia";
    CASE_SIGNAL: "Stood out in the log", "Llamó la atención";
    CASE_OPEN: "Nobody has it", "Sin asignar";
    CASE_ASSIGNED: "Somebody has it", "Asignado";
    NO_ONE_PATIENT: "Not about one patient", "No es de un solo paciente";
    NO_CASES: "No case is open", "No hay casos abiertos";
    NO_CASES_WHY: "Every broken glass, and every access that stands out, opens one.", "Cada acceso de urgencia, y cada acceso que llama la atención, abre uno.";
    SYSTEM: "This server", "Este servidor";
    STORE: "Store", "Almacén";
    ACCESS_LOG: "Access log", "Registro de accesos";
    SIGNATURES: "Signatures of the log", "Firmas del registro";
    AT_REST: "Data at rest", "Datos en reposo";
    COMMITS: "Commits", "Confirmaciones";
    COMMITS_WAIT: "Not yet in the log", "Aún sin registrar";
    WORKS: "Works", "Funciona";
    FAILS: "Fails", "Falla";
    SYSTEM_FAILS: "This server cannot do its work", "Este servidor no puede trabajar";
    SYSTEM_FAILS_WHY: "Nothing is read or changed until it is mended. The page on health for operators says how.", "No se lee ni se cambia nada hasta repararlo. La página de estado para operadores explica cómo.";

    // Settings.
    LOOKS: "In this browser", "En este navegador";
    THEME: "Colours", "Colores";
    THEME_SYSTEM: "As the system", "Como el sistema";
    THEME_LIGHT: "Light", "Claros";
    THEME_DARK: "Dark", "Oscuros";
    LANGUAGE: "Language", "Idioma";
    KEYS_ON_CHOICE: "Single keys do something", "Las teclas sueltas hacen algo";
    KEYS_OFF_CHOICE: "Only Ctrl K does", "Solo Ctrl K";
    SAVE: "Save settings", "Guardar ajustes";
    SAVED: "Saved", "Guardado";
    SAVED_WHERE: "This browser keeps it.", "Este navegador lo recuerda.";

    // What went wrong.
    MISSING: "There is nothing here for you", "Aquí no hay nada para usted";
    MISSING_WHY: "Either it does not exist, or your role may not see it.", "O no existe, o su función no puede verlo.";
    GO_TODAY: "Go to today", "Ir a hoy";
    FAILED: "That did not work", "Eso no funcionó";
    FAILED_WHY: "Nothing was changed. Try again; if it goes on, tell whoever runs this server the code below.", "No se cambió nada. Inténtelo de nuevo; si continúa, comunique el código a quien administra el servidor.";
    FAILED_COSTLY: "There is too much of it to look through at once. Ask for less, such as more letters of the name.", "Hay demasiado que revisar de una vez. Pida menos, por ejemplo con más letras del nombre.";
    FAILED_FORM: "The page was open for too long, or another page sent it. Open it anew and try again. Nothing was changed.", "La página estuvo abierta demasiado tiempo o la envió otra. Ábrala de nuevo. No se cambió nada.";
    FAILED_RATE: "You asked for more than this server gives at once. Wait a moment and try again.", "Pidió más de lo que el servidor da de una vez. Espere un momento e inténtelo de nuevo.";
    FAILED_TIME: "It took too long, and was given up. A change may or may not have been made; look before you try again.", "Tardó demasiado y se interrumpió. Puede que el cambio se haya hecho o no; compruébelo antes de repetir.";
    FAILED_PART: "This part cannot be shown", "Esta parte no se puede mostrar";
    FAILED_DENIED: "Your role may not do this.", "Su función no puede hacer esto.";
    FAILED_CODE: "Code", "Código";
    FORM_WRONG: "Something has to be put right", "Hay algo que corregir";
    UNDO: "Undo", "Deshacer";
    PAGES: "More pages", "Más páginas";
    PAGE_BEFORE: "Before", "Anterior";
    PAGE_AFTER: "Next", "Siguiente";

    // The gallery.
    GALLERY_WHY: "Every part of the pages, in every state. The people are invented.", "Cada parte de las páginas, en cada estado. Las personas son inventadas.";
    GALLERY_BADGES: "Badges", "Etiquetas";
    GALLERY_BUTTONS: "Buttons", "Botones";
    GALLERY_NOTICES: "Notices", "Avisos";
    GALLERY_FORMS: "Forms", "Formularios";
    GALLERY_LISTS: "Tables and lists", "Tablas y listas";
    GALLERY_ICONS: "Icons", "Iconos";
    TONE_NEUTRAL: "For information", "Informativo";
    TONE_ACCENT: "New", "Nuevo";
    TONE_OK: "In order", "En orden";
    TONE_WARNING: "Look at it", "Atención";
    TONE_CRITICAL: "Stop", "Alto";
    TONE_SENSITIVE: "Sensitive", "Sensible";
    BUTTON_PRIMARY: "Book the appointment", "Reservar la cita";
    BUTTON_SECONDARY: "Move it", "Cambiarla";
    BUTTON_DANGER: "Cancel the appointment", "Cancelar la cita";
    BUTTON_QUIET: "Show more", "Mostrar más";
    BUTTON_OFF: "Not possible now", "Ahora no es posible";
    EXAMPLE_TITLE: "What happened", "Lo que pasó";
    EXAMPLE_TEXT: "What was kept, and what to do now.", "Lo que se conservó y qué hacer ahora.";
    EXAMPLE_ERROR: "The date is not a day. Type it as 14-Mar-1961.", "La fecha no es un día. Escríbala como 14-mar-1961.";

    // Days.
    MONTHS: "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "ene feb mar abr may jun jul ago sep oct nov dic";
    MONTHS_LONG: "january february march april may june july august september october november december", "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre";
    WEEKDAYS: "Monday Tuesday Wednesday Thursday Friday Saturday Sunday", "lunes martes miércoles jueves viernes sábado domingo";
    AGE_YEARS: "{}y", "{} a";
    AGE_MONTHS: "{}m", "{} m";
    AGE_DAYS: "{}d", "{} d";
    ABOUT_YEARS: "about {}y", "unos {} a";
}
