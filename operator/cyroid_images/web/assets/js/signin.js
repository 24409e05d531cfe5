// Sign-in with a token of the cluster. It is tried before the page says that anybody is signed in.

import { ask } from "./api.js";
import { attribute, h, text, show } from "./dom.js";
import { sentence } from "./parts.js";
import { chosenCache, token } from "./session.js";

/** The form; calls `done(me)` with whose token it is. `why` says why somebody is asked again. */
export function signIn(done, why = "") {
  const problem = h("p", { class: "notice bad", role: "alert", hidden: !why }, why);
  const field = h("textarea", {
    id: "token", rows: 5, required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    "aria-describedby": "token-help",
  });
  const button = h("button", { type: "submit", class: "primary" }, "Sign in");
  const form = h("form", { class: "signin", on: { submit } },
    h("h1", { tabindex: "-1" }, "Sign in"),
    h("p", { class: "quiet" }, "Images of cyber ranges: what the registry holds, and what each range has."),
    problem,
    h("label", { for: "token" }, "Token"),
    field,
    h("p", { id: "token-help", class: "quiet" },
      "A token of this cluster, such as ", h("code", {}, "kubectl create token NAME"),
      " prints it for a service account. It is kept in this tab until you close it or sign out."),
    button);

  async function submit(event) {
    event.preventDefault();
    const value = field.value.replace(/\s+/g, "").replace(/^Bearer/i, "");
    if (!/^[\x21-\x7e]+$/.test(value)) {
      fail("This is not a token: it holds characters that none has.");
      return;
    }
    attribute(button, "aria-disabled", true);
    text(button, "Signing in…");
    token.set(value);
    try {
      done(await ask("me", { query: { cache: chosenCache.get() } }));
    } catch (error) {
      token.forget();
      fail(error.message);
    }
    attribute(button, "aria-disabled", null);
    text(button, "Sign in");
  }

  function fail(message) {
    text(problem, sentence(message));
    show(problem, true);
    field.focus();
  }

  return { element: h("main", { id: "main" }, form), field };
}
