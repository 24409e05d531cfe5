// Who is signed in. The token lives in this tab's session only and leaves it as a header only.

const TOKEN = "cyroid.token";
const CACHE = "cyroid.cache";
const DISMISSED = "cyroid.dismissed";
const MOST_DISMISSED = 200;

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (value) => sessionStorage.setItem(TOKEN, value),
  forget: () => sessionStorage.removeItem(TOKEN),
};

/** The ImageCache that is looked at. */
export const chosenCache = {
  get: () => localStorage.getItem(CACHE) ?? "default",
  isChosen: () => localStorage.getItem(CACHE) !== null,
  set: (name) => localStorage.setItem(CACHE, name),
};

/** Builds that this person does not want to be asked about again. */
export const dismissed = {
  has: (id) => readDismissed().includes(id),
  add: (id) => {
    const known = readDismissed().filter((each) => each !== id);
    localStorage.setItem(DISMISSED, JSON.stringify([...known, id].slice(-MOST_DISMISSED)));
  },
};

function readDismissed() {
  try {
    const known = JSON.parse(localStorage.getItem(DISMISSED) ?? "[]");
    return Array.isArray(known) ? known : [];
  } catch {
    return []; // somebody wrote into it by hand
  }
}
