//! What an app can learn before it asks for anything
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html>; `OpenID` Connect Discovery 1.0, 4;
//! RFC 8414). Nothing is listed that is not done.

use serde_json::{Value, json};

use crate::address::Place;
use crate::delegation::EXCHANGE;
use crate::smart::Smart;

/// What this server does, in the words of SMART.
pub const CAPABILITIES: [&str; 17] = [
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
];

const SCOPES: [&str; 15] = [
    "openid",
    "fhirUser",
    "profile",
    "launch",
    "launch/patient",
    "launch/encounter",
    "offline_access",
    "online_access",
    "patient/*.cruds",
    "patient/*.rs",
    "user/*.cruds",
    "user/*.rs",
    "system/*.cruds",
    "system/*.rs",
    "patient/*.read",
];

impl Smart {
    /// `/.well-known/smart-configuration`.
    pub fn smart_configuration(&self, place: &Place) -> String {
        let mut body = common(place);
        merge(
            &mut body,
            json!({
                "capabilities": CAPABILITIES,
                "management_endpoint": place.at("apps"),
                "introspection_endpoint": place.at("introspect"),
                "revocation_endpoint": place.at("revoke"),
            }),
        );
        body.to_string()
    }

    /// `/.well-known/openid-configuration`.
    pub fn openid_configuration(&self, place: &Place) -> String {
        let mut body = common(place);
        merge(
            &mut body,
            json!({
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "claims_supported": ["sub", "fhirUser", "profile"],
                "request_parameter_supported": false,
                "request_uri_parameter_supported": false,
            }),
        );
        body.to_string()
    }
}

fn common(place: &Place) -> Value {
    json!({
        "issuer": place.base,
        "jwks_uri": place.at("jwks"),
        "authorization_endpoint": place.at("authorize"),
        "token_endpoint": place.at("token"),
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials", EXCHANGE,
        ],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "scopes_supported": SCOPES,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
