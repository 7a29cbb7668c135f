// The one script of the page. Everything works without it: it only makes it live.

const policy = window.trustedTypes?.createPolicy("mail-preflight", { createHTML: (text) => text }) ?? {
  createHTML: (text) => text,
};

/** A page of ours as a document. Only answers of our own origin get here. */
const parsed = (text) => new DOMParser().parseFromString(policy.createHTML(text), "text/html");

/** Makes `old` what `fresh` is and keeps what both have: what is open stays open, and the focus where it is. */
export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(document.importNode(fresh, true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !(name === "open" && old.dataset.touched)) old.setAttribute(name, value);
  }
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, number) => {
    if (number < before.length) morph(before[number], node);
    else old.append(document.importNode(node, true));
  });
  before.slice(after.length).forEach((node) => node.remove());
}

/** Asks for this page again and shows what is new of it. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.status === 401) return location.reload();
  if (answer.redirected && new URL(answer.url).pathname !== location.pathname) return location.assign(answer.url);
  if (!answer.ok) return undefined;
  const fresh = parsed(await answer.text());
  const main = document.querySelector("main");
  morph(main, fresh.querySelector("main"));
  document.title = fresh.title;
  if (main.dataset.next) location.assign(main.dataset.next);
  if (!main.dataset.live) stop();
  return told();
}

let source = null;
let busy = false;
let again = false;
let waiting = 0;
let pressing = false;

/** At once for the first news, and then at most twice a second. */
async function news() {
  if (busy || waiting) {
    again = true;
    return;
  }
  busy = true;
  pressing = false;
  try {
    await refresh();
    setOnline(true);
  } catch {
    setOnline(false);
    again = true;
  } finally {
    busy = false;
    waiting = setTimeout(rested, pressing ? 0 : 450);
  }
}

function rested() {
  waiting = 0;
  if (again) {
    again = false;
    news();
  }
}

/** What people wait for does not wait for the next half second: a verdict, and the end. */
function pressingNews() {
  again = pressing = true;
  if (busy) return;
  clearTimeout(waiting);
  rested();
}

function setOnline(is) {
  document.querySelector("[data-offline]")?.toggleAttribute("hidden", is);
}

function stop() {
  source?.close();
  source = null;
}

function listen() {
  const path = document.querySelector("main")?.dataset.live;
  if (!path || source) return;
  source = new EventSource(path);
  for (const name of ["progress", "resync", "changed"]) source.addEventListener(name, news);
  for (const name of ["endpoint", "finished"]) source.addEventListener(name, pressingNews);
  source.onerror = () => {
    setOnline(false);
    if (source?.readyState === EventSource.CLOSED) {
      stop();
      setTimeout(() => news().then(listen), 2000);
    }
  };
  source.onopen = () => setOnline(true); // how things are is what comes first
}

/** Tells a host app, which has us in a frame, how high we are, and what happened. */
function told() {
  if (window.parent === window) return;
  const main = document.querySelector("main");
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  const event = { type: "mail-preflight", height, state: main?.dataset.state ?? "", change: main?.dataset.change ?? "" };
  const text = JSON.stringify(event);
  if (text === lastTold || !host) return;
  lastTold = text;
  window.parent.postMessage(event, host);
}

let lastTold = "";
/** The origin of the host app that has us in a frame, one of those that are registered; none without a frame. */
const host = hostOrigin((document.body.dataset.origins ?? "").split(" "));
function hostOrigin(registered) {
  const above = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
  try {
    if (registered.includes(above)) sessionStorage.setItem("host", above);
    return [above, sessionStorage.getItem("host")].find((origin) => origin && registered.includes(origin));
  } catch {
    return registered.includes(above) ? above : undefined; // the browser keeps nothing for pages in frames
  }
}

/** The host's colours: `{type: "mail-preflight-colours", colours: {accent: "#0a6"}}`. */
const COLOURS = ["paper", "card", "sunk", "ink", "soft", "line", "edge", "accent", "accent-strong", "on-accent"];
function paint(event) {
  if (event.source !== window.parent || event.origin !== host || event.data?.type !== "mail-preflight-colours") return;
  for (const [name, value] of Object.entries(event.data.colours ?? {})) {
    if (COLOURS.includes(name) && CSS.supports("color", value)) {
      document.documentElement.style.setProperty(`--${name}`, value);
    }
  }
}
if (window.parent !== window) window.addEventListener("message", paint);

function rememberZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`zone=${zone}`)) {
    document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
    if (document.querySelector("main time")) news();
  }
}

document.addEventListener("toggle", (event) => (event.target.dataset.touched = "yes"), true);
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(text.value ?? text.textContent);
  button.dataset.done = "yes";
  setTimeout(() => delete button.dataset.done, 2000);
});
document.addEventListener("input", ({ target }) => {
  // What differs from the settings in force is marked.
  if (target.dataset.was === undefined) return;
  const differs = target.value !== target.dataset.was;
  const field = target.closest(".field");
  field.classList.toggle("changed", differs);
  field.querySelector(".was").hidden = !differs;
});
document.addEventListener("submit", (event) => {
  // Twice is a mistake; the second time comes from an impatient hand.
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 3000);
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("main")?.dataset.live) location.reload();
});

document.documentElement.classList.add("live");
rememberZone();
listen();
new ResizeObserver(told).observe(document.documentElement);

/** Counts down to `data-until` (UTC seconds since 1970), in its own words; at the end there is news. */
function tick() {
  for (const each of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.round(Number(each.dataset.until) - Date.now() / 1000));
    const seconds = String(left % 60).padStart(2, "0");
    each.textContent = each.dataset.words.replace("{time}", `${Math.floor(left / 60)}:${seconds}`);
    if (left === 0) news();
  }
}

if (document.querySelector("[data-until]")) {
  tick();
  setInterval(tick, 1000);
}
