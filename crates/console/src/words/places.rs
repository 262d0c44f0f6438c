//! The words of what a house sets up before anybody is booked.

words! {
    PLACES_SET_UP: "Places and people", "Lugares y personal";
    PLACES_WHY: "What has to stand before the first visit is booked: where, with whom, when, and what for.", "Lo que hace falta antes de la primera cita: dónde, con quién, cuándo y para qué.";
    PLACES_READY: "Visits can be booked", "Ya se pueden dar citas";
    PLACES_NOT_READY: "Before a visit can be booked", "Antes de poder dar una cita";
    PLACES_NO_SITE: "A site with opening hours", "Un centro con horario de apertura";
    PLACES_NO_WORK: "Somebody who sees patients at such a site", "Alguien que atienda a pacientes en ese centro";
    PLACES_NO_VISIT: "A kind of visit", "Un tipo de visita";
    PLACES_PARTIAL: "There is more than this page shows.", "Hay más de lo que muestra esta página.";
    PLACES_NONE: "None yet", "Todavía nada";
    PLACES_UNUSED: "Not in use", "Sin uso";

    PLACES_HOUSE: "Organizations", "Organizaciones";
    PLACES_SITE: "Sites", "Centros";
    PLACES_ROOM: "Rooms", "Salas";
    PLACES_PERSON: "People", "Personal";
    PLACES_WORK: "Who works where and when", "Quién trabaja dónde y cuándo";
    PLACES_VISIT: "Kinds of visit", "Tipos de visita";
    PLACES_ADD_HOUSE: "Add an organization", "Añadir una organización";
    PLACES_ADD_SITE: "Add a site", "Añadir un centro";
    PLACES_ADD_ROOM: "Add a room", "Añadir una sala";
    PLACES_ADD_PERSON: "Add a person", "Añadir una persona";
    PLACES_ADD_WORK: "Add where somebody works", "Añadir dónde trabaja alguien";
    PLACES_ADD_VISIT: "Add a kind of visit", "Añadir un tipo de visita";

    PLACES_NAME: "Name", "Nombre";
    PLACES_NAME_HINT: "As patients know it.", "Como lo conocen los pacientes.";
    PLACES_GIVEN: "Given names", "Nombres";
    PLACES_FAMILY: "Family name", "Apellidos";
    PLACES_ZONE: "Time zone", "Zona horaria";
    PLACES_ZONE_HINT: "By its IANA name, such as America/Chicago.", "Por su nombre IANA, como America/Chicago.";
    PLACES_PHONE: "Phone", "Teléfono";
    PLACES_LINE: "Street and number", "Calle y número";
    PLACES_CITY: "City", "Ciudad";
    PLACES_STATE: "State", "Estado";
    PLACES_POSTAL_CODE: "Postal code", "Código postal";
    PLACES_OF_HOUSE: "Organization", "Organización";
    PLACES_OF_SITE: "Site", "Centro";
    PLACES_OF_PERSON: "Person", "Persona";
    PLACES_WORKS: "Works as", "Trabaja como";
    PLACES_CLINICIAN: "Clinician, who is booked", "Profesional con citas propias";
    PLACES_ASSISTANT: "Nurse or assistant at visits", "Enfermería o asistencia en las visitas";
    PLACES_INTERPRETER: "Interpreter", "Intérprete";
    PLACES_OFFICE: "In the office, not booked", "Oficina, sin citas";
    PLACES_HOURS: "Hours", "Horario";
    PLACES_HOURS_HINT: "Such as 08:00-12:00, 13:00-17:00. Empty is closed.", "Por ejemplo 08:00-12:00, 13:00-17:00. Vacío significa cerrado.";
    PLACES_HOURS_OWN: "Such as 08:00-12:00, 13:00-17:00. All days empty: the hours of the site.", "Por ejemplo 08:00-12:00, 13:00-17:00. Todos los días vacíos: el horario del centro.";
    PLACES_MON: "Monday", "Lunes";
    PLACES_TUE: "Tuesday", "Martes";
    PLACES_WED: "Wednesday", "Miércoles";
    PLACES_THU: "Thursday", "Jueves";
    PLACES_FRI: "Friday", "Viernes";
    PLACES_SAT: "Saturday", "Sábado";
    PLACES_SUN: "Sunday", "Domingo";
    PLACES_MINUTES: "Minutes", "Minutos";
    PLACES_WITH: "With", "Con";
    PLACES_WITH_CLINICIAN: "A clinician", "Un profesional";
    PLACES_WITH_ASSISTANT: "A nurse or assistant", "Enfermería o asistencia";
    PLACES_QUESTIONS: "Questions at check-in", "Preguntas al registrar la llegada";
    PLACES_QUESTIONS_HINT: "One on each line, five at most. Patients read them on their phone or at a kiosk before anybody has looked at who they are: ask nothing that tells what a visit is for.", "Una en cada línea, cinco como máximo. Los pacientes las leen en su teléfono o en un quiosco antes de que nadie compruebe quiénes son: no pregunte nada que revele el motivo de la visita.";
    PLACES_QUESTIONS_ODD: "Write at most five different questions, of 160 letters each, one on each line", "Escriba como máximo cinco preguntas distintas, de 160 letras cada una, una en cada línea";
    PLACES_NEEDS_ROOM: "Needs a room", "Necesita una sala";
    PLACES_IN_USE: "In use", "En uso";
    PLACES_CHOOSE: "Choose", "Elija";

    PLACES_MISSING: "Fill this in", "Rellene este campo";
    PLACES_ODD: "Write up to 200 letters in one line", "Escriba hasta 200 letras en una línea";
    PLACES_ZONE_ODD: "Write an IANA name, such as America/Chicago", "Escriba un nombre IANA, como America/Chicago";
    PLACES_HOURS_ODD: "Write hours such as 08:00-12:00, 13:00-17:00", "Escriba un horario como 08:00-12:00, 13:00-17:00";
    PLACES_MINUTES_ODD: "Write a number from 1 to 1440", "Escriba un número del 1 al 1440";

    PLACES_SAVE: "Save", "Guardar";
    PLACES_SAVED: "Saved", "Guardado";
    PLACES_MADE: "Added", "Añadido";
    PLACES_TAKEN_BACK: "The version before is back", "Se ha vuelto a la versión anterior";
    PLACES_PUT_BACK: "Put the version before back", "Volver a la versión anterior";
    PLACES_VERSION: "Version {}", "Versión {}";
    PLACES_HISTORY: "All versions", "Todas las versiones";
    PLACES_SITE_ID: "Sign-in of people who work for it", "Acceso de quienes trabajan en ella";
    PLACES_SITE_ID_WHY: "Give this as the site under Users to people who keep the records of this organization.", "Indíquelo como centro en Usuarios para quienes llevan los registros de esta organización.";

    BEGIN_PLACES: "Places, people and kinds of visit", "Lugares, personal y tipos de visita";
    BEGIN_PLACES_WHY: "A first visit can be booked.", "Se puede dar una primera cita.";
}
