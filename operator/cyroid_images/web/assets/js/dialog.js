// A question that stands over the page: the browser keeps the focus inside, Escape says no.

import { attribute, h, show, text } from "./dom.js";
import { sentence } from "./parts.js";

/**
 * Asks before `act()` is done; stays open and says why where it fails. Gives true once it is done,
 * false where the person said no.
 */
export function question({ title, body, verb, isDangerous = false, act }) {
  const opener = document.activeElement;
  const problem = h("p", { class: "notice bad", role: "alert", hidden: true });
  const no = h("button", { type: "button" }, "Cancel");
  const yes = h("button", { type: "submit", class: isDangerous ? "danger" : "primary" }, verb);
  const form = h("form", { method: "dialog" },
    h("h2", { id: "question" }, title), ...body, problem, h("div", { class: "answers" }, no, yes));
  const dialog = h("dialog", { "aria-labelledby": "question" }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let isDone = false;
    let isBusy = false;
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener?.isConnected) opener.focus();
      resolve(isDone);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (isBusy) return;
      isBusy = true;
      attribute(yes, "aria-disabled", true);
      try {
        await act();
        isDone = true;
        dialog.close();
      } catch (failure) {
        text(problem, sentence(failure.message));
        show(problem, true);
      }
      isBusy = false;
      attribute(yes, "aria-disabled", null);
    });
    dialog.showModal();
    no.focus();
  });
}
