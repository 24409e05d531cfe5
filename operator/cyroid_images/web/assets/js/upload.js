// A file sent to the API from the disk, with how far it is; XMLHttpRequest, since fetch tells no
// progress of what it sends.

import { address, authorization, detailOf, Refused, refused } from "./api.js";

const SILENCE = 30_000;
const LONGEST_WORK = 1_800_000;
/** The API checks and loads a bundle after its last byte, which may take minutes. */

/** Sends `file`; `moved(done, total)` hears how far; `signal` ends it. Gives the JSON answer. */
export function upload(path, { query, file, moved, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = null;
    const fail = (words) => {
      reject(new Refused(words));
      request.abort();
    };
    const patience = (milliseconds, words) => {
      clearTimeout(timer);
      timer = setTimeout(() => fail(words), milliseconds);
    };
    const end = () => clearTimeout(timer);
    request.upload.addEventListener("progress", (event) => {
      moved(event.loaded, event.total);
      patience(SILENCE, "Nothing was taken for 30 s: the API or the network stands still. Nothing was loaded.");
    });
    request.upload.addEventListener("load", () => patience(LONGEST_WORK, "The API did not say within 30 minutes what became of the bundle."));
    request.addEventListener("load", () => {
      end();
      answer(request, resolve, reject);
    });
    request.addEventListener("error", () => {
      end();
      reject(new Refused("The API cannot be reached, or it ended the upload. Nothing was loaded unless the list of images shows it."));
    });
    request.addEventListener("abort", end);
    signal.addEventListener("abort", () => fail("Stopped. What was sent is thrown away."));
    request.open("POST", address(path, query));
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    patience(SILENCE, "The API took nothing for 30 s. Nothing was loaded.");
    request.send(file);
  });
}

function answer(request, resolve, reject) {
  if (request.status < 200 || request.status > 299) {
    reject(refused(request.status, detailOf(request.responseText)));
    return;
  }
  try {
    resolve(JSON.parse(request.responseText));
  } catch {
    reject(new Refused("What answered is not the API: it sent no JSON."));
  }
}
