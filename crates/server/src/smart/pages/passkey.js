// Passkeys on the pages of signing in (W3C Web Authentication Level 3). The page says what is asked
// for, in `data-passkey` of a form; what the browser answers goes back in the form's field `answer`.
// Nothing is loaded and nothing is sent but that form. What is said stands in the page, in its language.
"use strict";

(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  const told = form.querySelector("[data-told]");
  const button = form.querySelector("button");

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const make = async (asked) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        user: { ...asked.user, id: bytes(asked.user.id) },
        excludeCredentials: ids(asked.excludeCredentials),
      },
    });
    const answer = made.response;
    return {
      id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {},
      response: {
        attestationObject: text(answer.attestationObject),
        clientDataJSON: text(answer.clientDataJSON),
        transports: answer.getTransports ? answer.getTransports() : [],
      },
    };
  };

  const show = async (asked) => {
    const shown = await navigator.credentials.get({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        allowCredentials: ids(asked.allowCredentials),
      },
    });
    const answer = shown.response;
    return {
      id: shown.id, rawId: text(shown.rawId), type: shown.type, clientExtensionResults: {},
      response: {
        authenticatorData: text(answer.authenticatorData),
        clientDataJSON: text(answer.clientDataJSON),
        signature: text(answer.signature),
        userHandle: answer.userHandle ? text(answer.userHandle) : null,
      },
    };
  };

  const words = (error) => {
    switch (error && error.name) {
      case "NotAllowedError":
        return told.dataset.cancelled;
      case "InvalidStateError":
        return told.dataset.known;
      case "SecurityError":
        return told.dataset.address;
      default:
        return told.dataset.told;
    }
  };

  if (!window.PublicKeyCredential || !navigator.credentials) {
    told.textContent = told.dataset.none;
    button.disabled = true;
    return;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.textContent = "";
    button.disabled = true;
    try {
      const asked = JSON.parse(form.dataset.passkey).publicKey;
      const answer = asked.user ? await make(asked) : await show(asked);
      form.elements.namedItem("answer").value = JSON.stringify(answer);
      HTMLFormElement.prototype.submit.call(form);
    } catch (error) {
      told.textContent = words(error);
      button.disabled = false;
      button.focus();
    }
  });
})();
