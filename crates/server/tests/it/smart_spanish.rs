//! The pages of signing in, of factors and of apps in Spanish: each is whole in the language of the browser that
//! asks, what is refused as well, and programs are answered as before.

use crate::client::Answer;
use crate::oidc_issuer::{Fake, site as issued};
use crate::smart_passkeys::{HERE, asked, send};
use crate::smart_site::{Making, Site, Visitor, value};
use identity::Secret;
use testkit::authenticator::Authenticator;

const ALL: &str = "openid fhirUser launch/patient patient/*.rs offline_access";

/// Words of English that are none of Spanish: none of these pages needs one.
const ENGLISH: &[&str] = &[
    "the", "you", "your", "and", "with", "of", "is", "it", "this", "that", "not", "for", "to",
    "on", "or", "sign", "back", "record", "records", "password", "code", "never", "since", "from",
];

fn spanish(site: &Site) -> Visitor<'_> {
    let mut visitor = Visitor::new(site);
    visitor.plant("__Host-plummer-language", "es");
    visitor
}

/// What people read of a page, and what is read out to them.
fn read(page: &Answer) -> String {
    let text = page.text();
    let body = text.split_once("<title>").expect("a page").1;
    let labels = body.split("aria-label=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut said: Vec<&str> = labels.collect();
    for piece in body.split('<') {
        said.push(piece.split_once('>').map_or(piece, |(_, text)| text));
    }
    said.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Holds that a page is in Spanish, all of it, and says this.
fn holds(page: &Answer, says: &str) {
    let text = page.text();
    assert!(text.contains("<html lang=\"es\">"), "{text}");
    let said = read(page);
    assert!(said.contains(says), "{says}: {said}");
    // A code of an error is one word.
    let words = said.split(|c: char| !c.is_alphanumeric() && c != '.');
    let words = words.map(|word| word.trim_matches('.').to_lowercase());
    let found: Vec<_> = words.filter(|word| ENGLISH.contains(&word.as_str())).collect();
    assert!(found.is_empty(), "{found:?}: {said}");
}

#[test]
fn the_language_is_what_was_chosen_else_what_the_browser_asks_for() {
    let site = Site::start();
    let shown_in = |headers: &[(&str, &str)]| {
        let page = site.send("GET", "/auth/sign-in", headers, "").text();
        let at = page.find("<html lang=\"").expect("a page") + "<html lang=\"".len();
        page[at..at + 2].to_owned()
    };
    let mexico = ("Accept-Language", "es-MX,es;q=0.9,en;q=0.8");
    assert_eq!(shown_in(&[]), "en");
    assert_eq!(shown_in(&[mexico]), "es");
    assert_eq!(shown_in(&[("Accept-Language", "fr, de;q=0.9")]), "en");
    assert_eq!(shown_in(&[mexico, ("Cookie", "__Host-plummer-language=en")]), "en");
    assert_eq!(shown_in(&[("Cookie", "__Host-plummer-language=es")]), "es");
}

#[test]
fn from_the_sign_in_to_the_app_every_page_is_in_spanish() {
    let site = Site::start();
    let mut visitor = spanish(&site);
    let page = visitor.open(&site.authorize(ALL));
    holds(&page, "La aplicación Growth Chart pide ver datos de salud.");
    holds(&page, "Nombre de acceso");
    let request = visitor.request.clone();
    let page = visitor.post_sign_in("eve", "wrong", &request);
    holds(&page, "No se pudo iniciar sesión. Compruebe el nombre");
    assert_eq!(page.status, 401);
    let page = visitor.sign_in("eve");
    holds(&page, "Elija un paciente");
    holds(&visitor.send_form(&[("name", "Nobody")]), "Ningún paciente que usted pueda ver");
    holds(&visitor.send_form(&[("name", "Love")]), "Coincidencias");
    let page = visitor.send_form(&[("patient", "ada")]);
    holds(&page, "Decida qué puede hacer la aplicación");
    holds(&page, "Ver datos de todo tipo del paciente.");
    holds(&page, "alergias e intolerancias");
    holds(&page, "Conservar su acceso cuando usted no está, hasta que se lo retire.");
    // What an app is told is not in anybody's language.
    let refused = site.trade("none");
    assert_eq!(
        refused.at("error_description"),
        "The code or token was not taken. Start the app again."
    );
    let page = visitor.answer("neither", &[]);
    holds(&page, "Responda con los botones de la página");
    let page = visitor.open(&format!("/auth/continue?request={request}"));
    assert_eq!(page.status, 200);
    let back = visitor.answer("approve", &ALL.split(' ').collect::<Vec<_>>());
    assert_eq!(back.status, 303, "{}", back.text());
    let code = value(back.header("location").expect("an address"), "code").expect("a code");
    assert_eq!(site.trade(&code).status, 200);
    holds(&visitor.open("/auth/apps"), "Aplicaciones que pueden ver mi historial");
    holds(&visitor.open("/auth/apps"), "Retirar el acceso de Growth Chart");
    let sessions = visitor.open("/admin/sessions").text();
    assert!(sessions.contains("Ver datos de todo tipo del paciente."), "{sessions}");
    holds(&visitor.open("/auth/launch"), "Id del paciente");
    holds(&visitor.open(&format!("/auth/continue?request={request}")), "La petición ha terminado");
    holds(&visitor.open("/auth/authorize?client_id=none"), "No se conoce la aplicación");
}

#[test]
fn what_is_refused_is_told_in_spanish_under_the_same_code() {
    let site = Site::start();
    let mut visitor = spanish(&site);
    let eve = site.id("eve");
    let given = "gegeben und nicht behalten";
    site.smart.identity().reset_password(eve, &Secret::from(given)).expect("reset");
    visitor.open("/auth/sign-in");
    let answer = visitor.post_sign_in("eve", given, "");
    let page = visitor.follow(answer);
    holds(&page, "Elija una contraseña propia con la que le dieron");
    let mut change = |new: &str, again: &str| {
        let fields = [("name", "eve"), ("password", given), ("new", new), ("again", again)];
        visitor.send_form(&fields)
    };
    holds(&change("eins", "zwei"), "Las dos contraseñas nuevas no coinciden.");
    holds(&change("password", "password"), "al menos 12 caracteres");
    holds(&change("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"), "repeticiones, series");
    holds(&change(given, given), "distinta de la que le dieron");
    let fields = [("form".to_owned(), "x".to_owned())];
    let page = visitor.post("/auth/sign-in", &fields, &[]);
    holds(&page, "La página estuvo abierta demasiado tiempo");
    assert!(
        page.status == 401 && page.text().contains("identity.session.expired"),
        "the code stays"
    );
    let mut page = visitor.open("/auth/sign-in");
    for _ in 0..40 {
        page = visitor.post_sign_in("eve", "wrong", "");
        if page.status == 429 {
            break;
        }
    }
    holds(&page, "Hubo demasiados intentos. Inténtelo de nuevo dentro de ");
}

#[test]
fn passkeys_codes_and_how_somebody_signs_in_are_in_spanish() {
    let site = Site::with(Making {
        origin: Some(HERE.to_owned()),
        demand: &["clinician"],
        ..Making::default()
    });
    let mut device = Authenticator::at(HERE);
    let mut visitor = spanish(&site);
    visitor.open("/auth/sign-in");
    let page = visitor.sign_in_for("eve", "factors");
    holds(&page, "Falta un paso.");
    holds(&page, "No tiene ninguna llave de acceso.");
    let page = send(&mut visitor, "/auth/factors", &[("do", "authenticator")]);
    holds(&page, "Escriba esta clave en su aplicación de códigos");
    let page = send(&mut visitor, "/auth/factors", &[("do", "code"), ("code", "000000")]);
    holds(&page, "El código no era correcto.");
    let page = send(&mut visitor, "/auth/factors", &[("do", "new")]);
    holds(&page, "Una llave de acceso queda en su dispositivo");
    for told in [
        "data-cancelled=\"No se recibió",
        "data-known=\"Este dispositivo",
        "data-told=\"El navegador",
    ] {
        assert!(page.text().contains(told), "{told}");
    }
    let answer = device.make(&asked(&page));
    let handle = page.field("asked").expect("a handle");
    let fields = [("do", "add"), ("asked", &*handle), ("answer", &*answer), ("name", "Llavero")];
    holds(&send(&mut visitor, "/auth/factors", &fields), "Sus códigos de recuperación");
    let page = visitor.open("/auth/factors");
    holds(&page, "último uso: ");
    holds(&page, "Quitar esta llave de acceso");
    let text = page.text();
    let id = text
        .split("name=\"passkey\" value=\"")
        .find_map(|rest| rest.split('"').next().filter(|id| !id.is_empty() && !id.contains('<')));
    let fields = [("do", "remove"), ("passkey", id.expect("its id"))];
    holds(&send(&mut visitor, "/auth/factors", &fields), "Cree otro antes de quitar este.");
    holds(&visitor.open("/auth/confirm"), "¿Sigue siendo usted?");
    let mut other = spanish(&site);
    holds(&other.open("/auth/sign-in"), "Entrar con una llave de acceso");
    holds(&other.sign_in_for("eve", ""), "Un paso más");
    let page = send(&mut other, "/auth/passkey", &[("next", "")]);
    holds(&page, "Su dispositivo le pide la huella");
}

#[test]
fn an_issuer_is_offered_and_its_refusal_told_in_spanish() {
    let fake = Fake::start("id.example");
    let site = issued(&fake, r#","link":true"#);
    let mut visitor = spanish(&site);
    let page = visitor.open("/auth/sign-in");
    assert!(page.text().contains(">Entrar con House st<"), "{}", page.text());
    let page = visitor.come_back("st", "state=none");
    holds(&page, "El inicio de sesión se canceló");
    assert!(page.text().contains("identity.federated.invalid"), "the code stays");
}
