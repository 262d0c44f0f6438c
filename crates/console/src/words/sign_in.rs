//! The words of the pages of signing in, of factors and of apps, which the server draws (`server/src/smart/pages`).
//! `TOLD_` are what people are told when something is refused: the English ones are, letter for letter, what the
//! crates that refuse say, and are looked up by that.

words! { [pub]
    // The frame.
    AUTH_TITLE: "{} · Plummer", "{} · Plummer";
    AUTH_AS: "You are signed in as {}.", "Ha iniciado sesión como {}.";
    AUTH_OUT: "Sign out", "Cerrar sesión";
    AUTH_FAILED: "That did not work", "Eso no funcionó";
    AUTH_GO_ON_THERE: "Go on from the sign-in page", "Seguir desde la página de inicio de sesión";
    AUTH_GO_ON: "Go on", "Continuar";
    AUTH_BACK: "Back", "Volver";

    // Signing in.
    AUTH_SIGN_IN: "Sign in", "Iniciar sesión";
    AUTH_APP_WAITS: "The app {} asks to see health records. Sign in to decide about it.", "La aplicación {} pide ver datos de salud. Inicie sesión para decidir.";
    AUTH_NAME: "Sign-in name", "Nombre de acceso";
    AUTH_PASSWORD: "Password", "Contraseña";
    AUTH_BY_ISSUER: "Sign in with {}", "Entrar con {}";
    AUTH_EITHER: "or", "o bien";
    AUTH_ADMINISTRATORS: "Administrators sign in here", "Acceso para administradores";
    AUTH_NOT_IN: "You are not signed in", "No ha iniciado sesión";
    AUTH_TO_SIGN_IN: "Back to the sign-in page", "Volver a la página de inicio de sesión";

    // Another password.
    AUTH_CHOOSE: "Choose a password", "Elija una contraseña";
    AUTH_OLD: "The password you have", "Su contraseña actual";
    AUTH_NEW: "Your new password", "Su contraseña nueva";
    AUTH_AGAIN: "Your new password once more", "Su contraseña nueva otra vez";
    AUTH_CHOOSE_HINT: "At least 12 characters. A few words that have nothing to do with you or each other are easy to keep.", "Al menos 12 caracteres. Unas cuantas palabras sin relación con usted ni entre sí son fáciles de recordar.";
    AUTH_CHANGE: "Change it and sign in", "Cambiarla e iniciar sesión";
    AUTH_BACK_IN: "Back to signing in", "Volver al inicio de sesión";

    // A passkey or a code.
    AUTH_STEP: "One more step", "Un paso más";
    AUTH_CODE: "Code", "Código";
    AUTH_CODE_HINT: "Six digits from your authenticator, or one of your recovery codes.", "Las seis cifras de su aplicación de códigos o uno de sus códigos de recuperación.";
    AUTH_BY_PASSKEY: "Sign in with a passkey", "Entrar con una llave de acceso";
    AUTH_BY_PASSWORD: "Sign in with a name and a password", "Entrar con nombre y contraseña";
    AUTH_USE_PASSKEY: "Use your passkey", "Usar su llave de acceso";
    AUTH_DEVICE: "Your device asks for your finger, your face or its PIN, and keeps them to itself.", "Su dispositivo le pide la huella, el rostro o su PIN, y no los comparte con nadie.";
    AUTH_SCRIPT: "A passkey needs a browser that runs scripts. Use another way.", "Una llave de acceso necesita un navegador que ejecute scripts. Entre de otra manera.";
    AUTH_CANCELLED: "No passkey was given: it was cancelled, or took too long. Try again, or use another way.", "No se recibió ninguna llave de acceso: se canceló o tardó demasiado. Inténtelo de nuevo o entre de otra manera.";
    AUTH_HAS_ONE: "This device has a passkey of yours already.", "Este dispositivo ya tiene una llave de acceso suya.";
    AUTH_ADDRESS: "The browser gives no passkey at this address. Open this server by its own name.", "El navegador no da llaves de acceso en esta dirección. Abra este servidor por su propio nombre.";
    AUTH_NO_ANSWER: "The browser could not give a passkey. Use another way.", "El navegador no pudo dar una llave de acceso. Entre de otra manera.";
    AUTH_NO_PASSKEYS: "This browser has no passkeys. Use another way, or another browser.", "Este navegador no admite llaves de acceso. Entre de otra manera o use otro navegador.";
    AUTH_PASSKEY_HOST: "Your passkey works only where this server is opened by its own name.", "Su llave de acceso solo funciona si abre este servidor por su propio nombre.";
    AUTH_STILL_YOU: "Is it still you?", "¿Sigue siendo usted?";
    AUTH_STILL_WHY: "You showed it a while ago. Show once more that it is you.", "Ya lo demostró hace un rato. Demuestre otra vez que es usted.";
    AUTH_DEMANDED: "Your role asks for a second factor, and you have shown one only. Show the second.", "Su función exige un segundo factor y usted ha mostrado solo uno. Muestre el segundo.";

    // How somebody signs in.
    AUTH_HOW: "How I sign in", "Cómo inicio sesión";
    AUTH_ONE_LEFT: "One step is left.", "Falta un paso.";
    AUTH_MISSING: "Your role asks for a second factor, and you have none yet. Make one here; until then nothing else opens for you.", "Su función exige un segundo factor y usted aún no tiene ninguno. Créelo aquí; hasta entonces no se le abre nada más.";
    AUTH_DUE: "From {} on your role asks for a second factor, and you have none yet. Make one before that day.", "A partir del {} su función exige un segundo factor y usted aún no tiene ninguno. Créelo antes de ese día.";
    AUTH_PASSKEYS: "Passkeys", "Llaves de acceso";
    AUTH_PASSKEYS_NONE: "You have no passkey.", "No tiene ninguna llave de acceso.";
    AUTH_PASSKEY_MAKE: "Make a passkey", "Crear una llave de acceso";
    AUTH_PASSKEY_TLS: "Browsers make passkeys only for a server that is opened by its name and over TLS.", "Los navegadores crean llaves de acceso solo para un servidor que se abre por su nombre y con TLS.";
    AUTH_SINCE_USED: "Since {}, last used {}", "Desde el {}; último uso: {}";
    AUTH_NEVER: "never", "nunca";
    AUTH_ELSEWHERE: ", for {} and of no use here", ", para {}; aquí no sirve";
    AUTH_EDIT: "Change", "Cambiar";
    AUTH_LABEL: "Name", "Nombre";
    AUTH_LABEL_SAVE: "Save the name", "Guardar el nombre";
    AUTH_PASSKEY_REMOVE: "Remove this passkey", "Quitar esta llave de acceso";
    AUTH_PASSKEY_REMOVE_HINT: "Removing it signs you out everywhere else.", "Al quitarla se cierra su sesión en todos los demás sitios.";
    AUTH_APP_CODES: "Authenticator app", "Aplicación de códigos";
    AUTH_APP_CODES_HAS: "You have one. Another one takes its place, and brings new recovery codes.", "Tiene una. Otra ocupará su lugar y traerá nuevos códigos de recuperación.";
    AUTH_APP_CODES_NONE: "You have none. It shows six digits that are asked for after your password.", "No tiene ninguna. Muestra seis cifras que se piden después de su contraseña.";
    AUTH_APP_CODES_SET: "Set one up", "Configurar una";
    AUTH_RECOVERY: "Recovery codes", "Códigos de recuperación";
    AUTH_RECOVERY_LEFT: "You have {} left. Each stands in once for what you lost.", "Le quedan {}. Cada uno sustituye una vez lo que perdió.";
    AUTH_RECOVERY_NEW: "Draw new ones", "Generar otros";
    AUTH_PASSKEY_WHY: "A passkey stays on your device or in its keychain. It works on this server alone, so nobody can trick you out of it.", "Una llave de acceso queda en su dispositivo o en su llavero. Funciona solo en este servidor, así que nadie puede sacársela con engaños.";
    AUTH_PASSKEY_CALL: "What to call it", "Cómo llamarla";
    AUTH_PASSKEY_MINE: "My passkey", "Mi llave de acceso";
    AUTH_PASSKEY_MAKE_IT: "Make the passkey", "Crear la llave de acceso";
    AUTH_PASSKEY_AGAIN: "The passkey was not taken. Try again.", "No se aceptó la llave de acceso. Inténtelo de nuevo.";
    AUTH_BACK_WITHOUT: "Back without one", "Volver sin crearla";
    AUTH_APP_CODES_TITLE: "Set up an authenticator app", "Configurar una aplicación de códigos";
    AUTH_APP_CODES_HOW: "Type this key into your authenticator app, or open the link on the device that has it.", "Escriba esta clave en su aplicación de códigos o abra el enlace en el dispositivo que la tiene.";
    AUTH_APP_CODES_OPEN: "Open the authenticator app", "Abrir la aplicación de códigos";
    AUTH_APP_CODES_CODE: "The code it shows", "El código que muestra";
    AUTH_APP_CODES_USE: "Use it from now on", "Usarla desde ahora";
    AUTH_APP_CODES_AGAIN: "The code was not right. Here is a new key; the one before is void.", "El código no era correcto. Aquí tiene otra clave; la anterior ya no vale.";
    AUTH_CODES: "Your recovery codes", "Sus códigos de recuperación";
    AUTH_CODES_WHY: "Print these or write them down, and keep them apart from your device. Each stands in once for a passkey or an authenticator that you lost. They are not shown again.", "Imprímalos o anótelos y guárdelos lejos de su dispositivo. Cada uno sustituye una vez una llave de acceso o una aplicación de códigos que haya perdido. No se vuelven a mostrar.";
    AUTH_CODES_HAVE: "I have them", "Ya los tengo";

    // What apps are given.
    AUTH_APPS: "Apps that can see my record", "Aplicaciones que pueden ver mi historial";
    AUTH_APPS_NONE: "No app can see anything on your behalf.", "Ninguna aplicación puede ver nada en su nombre.";
    AUTH_AGENT: "An assistant that acts for you.", "Un asistente que actúa por usted.";
    AUTH_APP_END: "End access", "Retirar el acceso";
    AUTH_APP_END_OF: "End access of {}", "Retirar el acceso de {}";
    AUTH_APP_MAY: "What it may do", "Qué puede hacer";
    AUTH_DECIDE: "Decide what the app may do", "Decida qué puede hacer la aplicación";
    AUTH_ASKS: "The app {} at {} asks for this.", "La aplicación {}, de {}, pide lo siguiente.";
    AUTH_WHOSE: "Whose record: ", "Historial de: ";
    AUTH_THE_APP_MAY: "The app may", "La aplicación puede";
    AUTH_TAKE_AWAY: "Take away what you do not want to give. You can end all of it at any time under “Apps that can see my record”.", "Desmarque lo que no quiera dar. Puede retirarlo todo en cualquier momento en «Aplicaciones que pueden ver mi historial».";
    AUTH_DENY: "Deny", "Denegar";
    AUTH_ALLOW: "Allow", "Permitir";
    AUTH_ONLY_SOME: "Or only some kinds of records", "O solo algunos tipos de datos";
    AUTH_ONLY_HOW: "Take away the box above, and choose here.", "Desmarque la casilla de arriba y elija aquí.";
    AUTH_PICK: "Choose a patient", "Elija un paciente";
    AUTH_PICK_WHY: "The app {} works on one patient’s record. Choose whose.", "La aplicación {} trabaja con el historial de un solo paciente. Elija de quién.";
    AUTH_PICK_NAME: "Name of the patient", "Nombre del paciente";
    AUTH_PICK_SEARCH: "Search", "Buscar";
    AUTH_PICK_FOUND: "Matches", "Coincidencias";
    AUTH_PICK_NONE: "No patient that you may see has this name.", "Ningún paciente que usted pueda ver tiene este nombre.";
    AUTH_UNNAMED: "without a name", "sin nombre";
    AUTH_START: "Start an app", "Iniciar una aplicación";
    AUTH_START_NONE: "No app that can be started is registered.", "No hay registrada ninguna aplicación que se pueda iniciar.";
    AUTH_START_PATIENT: "Id of the patient", "Id del paciente";
    AUTH_START_VISIT: "Id of the encounter, if there is one", "Id de la visita, si la hay";
    AUTH_START_APPS: "Apps", "Aplicaciones";
    AUTH_UNKNOWN_APP: "This app cannot be answered", "No se puede responder a esta aplicación";
    AUTH_OTHER_STARTED: "You did not start this app", "Usted no inició esta aplicación";
    AUTH_OTHER_STARTED_SAY: "Somebody else started this app. Sign out, sign in as them, or start the app anew.", "Otra persona inició esta aplicación. Cierre la sesión y entre como esa persona, o inicie de nuevo la aplicación.";

    // Refused: a sign-in.
    TOLD_REFUSED: "The sign-in did not succeed. Check the name, the password and the code, and try again.", "No se pudo iniciar sesión. Compruebe el nombre, la contraseña y el código, e inténtelo de nuevo.";
    TOLD_WAIT: "There were too many attempts. Try again in {} seconds.", "Hubo demasiados intentos. Inténtelo de nuevo dentro de {} segundos.";
    TOLD_ENDED: "Your session has ended. Sign in again.", "Su sesión ha terminado. Inicie sesión de nuevo.";
    TOLD_MUST_CHANGE: "Choose a password of your own, with the one you were given, then sign in with it.", "Elija una contraseña propia con la que le dieron y después inicie sesión con ella.";
    TOLD_STOLEN: "Your password stands in lists of passwords that were stolen elsewhere. Choose another, with the one you have, then sign in with it.", "Su contraseña figura en listas de contraseñas robadas en otros sitios. Elija otra con la que tiene y después inicie sesión con ella.";
    TOLD_BUSY: "Try again in a few minutes.", "Inténtelo de nuevo dentro de unos minutos.";
    TOLD_BUSY_NOW: "Too many people are signing in at this moment. Try again in a few seconds.", "En este momento inician sesión demasiadas personas. Inténtelo de nuevo dentro de unos segundos.";
    TOLD_FULL: "There are as many sessions as the server keeps. Try again later.", "El servidor no admite más sesiones abiertas. Inténtelo más tarde.";

    // Refused: a password.
    TOLD_SHORT: "Choose a password of at least 12 characters; four unrelated words do well.", "Elija una contraseña de al menos 12 caracteres; cuatro palabras sin relación van bien.";
    TOLD_LONG: "Choose a password of at most 256 characters.", "Elija una contraseña de 256 caracteres como máximo.";
    TOLD_HAS_NAME: "Choose a password without your name, your sign-in name or the name of the site.", "Elija una contraseña sin su nombre, su nombre de acceso ni el nombre del centro.";
    TOLD_GUESSABLE: "Choose a password that is not made of repeats, sequences, rows of keys or everyday words.", "Elija una contraseña que no esté hecha de repeticiones, series, filas de teclas ni palabras corrientes.";
    TOLD_PUBLISHED: "Choose another password: this one is in a published list of passwords stolen elsewhere.", "Elija otra contraseña: esta figura en una lista publicada de contraseñas robadas en otros sitios.";
    TOLD_SAME_GIVEN: "Choose another password than the one you were given.", "Elija una contraseña distinta de la que le dieron.";
    TOLD_SAME: "Choose another password than the one you have.", "Elija una contraseña distinta de la que tiene.";
    TOLD_NOT_ALIKE: "The two new passwords are not the same. Type them again.", "Las dos contraseñas nuevas no coinciden. Escríbalas de nuevo.";

    // Refused: a factor.
    TOLD_NO_PASSKEY: "There is no such passkey; look at the list again.", "Esa llave de acceso no existe; mire de nuevo la lista.";
    TOLD_TOO_MANY: "Remove a passkey first: there are as many as one person may have.", "Quite antes una llave de acceso: ya tiene todas las que puede tener una persona.";
    TOLD_CALLED: "Give the passkey a name of 1 to 64 bytes, such as the device it is on.", "Dé a la llave de acceso un nombre de 1 a 64 bytes, como el del dispositivo en que está.";
    TOLD_LAST_FACTOR: "Your role demands a second factor. Make another before you remove this one.", "Su función exige un segundo factor. Cree otro antes de quitar este.";
    TOLD_NO_FACTOR: "Enrol an authenticator or a passkey first; it brings recovery codes with it.", "Configure antes una aplicación de códigos o una llave de acceso; trae consigo códigos de recuperación.";
    TOLD_WHICH: "Choose one of your passkeys.", "Elija una de sus llaves de acceso.";
    TOLD_BUTTON: "Use a button of the page.", "Use un botón de la página.";
    TOLD_NAMED_HOST: "passkeys need this server to be opened by its name, over TLS", "Las llaves de acceso exigen abrir este servidor por su nombre y con TLS.";

    // Refused: a sign-in by an issuer.
    TOLD_UNBELIEVED: "The sign-in was called off, took too long, or came back in a way that is not believed. Begin again.", "El inicio de sesión se canceló, tardó demasiado o volvió de un modo que no se puede dar por bueno. Empiece de nuevo.";
    TOLD_UNREACHED: "The other organisation’s sign-in cannot be reached. Try again in a few minutes.", "No se puede contactar con el inicio de sesión de la otra organización. Inténtelo de nuevo dentro de unos minutos.";
    TOLD_NOT_TAKEN: "You proved who you are, but you cannot sign in here this way. Ask whoever administers this site.", "Ha demostrado quién es, pero aquí no puede entrar de esta manera. Pregunte a quien administra este centro.";
    TOLD_MANY_NOW: "Many people sign in at this moment. Try again in a few seconds.", "En este momento inician sesión muchas personas. Inténtelo de nuevo dentro de unos segundos.";

    // Refused: an app, or a form.
    TOLD_UNKNOWN_APP: "The app that sent you here is not known, or it asked to be answered at an address that is not registered for it. Tell whoever runs the app.", "No se conoce la aplicación que le envió aquí, o pidió la respuesta en una dirección que no tiene registrada. Avise a quien la administra.";
    TOLD_REQUEST_OVER: "The request is over. Start the app again.", "La petición ha terminado. Inicie de nuevo la aplicación.";
    TOLD_OVER: "the request is over: it was answered, or took too long; start the app again", "La petición ha terminado: ya se respondió o tardó demasiado. Inicie de nuevo la aplicación.";
    TOLD_REQUESTS_FULL: "There are as many requests as the server keeps. Try again later.", "El servidor no admite más peticiones. Inténtelo más tarde.";
    TOLD_LAUNCHES_FULL: "There are as many launches as the server keeps. Try again later.", "El servidor no admite más inicios de aplicaciones. Inténtelo más tarde.";
    TOLD_ANSWER: "answer with approve or deny, and scopes that were shown", "Responda con los botones de la página y con los permisos que se mostraron.";
    TOLD_SHOWN_APP: "choose one of the apps that are shown", "Elija una de las aplicaciones que se muestran.";
    TOLD_NO_PATIENT: "there is no such Patient for you", "Ese paciente no existe para usted.";
    TOLD_NO_ENCOUNTER: "there is no such Encounter for you", "Esa visita no existe para usted.";
    TOLD_FORM_OLD: "the page was open for too long, or another page sent it; open it anew", "La página estuvo abierta demasiado tiempo o la envió otra. Ábrala de nuevo.";
    TOLD_FOREIGN: "a page of another origin sent this; open the page here", "Esto lo envió una página de otro sitio. Abra la página aquí.";
    TOLD_NOTHING: "there is nothing here", "Aquí no hay nada.";
}
