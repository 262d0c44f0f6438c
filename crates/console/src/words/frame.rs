//! The words of the frame: what stands around every page.

words! {
    // The frame.
    TITLE: "{} · Plummer", "{} · Plummer";
    SKIP: "Skip to the content", "Ir al contenido";
    MAIN_PLACES: "Places", "Lugares principales";
    YOUR_MENU: "Your menu", "Su menú";
    SIGN_OUT: "Sign out", "Cerrar sesión";
    DEMO: "This is a demo.", "Esto es una demostración.";
    DEMO_INVENTED: "All people in it are invented. Enter nothing about anybody real.", "Todas las personas son inventadas. No introduzca datos de nadie real.";
    PRINTED: "Printed {}", "Impreso {}";
    CLOSE: "Close", "Cerrar";
    FIND_BOX: "Find a patient or a place", "Buscar un paciente o un lugar";
    FIND_BOX_PLACES: "Go to a place", "Ir a un lugar";
    FINDING: "Looking", "Buscando";
    FIND_BROKEN: "The server does not answer. Press Enter to try again.", "El servidor no responde. Pulse Intro para intentarlo de nuevo.";
    FOUND: "What was found", "Lo encontrado";
    ONE_FOUND: "1 result", "1 resultado";
    MANY_FOUND: "{} results", "{} resultados";
    ENTER_FOR_ALL: "Press Enter to see all of them.", "Pulse Intro para verlos todos.";

    // Places.
    TODAY: "Today", "Hoy";
    PATIENTS: "Patients", "Pacientes";
    MY_RECORD: "My record", "Mi historial";
    THEIR_RECORD: "Record I look after", "Historial a mi cargo";
    SETTINGS: "Settings", "Ajustes";
    APPS: "Apps with access", "Aplicaciones con acceso";
    FACTORS: "How you sign in", "Cómo inicia sesión";
    GALLERY: "Component gallery", "Galería de componentes";
    PLACES: "Places to go", "Lugares adonde ir";

    // Keys.
    KEYS: "Keyboard shortcuts", "Atajos de teclado";
    CONTROL_K: "Ctrl K", "Ctrl K";
    KEY_FIND: "Find", "Buscar";
    KEY_CHOOSE: "Choose in a list", "Elegir en una lista";
    KEY_CLOSE: "Close, and go back to where you were", "Cerrar y volver adonde estaba";
    KEY_GO: "Go to {}", "Ir a {}";
    KEY_SHEET: "Show these keys", "Mostrar estos atajos";
    KEYS_OFF: "Turn single keys off", "Desactivar los atajos de una tecla";

    // What several parts of the console say.
    WITHHELD_WHY: "Your role is not shown this part of the record.", "Su función no muestra esta parte del historial.";
    MINUTES: "{} min", "{} minutos";
}
